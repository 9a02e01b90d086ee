//! The columns of `lookups.parquet`.

use super::{MEMBER_ID, Record, longs, rows, texts, time, times};
use crate::AccountId;
use crate::error::Error;
use crate::look_up::{LookUp, Outcome};
use crate::table::{Table, Typed};

impl Record for LookUp {
    const FILE: &'static str = "lookups.parquet";

    fn table(look_ups: &[Self]) -> Table {
        Table::default()
            .required(MEMBER_ID, longs(look_ups, |l| Some(l.member.get())))
            .required("looked_up_at", times(look_ups, |l| Some(l.looked_up_at)))
            .required("source", texts(look_ups, |l| Some(l.source.clone())))
            .required("outcome", texts(look_ups, |l| Some(l.outcome.name().to_owned())))
            .optional("username", texts(look_ups, |l| l.username.clone()))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let (member, at) = (columns.long(MEMBER_ID)?, columns.time("looked_up_at")?);
        let (source, outcome) = (columns.text("source")?, columns.text("outcome")?);
        let username = columns.text("username")?;
        let row = |i: usize| {
            Some(Self {
                member: AccountId::new(member[i]?)?,
                looked_up_at: time(at[i]?)?,
                source: source[i].clone()?,
                outcome: Outcome::from_name(outcome[i].as_deref()?)?,
                username: username[i].clone(),
            })
        };
        rows(columns.path, member.len(), row)
    }
}
