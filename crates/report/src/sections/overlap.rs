//! Whose audiences overlap, whether chance explains it, and which few reach most.

use analysis::engine::Stream;
use analysis::{Cells, Chance, MAX_CELL_LISTS, Observation, Pair, chances, overlap, reach};
use serde::Serialize;

use super::ratio;
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table, Tile};
use crate::facts::{Facts, Labels};
use crate::text::{counted, grouped, probability};

/// Accounts up to which every pair is shown, and in a matrix.
const MATRIX: usize = 12;
/// Pairs shown of more.
const STRONGEST: usize = 100;
/// Accounts that are compared, at most: the largest.
const COMPARED: usize = 1000;
/// Accounts chosen by what they add.
const CHOSEN: usize = 10;
/// Cells of the plot.
const CELLS: usize = 30;
/// An adjusted probability below it is called significant.
const LEVEL: f64 = 0.05;

/// How lists overlap.
#[derive(Serialize)]
pub(crate) struct Audiences {
    pub(crate) lists: Vec<Listed>,
    /// Lists that were left out because there are too many.
    pub(crate) left_out: u64,
    /// Different members of all lists: the universe of the test.
    pub(crate) union: u64,
    /// Members counted once for each list they are in.
    pub(crate) memberships: u64,
    /// How many pairs there are, all of which were tested.
    pub(crate) all_pairs: u64,
    /// How many of them share more than chance explains, after Holm's adjustment.
    pub(crate) significant: u64,
    /// All, or the strongest by their Jaccard index.
    pub(crate) pairs: Vec<Both>,
    /// Accounts by what each adds to those before it.
    pub(crate) reach: Vec<Chosen>,
    /// How many exclusive cells have members; `None` where they were not counted.
    pub(crate) all_cells: Option<u64>,
    /// The largest of them.
    pub(crate) cells: Vec<Exclusive>,
}

#[derive(Serialize)]
pub(crate) struct Listed {
    pub(crate) account: String,
    pub(crate) members: u64,
    /// Whether the list was read to its end.
    pub(crate) complete: bool,
}

/// What two lists share.
#[derive(Serialize)]
pub(crate) struct Both {
    pub(crate) a: String,
    pub(crate) b: String,
    pub(crate) a_members: u64,
    pub(crate) b_members: u64,
    pub(crate) shared: u64,
    pub(crate) share_of_a: Option<f64>,
    pub(crate) share_of_b: Option<f64>,
    pub(crate) jaccard: Option<f64>,
    pub(crate) lift: Option<f64>,
    /// The decimal logarithm of the probability to share at least so many by chance.
    pub(crate) log10_p: f64,
    pub(crate) log10_p_adjusted: f64,
    /// Whether both lists were read to their end.
    pub(crate) exact: bool,
}

#[derive(Serialize)]
pub(crate) struct Chosen {
    pub(crate) account: String,
    pub(crate) added: u64,
    pub(crate) reached: u64,
    pub(crate) share: Option<f64>,
}

/// Members of exactly these lists.
#[derive(Serialize)]
pub(crate) struct Exclusive {
    pub(crate) accounts: Vec<String>,
    pub(crate) members: u64,
}

impl Audiences {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Option<Self>, Error> {
        let mut lists = facts.lists()?;
        let left_out = lists.len().saturating_sub(COMPARED) as u64;
        lists.truncate(COMPARED);
        if lists.len() < 2 {
            return Ok(None);
        }
        let counted = if lists.len() <= MAX_CELL_LISTS { Cells::Count } else { Cells::Skip };
        let answer = overlap(&lists, counted, &Stream)?;
        let reach = reach(&lists, CHOSEN, &Stream)?;
        let chances = chances(&answer, reach.union);
        let mut pairs: Vec<(Pair, Chance)> =
            answer.pairs().map(|(i, j)| answer.pair(i, j)).zip(chances).collect();
        let all_pairs = pairs.len() as u64;
        let is_significant = |(_, chance): &&(Pair, Chance)| chance.ln_p_adjusted < LEVEL.ln();
        let significant = pairs.iter().filter(is_significant).count() as u64;
        let strength = |pair: &Pair| pair.jaccard().unwrap_or(0.0);
        pairs.sort_by(|(one, _), (other, _)| strength(other).total_cmp(&strength(one)));
        if lists.len() > MATRIX {
            pairs.truncate(STRONGEST);
        }
        let id = |list: usize| lists[list].account().to_string();
        let mut cells = answer.cells.clone().unwrap_or_default();
        let all_cells = answer.cells.as_ref().map(|cells| cells.len() as u64);
        cells.sort_by_key(|cell| (std::cmp::Reverse(cell.members), cell.mask));
        cells.truncate(CELLS);
        Ok(Some(Self {
            lists: lists.iter().map(Listed::of).collect(),
            left_out,
            union: reach.union,
            memberships: lists.iter().map(Observation::len).sum(),
            all_pairs,
            significant,
            pairs: pairs.iter().map(|(pair, chance)| Both::of(pair, chance, &id)).collect(),
            reach: reach
                .steps
                .iter()
                .map(|step| Chosen {
                    account: id(step.list),
                    added: step.added,
                    reached: step.reached,
                    share: ratio(step.reached, reach.union),
                })
                .collect(),
            all_cells,
            cells: cells
                .iter()
                .map(|cell| Exclusive {
                    accounts: cell.lists().map(&id).collect(),
                    members: cell.members,
                })
                .collect(),
        }))
    }

    fn pair(&self, a: &str, b: &str) -> Option<(usize, &Both)> {
        let is_it = |pair: &Both| (pair.a == a && pair.b == b) || (pair.a == b && pair.b == a);
        self.pairs.iter().enumerate().find(|(_, pair)| is_it(pair))
    }
}

impl Listed {
    fn of(list: &Observation) -> Self {
        let account = list.account().to_string();
        Self { account, members: list.len(), complete: list.is_complete() }
    }
}

impl Both {
    fn of(pair: &Pair, chance: &Chance, id: &impl Fn(usize) -> String) -> Self {
        let log10 = |ln: f64| ln / std::f64::consts::LN_10;
        Self {
            a: id(pair.a),
            b: id(pair.b),
            a_members: pair.a_size,
            b_members: pair.b_size,
            shared: pair.intersection,
            share_of_a: ratio(pair.intersection, pair.a_size),
            share_of_b: ratio(pair.intersection, pair.b_size),
            jaccard: pair.jaccard(),
            lift: chance.lift,
            log10_p: log10(chance.ln_p),
            log10_p_adjusted: log10(chance.ln_p_adjusted),
            exact: pair.exact,
        }
    }
}

impl Section for Audiences {
    const ID: &'static str = "overlap";
    const TITLE: &'static str = "Whose audiences overlap";
    const TERM: &'static str = "jaccard";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let mut blocks = vec![Block::Tiles(self.tiles())];
        if self.left_out > 0 {
            blocks.push(Block::Text(format!(
                "The {} largest lists are compared; {} are left out.",
                grouped(self.lists.len() as u64),
                grouped(self.left_out)
            )));
        }
        let incomplete = self.lists.iter().filter(|list| !list.complete).count() as u64;
        if incomplete > 0 {
            blocks.push(Block::Text(format!(
                "{} not read to the end: counts of shared members are lower bounds there, and \
                 shares made of them may err either way.",
                counted(incomplete, "list")
            )));
        }
        if self.lists.len() <= MATRIX {
            blocks.push(Block::Heading("Share of a row’s members".to_owned(), "share-of-row"));
            blocks.push(Block::Table(self.matrix(labels, false)));
            blocks.push(Block::Heading("Jaccard index".to_owned(), "jaccard"));
            blocks.push(Block::Table(self.matrix(labels, true)));
        }
        blocks.push(Block::Heading("Beside what chance explains".to_owned(), "p"));
        blocks.push(Block::Text(format!(
            "If the members of one list were drawn blindly from the {} seen in any of these \
             lists, how likely would it share at least so many with the other? The probability p \
             is exact, one-sided, and adjusted for all {} pairs by Holm’s procedure. The real \
             universe is larger than what was seen, so lift is a lower bound, and p an upper one.",
            counted(self.union, "member"),
            grouped(self.all_pairs)
        )));
        blocks.push(Block::Table(self.ranking(labels)));
        blocks.push(Block::Heading("Reach together".to_owned(), "reach"));
        blocks.push(Block::Text(
            "Each account is the one that adds most to those above it. The first k reach at \
             least 63.2 % (1 − 1/e) of what the best choice of k accounts would."
                .to_owned(),
        ));
        blocks.push(Block::Table(self.reached(labels)));
        if !self.cells.is_empty() {
            blocks.push(Block::Heading("Exclusive combinations".to_owned(), "cell"));
            blocks.push(Block::Chart(self.plot(labels)?));
            let table = Block::Table(self.combinations(labels));
            blocks.push(Block::Details("The same as a table".to_owned(), vec![table]));
        }
        Ok(blocks)
    }
}

impl Audiences {
    fn tiles(&self) -> Vec<Tile> {
        let at = |field: &str| format!("/overlap/{field}");
        let tile = |label, term, cell, note: String| Tile { label, term, cell, note };
        vec![
            tile(
                "Reached",
                "reach",
                Cell::count(self.union, at("union")),
                format!("different members of {}", counted(self.lists.len() as u64, "list")),
            ),
            tile(
                "Memberships",
                "reach",
                Cell::count(self.memberships, at("memberships")),
                "a member of two lists counts twice".to_owned(),
            ),
            tile(
                "Beyond chance",
                "p",
                Cell::count(self.significant, at("significant")),
                format!("of {}, adjusted p < {LEVEL}", counted(self.all_pairs, "pair")),
            ),
        ]
    }

    fn matrix(&self, labels: &Labels, is_jaccard: bool) -> Table {
        let row = |one: &Listed| {
            let mut row = vec![Cell::name(labels.of(&one.account))];
            for other in &self.lists {
                let found = self.pair(&one.account, &other.account);
                row.push(match found {
                    None => Cell::text("·"),
                    Some((i, pair)) => {
                        let (share, key) = match pair.a == one.account {
                            _ if is_jaccard => (pair.jaccard, "jaccard"),
                            true => (pair.share_of_a, "share_of_a"),
                            false => (pair.share_of_b, "share_of_b"),
                        };
                        Cell::share(share, format!("/overlap/pairs/{i}/{key}")).heated(share)
                    }
                });
            }
            row
        };
        let mut columns = vec![Column::text("account")];
        columns.extend(self.lists.iter().map(|list| Column::name(labels.of(&list.account))));
        let caption = if is_jaccard {
            "Jaccard index of each pair: shared by all members of either"
        } else {
            "Of the members of the row’s list, the share that is in the column’s list too"
        };
        Table {
            caption: caption.to_owned(),
            columns,
            rows: self.lists.iter().map(row).collect(),
            total: None,
        }
    }

    fn ranking(&self, labels: &Labels) -> Table {
        let row = |(i, pair): (usize, &Both)| {
            let at = |key: &str| format!("/overlap/pairs/{i}/{key}");
            let at_least = if pair.exact { "" } else { "≥ " };
            let mut shared = Cell::count(pair.shared, at("shared"));
            shared.text.insert_str(0, at_least);
            vec![
                Cell::name(labels.of(&pair.a)),
                Cell::name(labels.of(&pair.b)),
                shared,
                Cell::share(pair.share_of_a, at("share_of_a")),
                Cell::share(pair.share_of_b, at("share_of_b")),
                Cell::share(pair.jaccard, at("jaccard")),
                Cell::number(pair.lift, |lift| format!("{lift:.2}"), at("lift")),
                Cell::number(Some(pair.log10_p), probability, at("log10_p")),
                Cell::number(Some(pair.log10_p_adjusted), probability, at("log10_p_adjusted")),
            ]
        };
        let columns = vec![
            Column::text("one"),
            Column::text("and the other"),
            Column::of("shared", "shared"),
            Column::of("of one", "share-of-row"),
            Column::of("of the other", "share-of-row"),
            Column::of("Jaccard", "jaccard"),
            Column::of("lift", "lift"),
            Column::of("p", "p"),
            Column::of("p, adjusted", "p"),
        ];
        let shown = self.pairs.len() as u64;
        let caption = if shown < self.all_pairs {
            format!("The {shown} strongest of {} by Jaccard index", counted(self.all_pairs, "pair"))
        } else {
            "All pairs, strongest first by Jaccard index".to_owned()
        };
        Table {
            caption,
            columns,
            rows: self.pairs.iter().enumerate().map(row).collect(),
            total: None,
        }
    }

    fn reached(&self, labels: &Labels) -> Table {
        let row = |(i, chosen): (usize, &Chosen)| {
            let at = |key: &str| format!("/overlap/reach/{i}/{key}");
            vec![
                Cell::name(labels.of(&chosen.account)),
                Cell::change(chosen.added, true, at("added")),
                Cell::count(chosen.reached, at("reached")),
                Cell::share(chosen.share, at("share")),
            ]
        };
        let columns = vec![
            Column::text("account"),
            Column::of("adds", "reach"),
            Column::of("reached so far", "reach"),
            Column::of("of all", "reach"),
        ];
        Table {
            caption: "Accounts by how many members each adds".to_owned(),
            columns,
            rows: self.reach.iter().enumerate().map(row).collect(),
            total: None,
        }
    }

    fn combinations(&self, labels: &Labels) -> Table {
        let row = |(i, cell): (usize, &Exclusive)| {
            let names: Vec<_> = cell.accounts.iter().map(|id| labels.of(id)).collect();
            let at = format!("/overlap/cells/{i}/members");
            vec![Cell::name(names.join(", ")), Cell::count(cell.members, at)]
        };
        let all = self.all_cells.unwrap_or(0);
        let shown = self.cells.len() as u64;
        let caption = if shown < all {
            format!("The {shown} largest of {} combinations", grouped(all))
        } else {
            "Members of exactly these lists, and of no other".to_owned()
        };
        Table {
            caption,
            columns: vec![Column::text("exactly these"), Column::of("members", "cell")],
            rows: self.cells.iter().enumerate().map(row).collect(),
            total: None,
        }
    }

    fn plot(&self, labels: &Labels) -> Result<charts::Chart, Error> {
        let sets: Vec<_> =
            self.lists.iter().map(|list| (labels.of(&list.account), list.members)).collect();
        let place = |id: &String| self.lists.iter().position(|list| list.account == *id);
        let cells: Vec<(Vec<usize>, u64)> = self
            .cells
            .iter()
            .map(|cell| (cell.accounts.iter().filter_map(place).collect(), cell.members))
            .collect();
        charts::upset(&sets, &cells, self.all_cells.unwrap_or(0))
    }
}
