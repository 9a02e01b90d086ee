//! What a store holds as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use jiff::Timestamp;
use snapshot::{Crawl, Manifest, Run, Values};

use super::answers::{counts, ids, optional, required, signed, texts};
use super::{Frame, Kind};

impl Frame {
    /// One row per run.
    pub fn runs(runs: &[Run]) -> Self {
        let manifests: Vec<&Manifest> = runs.iter().map(Run::manifest).collect();
        let count = |f: fn(&Manifest) -> u64| counts(manifests.iter().map(|m| f(m)));
        Self::new(
            "runs",
            vec![
                (required("run", Kind::Text), texts(manifests.iter().map(|m| m.run.as_str()))),
                (required("started_at", Kind::Time), times(&manifests, |m| m.started_at)),
                (required("finished_at", Kind::Time), times(&manifests, |m| m.finished_at)),
                (required("accounts", Kind::Count), count(|m| m.accounts)),
                (required("lists", Kind::Count), count(|m| m.crawls)),
                (required("complete", Kind::Count), count(|m| m.complete)),
                (required("rows", Kind::Count), count(|m| m.rows)),
                (required("bytes", Kind::Count), count(Manifest::bytes)),
            ],
        )
    }

    /// One row per list of a run.
    pub fn crawls(crawls: &[Crawl]) -> Self {
        let count = |f: fn(&Crawl) -> u64| counts(crawls.iter().map(f));
        let text = |f: fn(&Crawl) -> &str| texts(crawls.iter().map(f));
        let reported = crawls.iter().map(|c| c.reported_count.map(signed)).collect();
        Self::new(
            "crawls",
            vec![
                (required("account_id", Kind::Id), ids(crawls.iter().map(|c| c.account))),
                (required("list", Kind::Text), text(|c| c.list.name())),
                (required("source", Kind::Text), text(|c| &c.source)),
                (required("state", Kind::Text), text(|c| c.state.name())),
                (required("coverage", Kind::Text), text(|c| c.state.coverage_name())),
                (required("started_at", Kind::Time), times(crawls, |c| c.started_at)),
                (required("finished_at", Kind::Time), times(crawls, |c| c.finished_at)),
                (required("members", Kind::Count), count(|c| c.ids)),
                (required("duplicates", Kind::Count), count(|c| c.duplicates)),
                (required("pages", Kind::Count), count(|c| u64::from(c.pages))),
                (required("requests", Kind::Count), count(|c| u64::from(c.requests))),
                (optional("reported_count", Kind::Count), Values::I64(reported)),
            ],
        )
    }

    /// One row per list, state and coverage that a run has: how many lists came out that way,
    /// and what they hold together. Grouped and summed by polars.
    pub fn crawls_summary(crawls: &[Crawl]) -> Self {
        let crawls = Self::crawls(crawls);
        let index = |name| crawls.index(name).expect("a frame of crawls has these columns");
        let by = ["list", "state", "coverage"].map(index);
        let data = crawls.data.summed(&by, &["members", "duplicates"].map(index));
        Self {
            kind: "crawls_summary",
            context: Vec::new(),
            columns: vec![
                required("list", Kind::Text),
                required("state", Kind::Text),
                required("coverage", Kind::Text),
                required("lists", Kind::Count),
                required("members", Kind::Count),
                required("duplicates", Kind::Count),
            ],
            data: data.expect("a frame of crawls can be grouped"),
        }
    }
}

fn times<T>(rows: &[T], f: impl Fn(&T) -> Timestamp) -> Values {
    Values::Time(rows.iter().map(|row| Some(f(row).as_microsecond())).collect())
}
