//! Reads the integers of one column of one row group.
//!
//! Pages are found and decompressed by the Parquet library; whole pages of integers without
//! nulls, in the encodings that such columns have when they are written for speed, are decoded
//! here, straight into the caller's buffer. Every other encoding is left to the library.

use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, Length, SerializedFileReader};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;

use crate::delta;
use crate::parts::CountedFile;
use crate::table::oops;

/// An integer as Parquet stores it.
pub(crate) trait Integer: Copy + Default + 'static {
    /// Bytes of one, plainly encoded.
    const BYTES: usize;

    /// One, plainly encoded in as many bytes.
    fn plain(bytes: &[u8]) -> Self;

    /// The number whose lowest bits these are.
    fn truncate(bits: u64) -> Self;

    /// Appends the next values of a column in whatever encoding.
    fn decode(
        reader: &mut ColumnReader,
        rows: usize,
        out: &mut Vec<Self>,
    ) -> Result<(), ParquetError>;
}

impl Integer for i64 {
    const BYTES: usize = 8;

    fn plain(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().unwrap_or_default())
    }

    fn truncate(bits: u64) -> Self {
        bits.cast_signed()
    }

    fn decode(
        reader: &mut ColumnReader,
        rows: usize,
        out: &mut Vec<Self>,
    ) -> Result<(), ParquetError> {
        match reader {
            ColumnReader::Int64ColumnReader(reader) => decode(reader, rows, out),
            _ => Err(oops("expected an INT64 column")),
        }
    }
}

impl Integer for i32 {
    const BYTES: usize = 4;

    fn plain(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().unwrap_or_default())
    }

    #[expect(clippy::cast_possible_truncation, reason = "differences wrap around at 32 bits")]
    fn truncate(bits: u64) -> Self {
        (bits as u32).cast_signed()
    }

    fn decode(
        reader: &mut ColumnReader,
        rows: usize,
        out: &mut Vec<Self>,
    ) -> Result<(), ParquetError> {
        match reader {
            ColumnReader::Int32ColumnReader(reader) => decode(reader, rows, out),
            _ => Err(oops("expected an INT32 column")),
        }
    }
}

/// Appends the next values of a column by the Parquet library's own decoders.
fn decode<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    out: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    let end = out.len() + rows;
    out.reserve(rows.min(ROWS_BELIEVED));
    let mut levels = Vec::new();
    while out.len() < end {
        let missing = end - out.len();
        let (records, values, _) = reader.read_records(missing, Some(&mut levels), None, out)?;
        if values < records {
            return Err(oops("a row has no id"));
        }
        if records == 0 {
            return Err(oops("it ends before its last row"));
        }
        levels.clear();
    }
    Ok(())
}

/// What a file says of its rows is believed up to here before they are there; for more, memory
/// is taken as they come.
pub(crate) const ROWS_BELIEVED: usize = 1 << 21;

/// One column chunk that [`is_plain`], page by page.
pub(crate) struct IntegerReader {
    pages: SerializedPageReader<CountedFile>,
    /// Bytes of levels are in front of the values of a page, and say that all are there.
    levels: bool,
    rows: usize,
}

/// Appends one column of a row group, whatever its encoding.
pub(crate) fn read_column<T: Integer>(
    file: &SerializedFileReader<CountedFile>,
    source: &CountedFile,
    group: usize,
    column: usize,
    out: &mut Vec<T>,
) -> Result<(), ParquetError> {
    let row_group = file.metadata().row_group(group);
    let meta = row_group.column(column);
    let rows = usize::try_from(row_group.num_rows())?;
    if !is_plain(meta) {
        let mut reader = file.get_row_group(group)?.get_column_reader(column)?;
        return T::decode(&mut reader, rows, out);
    }
    IntegerReader::open(source, meta, rows)?.all(out)
}

/// The bytes that a column chunk takes in its file; none if they are not inside of it.
pub(crate) fn column_span(column: &ColumnChunkMetaData, file_len: u64) -> Option<(u64, u64)> {
    // Not `byte_range()`: it panics where the footer has a negative number.
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let start = u64::try_from(start).ok()?;
    let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
    (end <= file_len).then_some((start, end))
}

/// Whether a column can be read by [`IntegerReader`]: no nulls, no dictionary.
pub(crate) fn is_plain(column: &ColumnChunkMetaData) -> bool {
    let levels = (column.column_descr().max_def_level(), column.column_descr().max_rep_level());
    let nulls = column.statistics().and_then(Statistics::null_count_opt);
    let complete = levels == (0, 0) || levels == (1, 0) && nulls == Some(0);
    let known = |encoding| {
        use Encoding::{DELTA_BINARY_PACKED, PLAIN, RLE};
        matches!(encoding, PLAIN | DELTA_BINARY_PACKED | RLE)
    };
    complete && column.dictionary_page_offset().is_none() && column.encodings().all(known)
}

impl IntegerReader {
    /// Reads the bytes of a column chunk that [`is_plain`].
    pub(crate) fn open(
        file: &CountedFile,
        column: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<Self, ParquetError> {
        column_span(column, file.len())
            .ok_or_else(|| oops("its footer points outside of the file"))?;
        let levels = column.column_descr().max_def_level() > 0;
        let pages = SerializedPageReader::new(Arc::new(file.clone()), column, rows, None)?;
        Ok(Self { pages, levels, rows })
    }

    /// Passes over pages that have no more than `rows` rows together, without decompressing
    /// them; says how many rows they had.
    pub(crate) fn skip(&mut self, rows: usize) -> Result<usize, ParquetError> {
        let mut skipped = 0;
        while let Some(page) = self.pages.peek_next_page()? {
            let values = page.num_levels.or(page.num_rows).unwrap_or(usize::MAX);
            if values > rows - skipped {
                break;
            }
            self.pages.skip_next_page()?;
            skipped += values;
        }
        Ok(skipped)
    }

    /// Appends the values of the next page; false if there is none.
    pub(crate) fn page<T: Integer>(&mut self, out: &mut Vec<T>) -> Result<bool, ParquetError> {
        match self.pages.get_next_page()? {
            None => Ok(false),
            Some(page) => self.decode(&page, out).map(|()| true),
        }
    }

    /// Appends all values.
    pub(crate) fn all<T: Integer>(mut self, out: &mut Vec<T>) -> Result<(), ParquetError> {
        let end = out.len() + self.rows;
        out.reserve(self.rows.min(ROWS_BELIEVED));
        while out.len() < end && self.page(out)? {}
        if out.len() == end { Ok(()) } else { Err(oops("it has other than its rows")) }
    }

    fn decode<T: Integer>(&self, page: &Page, out: &mut Vec<T>) -> Result<(), ParquetError> {
        let mut bytes: &[u8] = page.buffer();
        if let Page::DictionaryPage { .. } = page {
            return Err(oops("it has a dictionary that its footer does not tell of"));
        }
        let values = page.num_values() as usize;
        if values > self.rows {
            return Err(oops("a page has more rows than its row group"));
        }
        let levels = match page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                (def_levels_byte_len + rep_levels_byte_len) as usize
            }
            _ if !self.levels => 0,
            _ => {
                let length =
                    bytes.first_chunk().map_or(usize::MAX, |l| u32::from_le_bytes(*l) as usize);
                length.saturating_add(4)
            }
        };
        bytes = bytes.get(levels..).ok_or_else(|| oops("a page ends within its levels"))?;
        match page.encoding() {
            Encoding::DELTA_BINARY_PACKED => delta::decode(bytes, values, out).map_err(oops),
            Encoding::PLAIN => plain(bytes, values, out),
            other => Err(oops(&format!("a page of integers is encoded as {other}"))),
        }
    }
}

fn plain<T: Integer>(bytes: &[u8], values: usize, out: &mut Vec<T>) -> Result<(), ParquetError> {
    let bytes = bytes.get(..values * T::BYTES).ok_or_else(|| oops("a page ends early"))?;
    out.extend(bytes.chunks_exact(T::BYTES).map(T::plain));
    Ok(())
}
