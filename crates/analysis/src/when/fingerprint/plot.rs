//! Counts to draw: positions against creation times, and the ages of accounts.

use std::ops::Range;

use jiff::Timestamp;

use super::Rows;

/// Columns and rows of a grid.
const COLUMNS: usize = 64;
const BINS: i64 = 32;

/// A year of an account's life, in seconds.
const YEAR: i64 = 31_556_952;

/// Members by position and creation time: 64 stretches of the list by 32 of time.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Positions of each column, the newest first.
    pub columns: Vec<Range<u32>>,
    /// Where each stretch of time begins, ascending, and at last where all end.
    pub edges: Vec<Timestamp>,
    /// How many members, by column and then by time.
    pub counts: Vec<Vec<u64>>,
}

/// One cell of a [`Grid`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The stretch of the list.
    pub positions: Range<u32>,
    /// When its accounts were made: from here,
    pub from: Timestamp,
    /// until here, which is not a part of it.
    pub until: Timestamp,
    /// How many there are.
    pub members: u64,
}

impl Grid {
    pub(super) fn of(rows: &Rows, until: Timestamp) -> Self {
        let oldest = rows.created.iter().copied().min().map_or(until, second);
        let span = (until.as_second() - oldest.as_second()).max(1) + 1;
        let edge = |bin: i64| {
            let after = bin * span / BINS;
            second(u32::try_from(oldest.as_second() + after).unwrap_or(u32::MAX))
        };
        let edges: Vec<Timestamp> = (0..=BINS).map(edge).collect();
        let bin = |created: u32| {
            let begun = edges.partition_point(|edge| *edge <= second(created));
            begun.saturating_sub(1).min(edges.len() - 2)
        };
        let all = rows.positions.last().map_or(0, |last| u64::from(*last) + 1);
        let columns = usize::try_from(all).unwrap_or(COLUMNS).min(COLUMNS);
        let start = |column: usize| {
            u32::try_from(all * column as u64 / columns.max(1) as u64).unwrap_or(u32::MAX)
        };
        let columns: Vec<Range<u32>> = (0..columns).map(|c| start(c)..start(c + 1)).collect();
        let mut counts = vec![vec![0; edges.len() - 1]; columns.len()];
        let mut column = 0;
        for (position, created) in rows.positions.iter().zip(&rows.created) {
            while columns[column].end <= *position {
                column += 1;
            }
            counts[column][bin(*created)] += 1;
        }
        Self { columns, edges, counts }
    }

    /// The cells that have members, by position and then by time.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        let columns = self.columns.iter().zip(&self.counts);
        columns.flat_map(|(positions, counts)| {
            let bins =
                counts.iter().zip(self.edges.windows(2)).filter(|(members, _)| **members > 0);
            bins.map(|(members, edges)| Cell {
                positions: positions.clone(),
                from: edges[0],
                until: edges[1],
                members: *members,
            })
        })
    }
}

/// Members by the age of their accounts when the list was read, in years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ages(pub Vec<u64>);

impl Ages {
    pub(super) fn of(rows: &Rows, at: Timestamp) -> Self {
        let mut years = Vec::new();
        for created in &rows.created {
            let age = (at.as_second() - i64::from(*created)).max(0) / YEAR;
            let year = usize::try_from(age).unwrap_or(0);
            if years.len() <= year {
                years.resize(year + 1, 0);
            }
            years[year] += 1;
        }
        Self(years)
    }
}

fn second(second: u32) -> Timestamp {
    Timestamp::from_second(second.into()).unwrap_or_default()
}
