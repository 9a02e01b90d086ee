//! What the report rests on: runs, crawls and their coverage, costs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use snapshot::{AccountId, Crawl, Run};

use crate::Error;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::{clean, counted, grouped, moment};

/// What the report rests on.
#[derive(Serialize)]
pub(crate) struct About {
    /// The program that made the report.
    pub(crate) tool: String,
    pub(crate) version: String,
    pub(crate) list: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<RunOf>,
    pub(crate) after: RunOf,
    pub(crate) accounts: Vec<Account>,
    /// Accounts that only the earlier run asked for.
    pub(crate) only_before: Vec<String>,
    /// Accounts that only the later run asked for.
    pub(crate) only_after: Vec<String>,
}

/// A run.
#[derive(Serialize)]
pub(crate) struct RunOf {
    pub(crate) run: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) tool: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Of the lists in this report.
    pub(crate) lists: u64,
    pub(crate) complete: u64,
    pub(crate) pages: u64,
    pub(crate) requests: u64,
    /// Millionths of a dollar; `None` if no list says what it cost.
    pub(crate) cost_micro_usd: Option<i64>,
}

/// An account, and how its list was read.
#[derive(Serialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) before: Option<Read>,
    pub(crate) after: Option<Read>,
}

/// How a list was read.
#[derive(Serialize)]
pub(crate) struct Read {
    pub(crate) state: String,
    pub(crate) coverage: &'static str,
    pub(crate) order: &'static str,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) ids: u64,
    /// The profile's own counter.
    pub(crate) reported: Option<u64>,
    /// By how many the counter exceeds the ids, which may be less than none.
    pub(crate) shortfall: Option<i64>,
}

impl About {
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        let crawls = |run: Option<&analysis::RunObservations>| -> BTreeMap<AccountId, Crawl> {
            let crawls = run.into_iter().flat_map(|run| run.crawls(facts.list));
            crawls.map(|crawl| (crawl.account, crawl.clone())).collect()
        };
        let (before, after) = (crawls(facts.earlier.as_ref()), crawls(Some(&facts.later)));
        let account = |id: &AccountId| {
            let profile = facts.profiles.get(id);
            Account {
                id: id.to_string(),
                username: profile.and_then(|p| p.username.as_deref()).map(clean),
                name: profile.and_then(|p| p.name.as_deref()).map(clean),
                before: before.get(id).map(Read::of),
                after: after.get(id).map(Read::of),
            }
        };
        let ids = |of: &[AccountId]| of.iter().map(AccountId::to_string).collect();
        let run = |run: &Run, crawls: &BTreeMap<AccountId, Crawl>| {
            let both = facts.accounts.iter().chain(&facts.only_before);
            RunOf::of(run, both.filter_map(|account| crawls.get(account)))
        };
        Self {
            tool: "followgraph".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            list: facts.list.name(),
            before: facts.before.map(|of| run(of, &before)),
            after: run(facts.after, &after),
            accounts: facts.accounts.iter().chain(&facts.only_before).map(account).collect(),
            only_before: ids(&facts.only_before),
            only_after: ids(&facts.only_after),
        }
    }

    /// What the report is called.
    pub(crate) fn title(&self) -> String {
        let list = if self.list == "followers" { "Followers" } else { "Following" };
        match self.accounts.as_slice() {
            [only] => match &only.username {
                Some(name) => format!("{list} of @{name}"),
                None => format!("{list} of account {}", only.id),
            },
            several => format!("{list} of {}", counted(several.len() as u64, "account")),
        }
    }

    /// What time it is about.
    pub(crate) fn subtitle(&self) -> String {
        let until = moment(self.after.finished_at);
        match &self.before {
            Some(before) => format!("{} to {until}", moment(before.started_at)),
            None => format!("As of {until}"),
        }
    }

    /// In a sentence, what must be known before any number is believed.
    pub(crate) fn warning(&self) -> Option<String> {
        let sides = |account: &Account| [&account.before, &account.after].map(Option::is_some);
        let reads = self.accounts.iter().flat_map(|a| a.before.iter().chain(&a.after));
        let partial = reads.clone().filter(|read| read.coverage != "complete").count();
        let asked = self.accounts.iter().flat_map(sides).filter(|is_there| *is_there).count();
        (partial > 0).then(|| {
            format!(
                "{} of {} were not read to their end. Where one of them did not look, nobody is \
                 called gained or lost, but unknown; what is known of it is below.",
                grouped(partial as u64),
                counted(asked as u64, "list")
            )
        })
    }
}

impl RunOf {
    fn of<'a>(run: &Run, crawls: impl Iterator<Item = &'a Crawl>) -> Self {
        let manifest = run.manifest();
        let parameters = manifest.parameters.iter().map(|(key, value)| (clean(key), clean(value)));
        let mut of = Self {
            run: run.id().to_string(),
            started_at: manifest.started_at,
            finished_at: manifest.finished_at,
            tool: clean(&format!("{} {}", manifest.tool.name, manifest.tool.version)),
            parameters: parameters.collect(),
            lists: 0,
            complete: 0,
            pages: 0,
            requests: 0,
            cost_micro_usd: None,
        };
        for crawl in crawls {
            of.lists += 1;
            of.complete += u64::from(crawl.state.is_complete());
            of.pages += u64::from(crawl.pages);
            of.requests += u64::from(crawl.requests);
            if let Some(cost) = crawl.cost_micro_usd {
                of.cost_micro_usd = Some(of.cost_micro_usd.unwrap_or(0).saturating_add(cost));
            }
        }
        of
    }
}

impl Read {
    fn of(crawl: &Crawl) -> Self {
        let shortfall = crawl.reported_count.filter(|_| crawl.state.is_complete());
        let shortfall = shortfall.map(|n| {
            n.saturating_sub(crawl.ids).cast_signed() - crawl.ids.saturating_sub(n).cast_signed()
        });
        Self {
            state: crawl.state.to_string(),
            coverage: crawl.state.coverage_name(),
            order: crawl.order.name(),
            started_at: crawl.started_at,
            finished_at: crawl.finished_at,
            ids: crawl.ids,
            reported: crawl.reported_count,
            shortfall,
        }
    }
}

impl Section for About {
    const ID: &'static str = "about";
    const TITLE: &'static str = "What this rests on";
    const TERM: &'static str = "coverage";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let how = vec![Block::Table(self.parameters())];
        let mut blocks = vec![
            Block::Table(self.runs()),
            Block::Table(self.reads(labels)),
            Block::Details("How the runs were made".to_owned(), how),
        ];
        for (ids, which) in [(&self.only_before, "earlier"), (&self.only_after, "later")] {
            if !ids.is_empty() && self.before.is_some() {
                let shown: Vec<_> = ids.iter().take(20).map(|id| labels.of(id)).collect();
                let more = ids.len() - shown.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                blocks.push(Block::Text(format!(
                    "Only in the {which} run, so not compared: {}{more}.",
                    shown.join(", ")
                )));
            }
        }
        Ok(blocks)
    }
}

impl About {
    fn runs(&self) -> Table {
        let row = |(key, run): (&str, &RunOf)| {
            let at = |field: &str| format!("/about/{key}/{field}");
            vec![
                Cell::text(run.run.clone()),
                Cell::text(moment(run.started_at)),
                Cell::text(moment(run.finished_at)),
                Cell::count(run.lists, at("lists")),
                Cell::count(run.complete, at("complete")),
                Cell::count(run.requests, at("requests")),
                Cell::dollars(run.cost_micro_usd, at("cost_micro_usd")),
                Cell::text(run.tool.clone()),
            ]
        };
        let before = self.before.as_ref().map(|run| ("before", run));
        let rows = before.into_iter().chain([("after", &self.after)]).map(row).collect();
        let columns = vec![
            Column::text("run"),
            Column::text("began"),
            Column::text("ended"),
            Column::number("lists"),
            Column::of("complete", "coverage"),
            Column::number("requests"),
            Column::of("cost", "cost"),
            Column::text("made by"),
        ];
        Table { caption: "The runs compared".to_owned(), columns, rows, total: None }
    }

    fn parameters(&self) -> Table {
        let runs = self.before.iter().chain([&self.after]);
        let rows = runs.flat_map(|run| {
            let row = |(key, value): (&String, &String)| {
                vec![Cell::text(run.run.clone()), Cell::name(key), Cell::name(value)]
            };
            run.parameters.iter().map(row).collect::<Vec<_>>()
        });
        Table {
            caption: "Parameters of the runs".to_owned(),
            columns: ["run", "parameter", "value"].map(Column::text).into_iter().collect(),
            rows: rows.collect(),
            total: None,
        }
    }

    fn reads(&self, labels: &Labels) -> Table {
        let has_before = self.before.is_some();
        let row = |(i, account): (usize, &Account)| {
            let mut row = vec![
                Cell::name(labels.of(&account.id)),
                Cell::name(account.name.clone().unwrap_or_default()),
                Cell::text(account.id.clone()),
            ];
            let sides = [("before", &account.before), ("after", &account.after)];
            for (key, read) in sides.into_iter().filter(|(key, _)| has_before || *key == "after") {
                let at = |field: &str| format!("/about/accounts/{i}/{key}/{field}");
                let Some(read) = read else {
                    row.extend(["not asked for", "–", "–", "–"].map(Cell::text));
                    continue;
                };
                row.extend([
                    Cell::text(read.state.clone()),
                    Cell::count(read.ids, at("ids")),
                    Cell::maybe_count(read.reported, at("reported")),
                    read.shortfall.map_or_else(
                        || Cell::none(at("shortfall")),
                        |n| Cell::signed(n, at("shortfall")),
                    ),
                ]);
            }
            row
        };
        let mut columns = vec![Column::text("account"), Column::text("name"), Column::text("id")];
        for which in if has_before { &["earlier ", "later "][..] } else { &[""] } {
            columns.extend([
                Column { term: Some("coverage"), ..Column::text(format!("{which}coverage")) },
                Column::number(format!("{which}ids")),
                Column::of(format!("{which}counter"), "counter"),
                Column::of(format!("{which}shortfall"), "counter"),
            ]);
        }
        let rows = self.accounts.iter().enumerate().map(row).collect();
        Table { caption: "How each list was read".to_owned(), columns, rows, total: None }
    }
}
