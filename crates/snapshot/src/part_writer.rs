//! Writes sorted rows as parts: Parquet files of bounded size with small row groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::error::{At, Error};
use crate::fs::HashedFile;
use crate::manifest::FileEntry;
use crate::sort::Row;
use crate::{List, schema, table};

/// Rows in a row group: small enough that one account among thousands costs about a
/// megabyte to find, large enough that headers do not count.
pub(crate) const ROW_GROUP_ROWS: usize = 1 << 17;

/// Rows in a part: at the measured 6 to 8 bytes a row about 100 MB.
pub(crate) const PART_ROWS: u64 = 1 << 24;

/// Writes the rows of one list into `folder/list=NAME/part-NNNNN.parquet`.
pub(crate) struct PartWriter {
    list: List,
    base: PathBuf,
    properties: WriterPropertiesPtr,
    part: Option<Part>,
    group: Group,
    finished: Vec<FileEntry>,
}

struct Part {
    path: PathBuf,
    writer: SerializedFileWriter<HashedFile>,
    rows: u64,
    checksums: Vec<u32>,
}

#[derive(Default)]
struct Group {
    accounts: Vec<i64>,
    members: Vec<i64>,
    positions: Vec<i32>,
}

impl PartWriter {
    pub(crate) fn new(run_folder: &Path, list: List) -> Result<Self, Error> {
        let folder = run_folder.join(format!("list={list}"));
        std::fs::create_dir_all(&folder).at("create", &folder)?;
        let version = crate::FORMAT_VERSION.to_string();
        let metadata = [(schema::FORMAT_KEY, version.as_str()), ("followgraph.list", list.name())];
        let ascending =
            |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
        let properties = table::properties(&metadata)
            .set_dictionary_enabled(false)
            .set_encoding(table::DELTA)
            // Positions by member look like dice: there is nothing left in them to compress, and
            // to find that out again costs every reader a third of their decoding.
            .set_column_compression(ColumnPath::from(schema::POSITION), Compression::UNCOMPRESSED)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_sorting_columns(Some(vec![ascending(0), ascending(1)]))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        Ok(Self {
            list,
            base: run_folder.to_owned(),
            properties: Arc::new(properties),
            part: None,
            group: Group::default(),
            finished: Vec::new(),
        })
    }

    /// Takes the next row; rows must come in order.
    pub(crate) fn push(&mut self, row: Row) -> Result<(), Error> {
        self.group.accounts.push(row.account);
        self.group.members.push(row.member);
        self.group.positions.push(row.position);
        if self.group.accounts.len() == ROW_GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut part = match self.part.take() {
            Some(part) => part,
            None => self.open()?,
        };
        let rows = self.group.accounts.len() as u64;
        if rows > 0 {
            let checksum = self.group.write(&mut part.writer).at("write", &part.path)?;
            part.checksums.push(checksum);
        }
        part.rows += rows;
        self.group = Group::default();
        if part.rows < PART_ROWS {
            self.part = Some(part);
            return Ok(());
        }
        self.close(part)
    }

    fn open(&self) -> Result<Part, Error> {
        let name = format!("list={}/part-{:05}.parquet", self.list, self.finished.len());
        let path = self.base.join(name);
        let file = HashedFile::create(&path)?;
        let schema = schema::list_rows();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::clone(&self.properties))
            .at("write", &path)?;
        end_section(&mut writer).at("write", &path)?;
        Ok(Part { path, writer, rows: 0, checksums: Vec::new() })
    }

    fn close(&mut self, part: Part) -> Result<(), Error> {
        let checksum = part.writer.into_inner().at("write", &part.path)?.finish(&part.path)?;
        let entry = FileEntry::new(&self.base, &part.path, checksum, part.rows);
        self.finished.push(FileEntry { row_groups: part.checksums, ..entry });
        Ok(())
    }

    /// Ends the list. A list without rows still has one part, so that every reader finds
    /// its columns.
    pub(crate) fn finish(mut self) -> Result<Vec<FileEntry>, Error> {
        if !self.group.accounts.is_empty() || (self.part.is_none() && self.finished.is_empty()) {
            self.flush()?;
        }
        if let Some(part) = self.part.take() {
            self.close(part)?;
        }
        crate::fs::sync_folder(&self.base.join(format!("list={}", self.list)))?;
        Ok(self.finished)
    }
}

impl Group {
    fn write(&self, file: &mut SerializedFileWriter<HashedFile>) -> Result<u32, ParquetError> {
        let mut group = file.next_row_group()?;
        for _ in 0..3 {
            let mut column = group.next_column()?.ok_or_else(|| table::oops("no such column"))?;
            match column.untyped() {
                ColumnWriter::Int32ColumnWriter(w) => w.write_batch(&self.positions, None, None)?,
                ColumnWriter::Int64ColumnWriter(w) => {
                    let is_account = w.get_descriptor().name() == schema::ACCOUNT_ID;
                    let values = if is_account { &self.accounts } else { &self.members };
                    w.write_batch(values, None, None)?
                }
                _ => return Err(table::oops("an unexpected column type")),
            };
            column.close()?;
        }
        group.close()?;
        end_section(file)
    }
}

/// The checksum of the bytes since the last call: the file's magic, then one row group each.
fn end_section(file: &mut SerializedFileWriter<HashedFile>) -> Result<u32, ParquetError> {
    file.flush()?;
    Ok(file.inner_mut().end_section())
}
