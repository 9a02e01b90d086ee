//! The history of a store as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use jiff::Timestamp;
use snapshot::{HistoryCrawl, List, Spell, Values};

use super::answers::{counts, ids, optional, required};
use super::{Frame, Kind};
use crate::history::{Event, Explanation, Growth, Sight, Spike};

fn times(times: impl Iterator<Item = Option<Timestamp>>) -> Values {
    Values::Time(times.map(|time| time.map(Timestamp::as_microsecond)).collect())
}

fn words(words: impl Iterator<Item = &'static str>) -> Values {
    Values::Word(words.map(Some).collect())
}

fn whole(numbers: impl Iterator<Item = Option<u32>>) -> Values {
    Values::I64(numbers.map(|number| number.map(i64::from)).collect())
}

impl Frame {
    /// One row per list and period, in the order given.
    pub fn history(rows: &[Growth]) -> Self {
        let count =
            |name, f: fn(&Growth) -> u64| (required(name, Kind::Count), counts(rows.iter().map(f)));
        let ratio = |name, f: fn(&Growth) -> Option<f64>| {
            (optional(name, Kind::Ratio), Values::F64(rows.iter().map(f).collect()))
        };
        let time = |name, f: fn(&Growth) -> Timestamp| {
            (required(name, Kind::Time), times(rows.iter().map(|row| Some(f(row)))))
        };
        let run = Values::Text(rows.iter().map(|row| Some(row.run.to_string())).collect());
        let net = Values::I64(rows.iter().map(|row| Some(row.net())).collect());
        Self::new(
            "history",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|row| row.account))),
                (required("list", Kind::Text), words(rows.iter().map(|row| row.list.name()))),
                time("period", |row| row.period),
                count("crawls", |row| row.crawls.into()),
                count("complete", |row| row.complete.into()),
                (required("run", Kind::Text), run),
                time("started_at", |row| row.started_at),
                time("finished_at", |row| row.finished_at),
                count("opening", |row| row.opening),
                count("found", |row| row.found),
                count("gained", Growth::gained),
                count("new", |row| row.new),
                count("refollowed", |row| row.refollowed),
                count("reappeared", |row| row.reappeared),
                count("returned", |row| row.returned),
                count("lost", |row| row.lost),
                count("moved", |row| row.moved),
                (required("net", Kind::Count), net),
                count("closing", |row| row.closing),
                count("unknown", |row| row.unseen),
                ratio("growth", Growth::growth),
                ratio("churn", Growth::churn),
            ],
        )
    }

    /// One row per event of one list.
    pub fn history_events(list: List, events: &[Event]) -> Self {
        Self::new(
            "history_events",
            vec![
                (required("account_id", Kind::Id), ids(events.iter().map(|e| e.account))),
                (required("list", Kind::Text), words(events.iter().map(|_| list.name()))),
                (required("member_id", Kind::Id), ids(events.iter().map(|e| e.member))),
                (required("event", Kind::Text), words(events.iter().map(|e| e.kind.name()))),
                (
                    required("earliest", Kind::Time),
                    times(events.iter().map(|e| Some(e.when.earliest))),
                ),
                (required("latest", Kind::Time), times(events.iter().map(|e| Some(e.when.latest)))),
                (required("shown_by", Kind::Count), whole(events.iter().map(|e| Some(e.shown_by)))),
            ],
        )
    }

    /// One row per spell of one list; `crawls` are those of the history.
    pub fn history_spells(crawls: &[HistoryCrawl], list: List, spells: &[Spell]) -> Self {
        let crawl = |spell: &Spell, number: u32| {
            let key = (list, spell.account, number);
            let found = crawls.binary_search_by_key(&key, |c| (c.list, c.account, c.number));
            found.ok().map(|found| &crawls[found])
        };
        let from = spells.iter().map(|s| crawl(s, s.first_seen).map(|c| c.finished_at));
        let until = spells.iter().map(|s| crawl(s, s.last_seen).map(|c| c.started_at));
        let (from, until) = (times(from), times(until));
        let number = |f: fn(&Spell) -> Option<u32>| whole(spells.iter().map(f));
        let time = |f: fn(&Spell) -> Option<Timestamp>| times(spells.iter().map(f));
        Self::new(
            "history_spells",
            vec![
                (required("account_id", Kind::Id), ids(spells.iter().map(|s| s.account))),
                (required("list", Kind::Text), words(spells.iter().map(|_| list.name()))),
                (required("member_id", Kind::Id), ids(spells.iter().map(|s| s.member))),
                (required("began", Kind::Text), words(spells.iter().map(|s| s.began.name()))),
                (required("ended", Kind::Text), words(spells.iter().map(|s| s.ended.name()))),
                (optional("seen_from", Kind::Time), from),
                (optional("seen_until", Kind::Time), until),
                (required("first_seen", Kind::Count), number(|s| Some(s.first_seen))),
                (required("last_seen", Kind::Count), number(|s| Some(s.last_seen))),
                (optional("absent_before", Kind::Count), number(|s| s.absent_before)),
                (optional("absent_after", Kind::Count), number(|s| s.absent_after)),
                (required("position", Kind::Count), number(|s| Some(s.position))),
                (optional("followed_after", Kind::Time), time(|s| s.followed_after)),
                (optional("followed_before", Kind::Time), time(|s| s.followed_before)),
            ],
        )
    }

    /// One row per step at which a list lost far more than usual.
    pub fn history_spikes(spikes: &[Spike]) -> Self {
        let ratio =
            |f: fn(&Spike) -> f64| Values::F64(spikes.iter().map(|spike| Some(f(spike))).collect());
        let runs = spikes.iter().map(|spike| Some(spike.run.to_string())).collect();
        let even = Values::F64(spikes.iter().map(|spike| spike.evenness).collect());
        let looks = spikes.iter().map(Spike::looks_like_the_network).collect();
        let count = |f: fn(&Spike) -> u64| counts(spikes.iter().map(f));
        Self::new(
            "history_spikes",
            vec![
                (required("account_id", Kind::Id), ids(spikes.iter().map(|s| s.account))),
                (required("list", Kind::Text), words(spikes.iter().map(|s| s.list.name()))),
                (required("crawl", Kind::Count), count(|s| s.crawl.into())),
                (required("run", Kind::Text), Values::Text(runs)),
                (required("lost", Kind::Count), count(|s| s.lost)),
                (required("expected", Kind::Ratio), ratio(|s| s.expected)),
                (required("threshold", Kind::Ratio), ratio(|s| s.threshold)),
                (optional("evenness", Kind::Ratio), even),
                (required("others", Kind::Count), count(|s| s.others.into())),
                (required("others_with_spike", Kind::Count), count(|s| s.others_with_spike.into())),
                (optional("looks_like_the_network", Kind::Flag), Values::Bool(looks)),
            ],
        )
    }

    /// One row per list that had a member, and crawl of it.
    pub fn explanations(all: &[Explanation]) -> Self {
        let rows: Vec<_> = all.iter().flat_map(|e| e.crawls.iter().map(move |o| (e, o))).collect();
        let seen = |sight: Sight| match sight {
            Sight::Seen { position, page } => Some((position, page)),
            _ => None,
        };
        let pages = rows.iter().map(|(_, o)| seen(o.sight).and_then(|(_, page)| page));
        let pages: Vec<_> = pages.collect();
        let runs = rows.iter().map(|(_, o)| Some(o.crawl.run.to_string())).collect();
        let coverage = rows.iter().map(|(_, o)| Some(o.crawl.state.to_string())).collect();
        let time =
            |f: fn(&HistoryCrawl) -> Timestamp| times(rows.iter().map(|(_, o)| Some(f(&o.crawl))));
        Self::new(
            "explain",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|(e, _)| e.account))),
                (required("list", Kind::Text), words(rows.iter().map(|(e, _)| e.list.name()))),
                (required("member_id", Kind::Id), ids(rows.iter().map(|(e, _)| e.member))),
                (
                    required("crawl", Kind::Count),
                    whole(rows.iter().map(|(_, o)| Some(o.crawl.number))),
                ),
                (required("run", Kind::Text), Values::Text(runs)),
                (required("started_at", Kind::Time), time(|crawl| crawl.started_at)),
                (required("finished_at", Kind::Time), time(|crawl| crawl.finished_at)),
                (required("coverage", Kind::Text), Values::Text(coverage)),
                (required("sight", Kind::Text), words(rows.iter().map(|(_, o)| o.sight.name()))),
                (
                    optional("position", Kind::Count),
                    whole(rows.iter().map(|(_, o)| seen(o.sight).map(|(position, _)| position))),
                ),
                (
                    optional("page", Kind::Count),
                    whole(pages.iter().map(|page| page.map(|(page, _)| page))),
                ),
                (
                    optional("fetched_at", Kind::Time),
                    times(pages.iter().map(|page| page.map(|(_, at)| at))),
                ),
            ],
        )
    }
}
