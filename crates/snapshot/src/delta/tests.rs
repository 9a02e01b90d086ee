//! Against the Parquet library's encoder, and against bytes that nobody wrote.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::*;
use crate::integers::read_column;
use crate::parts::CountedFile;

/// Writes one column by the library and reads it back by ours.
macro_rules! round_trip {
    ($values:expr, $type:ty, $schema:literal, $encoding:expr, $page:expr) => {{
        let schema = Arc::new(parse_message_type($schema).unwrap());
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_compression(Compression::ZSTD(Default::default()))
            .set_encoding($encoding)
            .set_data_page_row_count_limit($page)
            .set_write_batch_size(64)
            .build();
        let mut file = SerializedFileWriter::new(Vec::new(), schema, properties.into()).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let levels = vec![1; $values.len()];
        let levels = $schema.contains("optional").then_some(levels.as_slice());
        column.typed::<$type>().write_batch($values, levels, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        let mut kept = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut kept, &file.into_inner().unwrap()).unwrap();
        let source = CountedFile::open(kept.path(), Arc::default()).unwrap();
        let file = SerializedFileReader::new(source.clone()).unwrap();
        assert!(crate::integers::is_plain(file.metadata().row_group(0).column(0)));
        let mut read: Vec<<$type as DataType>::T> = Vec::new();
        read_column(&file, &source, 0, 0, &mut read).unwrap();
        read
    }};
}

fn any_longs() -> impl Strategy<Value = Vec<i64>> {
    let widths = (0_u32..64).prop_flat_map(|bits| {
        prop::collection::vec(any::<i64>().prop_map(move |n| n >> bits), 0..700)
    });
    let ascending = widths.clone().prop_map(|mut ids| {
        ids.sort_unstable();
        ids
    });
    prop_oneof![widths, ascending]
}

proptest! {
    #[test]
    fn what_the_library_encodes_is_decoded(values in any_longs(), page in 1_usize..800) {
        let delta = Encoding::DELTA_BINARY_PACKED;
        prop_assert_eq!(&round_trip!(&values, Int64Type, "message m { required int64 a; }", delta, page), &values);
        prop_assert_eq!(&round_trip!(&values, Int64Type, "message m { optional int64 a; }", delta, page), &values);
        prop_assert_eq!(&round_trip!(&values, Int64Type, "message m { optional int64 a; }", Encoding::PLAIN, page), &values);
        let small: Vec<i32> = values.iter().map(|n| i32::truncate(n.cast_unsigned())).collect();
        prop_assert_eq!(&round_trip!(&small, Int32Type, "message m { required int32 a; }", delta, page), &small);
    }

    #[test]
    fn bytes_that_nobody_wrote_are_refused_or_make_what_was_expected(
        page in prop::collection::vec(any::<u8>(), 0..300),
        expected in 0_usize..2000,
    ) {
        let mut out: Vec<i64> = vec![7];
        let decoded = decode(&page, expected, &mut out);
        prop_assert!(out.len() <= expected + 1);
        prop_assert!(decoded.is_err() || out.len() == expected + 1);
        prop_assert_eq!(out[0], 7);
    }

    #[test]
    fn a_page_that_is_cut_short_is_refused(values in any_longs(), cut in 1_usize..40) {
        prop_assume!(values.len() > 1);
        let whole = encoded(&values);
        let short = &whole[..whole.len().saturating_sub(cut)];
        let mut out = Vec::new();
        if let Ok(()) = decode::<i64>(short, values.len(), &mut out) {
            // The padding of the last miniblock may be missing, no value.
            prop_assert_eq!(out, values);
        }
    }
}

/// One block of one miniblock of the plainest kind, by hand.
fn encoded(values: &[i64]) -> Vec<u8> {
    let number = |mut n: u64| {
        let mut bytes = Vec::new();
        while n >= 0x80 {
            bytes.push(n.to_le_bytes()[0] | 0x80);
            n >>= 7;
        }
        bytes.push(n.to_le_bytes()[0]);
        bytes
    };
    let block = (values.len() as u64).next_multiple_of(128);
    let first = values[0];
    let zigzag = (first << 1 ^ first >> 63).cast_unsigned();
    let mut bytes =
        [number(block), number(1), number(values.len() as u64), number(zigzag)].concat();
    bytes.extend([0, 64]);
    bytes.extend(values.windows(2).flat_map(|pair| pair[1].wrapping_sub(pair[0]).to_le_bytes()));
    bytes
}
