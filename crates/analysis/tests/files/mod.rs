//! Parquet files of ids, as other tools write them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use snapshot::{Table, TableStream, Values};

/// Ids of every size, ascending.
pub(crate) fn ids(count: usize, salt: u64) -> Vec<i64> {
    let mut state = salt;
    let mut found = BTreeSet::from([0, i64::MAX]);
    while found.len() < count {
        // Steele, Lea and Flood (2014).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        found.insert((z >> (1 + z % 40)).cast_signed());
    }
    found.into_iter().collect()
}

/// Some order in which nothing ascends for long.
pub(crate) fn mixed(ids: &[i64]) -> Vec<i64> {
    (0..1_009).flat_map(|first| ids.iter().skip(first).step_by(1_009)).rev().copied().collect()
}

pub(crate) fn write(folder: &Path, name: &str, column: &str, ids: &[i64]) -> PathBuf {
    let path = folder.join(format!("{name}.parquet"));
    let ids = Values::I64(ids.iter().copied().map(Some).collect());
    let table = Table::default().required(column, ids);
    let file = std::fs::File::create(&path).unwrap();
    let mut stream = TableStream::new(file, &table, &[]).unwrap();
    stream.append(&table).unwrap();
    stream.finish().unwrap();
    path
}
