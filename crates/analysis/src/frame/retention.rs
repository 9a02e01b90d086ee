//! Survival curves as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use jiff::Timestamp;
use snapshot::Values;

use super::answers::{counts, ids, optional, required, texts};
use super::{Frame, Kind};
use crate::history::ShortStay;
use crate::retention::{Cohort, RetentionCurves, Step};

impl Frame {
    /// One row per step of each curve. The context has how many stays are in no month's curve, or in
    /// none.
    pub fn retention(answers: &[RetentionCurves]) -> Self {
        let rows: Vec<(&RetentionCurves, &Cohort, &Step)> = answers
            .iter()
            .flat_map(|of| of.cohorts.iter().map(move |cohort| (of, cohort)))
            .flat_map(|(of, cohort)| cohort.curve.steps.iter().map(move |step| (of, cohort, step)))
            .collect();
        let names: Vec<String> = rows.iter().map(|(_, cohort, _)| cohort.name()).collect();
        let number = |of: fn(&Step) -> Option<f64>| {
            Values::F64(rows.iter().map(|(.., step)| of(step)).collect())
        };
        let sum = |of: fn(&RetentionCurves) -> u64| answers.iter().map(of).sum::<u64>().to_string();
        Self::new(
            "retention",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|(of, ..)| of.account))),
                (required("list", Kind::Text), texts(rows.iter().map(|(of, ..)| of.list.name()))),
                (required("cohort", Kind::Text), texts(names.iter().map(String::as_str))),
                (
                    required("members", Kind::Count),
                    counts(rows.iter().map(|(_, cohort, _)| cohort.curve.members)),
                ),
                (required("days", Kind::Ratio), number(|step| Some(step.days))),
                (optional("days_until", Kind::Ratio), number(|step| step.days_until)),
                (required("survival", Kind::Ratio), number(|step| Some(step.survival))),
                (required("lower", Kind::Ratio), number(|step| Some(step.lower))),
                (required("upper", Kind::Ratio), number(|step| Some(step.upper))),
                (
                    required("at_risk", Kind::Count),
                    counts(rows.iter().map(|(.., step)| step.at_risk)),
                ),
            ],
        )
        .with_context("undated", sum(|of| of.undated))
        .with_context("vague", sum(|of| of.vague))
        .with_context("short", sum(|of| of.short))
    }

    /// One row per stay that lasted a few days only.
    pub fn short_stays(stays: &[ShortStay]) -> Self {
        let time = |of: fn(&ShortStay) -> Timestamp| {
            Values::Time(stays.iter().map(|stay| Some(of(stay).as_microsecond())).collect())
        };
        let returned = Values::Bool(stays.iter().map(|stay| stay.was_followed_back).collect());
        Self::new(
            "short_stays",
            vec![
                (required("account_id", Kind::Id), ids(stays.iter().map(|stay| stay.account))),
                (required("member_id", Kind::Id), ids(stays.iter().map(|stay| stay.member))),
                (required("followed_after", Kind::Time), time(|stay| stay.followed.earliest)),
                (required("followed_before", Kind::Time), time(|stay| stay.followed.latest)),
                (required("left_after", Kind::Time), time(|stay| stay.left.earliest)),
                (required("left_before", Kind::Time), time(|stay| stay.left.latest)),
                (optional("was_followed_back", Kind::Flag), returned),
            ],
        )
    }
}
