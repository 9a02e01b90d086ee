//! Who of the watched accounts follows whom of them.

use std::collections::{BTreeMap, BTreeSet};

use analysis::edges_among;
use analysis::engine::Stream;
use serde::Serialize;
use snapshot::{AccountId, List};

use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::{counted, grouped};

/// Accounts that are drawn, at most: those with most ties.
const DRAWN: usize = 60;
/// Ties listed, at most.
const LISTED: usize = 400;

/// Who of the watched accounts follows whom of them, in the later run.
#[derive(Serialize)]
pub(crate) struct Network {
    /// Accounts by how many ties they have.
    pub(crate) nodes: Vec<Node>,
    pub(crate) mutual: u64,
    pub(crate) one_way: u64,
    /// Whether every list that could show a missing edge was read to its end.
    pub(crate) complete: bool,
    /// Mutual ties first.
    pub(crate) ties: Vec<Tie>,
}

#[derive(Serialize)]
pub(crate) struct Node {
    pub(crate) account: String,
    /// How many of the others follow it.
    pub(crate) followed_by: u64,
    /// How many of the others it follows.
    pub(crate) follows: u64,
}

/// An edge, or two that are each other's opposite.
#[derive(Serialize)]
pub(crate) struct Tie {
    /// Who follows.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Whether the other follows back.
    pub(crate) mutual: bool,
}

impl Network {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Option<Self>, Error> {
        if facts.accounts.len() < 2 {
            return Ok(None);
        }
        let edges = edges_among(&facts.later, &facts.accounts, &Stream)?;
        if edges.is_empty() {
            return Ok(None);
        }
        let there: BTreeSet<_> = edges.iter().copied().collect();
        let (mut ties, mut degrees) = (Vec::new(), BTreeMap::<AccountId, [u64; 2]>::new());
        for &(from, to) in &edges {
            degrees.entry(from).or_default()[1] += 1;
            degrees.entry(to).or_default()[0] += 1;
            let mutual = there.contains(&(to, from));
            if !mutual || from < to {
                ties.push(Tie { from: from.to_string(), to: to.to_string(), mutual });
            }
        }
        ties.sort_by_key(|tie| !tie.mutual);
        let mutual = ties.iter().filter(|tie| tie.mutual).count();
        let node = |account: &AccountId| {
            let [followed_by, follows] = degrees.get(account).copied().unwrap_or_default();
            Node { account: account.to_string(), followed_by, follows }
        };
        let mut nodes: Vec<_> = facts.accounts.iter().map(node).collect();
        nodes.sort_by_key(|node| std::cmp::Reverse(node.followed_by + node.follows));
        let complete = |list| {
            let read: BTreeSet<_> = facts
                .later
                .crawls(list)
                .filter(|crawl| crawl.state.is_complete())
                .map(|crawl| crawl.account)
                .collect();
            facts.accounts.iter().all(|account| read.contains(account))
        };
        Ok(Some(Self {
            nodes,
            mutual: mutual as u64,
            one_way: (ties.len() - mutual) as u64,
            complete: complete(List::Followers) || complete(List::Following),
            ties,
        }))
    }
}

impl Section for Network {
    const ID: &'static str = "network";
    const TITLE: &'static str = "Who of them follows whom";
    const TERM: &'static str = "tie";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let mut text = format!(
            "{} between the watched accounts, {} of them mutual.",
            counted(self.mutual + self.one_way, "tie"),
            grouped(self.mutual)
        );
        if !self.complete {
            text.push_str(" Not every list was read to its end, so there may be more.");
        }
        let drawn = &self.nodes[..self.nodes.len().min(DRAWN)];
        let place: BTreeMap<_, _> =
            drawn.iter().enumerate().map(|(i, node)| (node.account.as_str(), i)).collect();
        let ties: Vec<_> = self
            .ties
            .iter()
            .filter_map(|tie| {
                Some((*place.get(tie.from.as_str())?, *place.get(tie.to.as_str())?, tie.mutual))
            })
            .collect();
        let names: Vec<_> = drawn.iter().map(|node| labels.of(&node.account)).collect();
        let mut blocks = vec![Block::Text(text)];
        if drawn.len() < self.nodes.len() {
            blocks.push(Block::Text(format!(
                "Drawn are the {DRAWN} accounts with the most ties, of {}.",
                grouped(self.nodes.len() as u64)
            )));
        }
        blocks.push(Block::Chart(charts::network(&names, &ties)?));
        let row = |(i, node): (usize, &Node)| {
            let at = |key: &str| format!("/network/nodes/{i}/{key}");
            vec![
                Cell::name(labels.of(&node.account)),
                Cell::count(node.followed_by, at("followed_by")),
                Cell::count(node.follows, at("follows")),
            ]
        };
        let columns = vec![
            Column::text("account"),
            Column::of("followed by", "tie"),
            Column::of("follows", "tie"),
        ];
        let nodes = Table {
            caption: "How many of the other watched accounts".to_owned(),
            columns,
            rows: self.nodes.iter().enumerate().map(row).collect(),
            total: None,
        };
        let row = |tie: &Tie| {
            let how = if tie.mutual { "follow each other" } else { "follows" };
            vec![Cell::name(labels.of(&tie.from)), Cell::text(how), Cell::name(labels.of(&tie.to))]
        };
        let shown = self.ties.len().min(LISTED);
        let caption = if shown < self.ties.len() {
            format!("The first {shown} of {}", counted(self.ties.len() as u64, "tie"))
        } else {
            "Every tie".to_owned()
        };
        let ties = Table {
            caption,
            columns: ["one", "", "and the other"].map(Column::text).into_iter().collect(),
            rows: self.ties.iter().take(shown).map(row).collect(),
            total: None,
        };
        let tables = vec![Block::Table(nodes), Block::Table(ties)];
        blocks.push(Block::Details("The same as tables".to_owned(), tables));
        Ok(blocks)
    }
}
