//! Brings the history that a store keeps up to date with its runs.
//!
//! Runs are taken in their order, those that are new and no others. The spells are read once and
//! written once for all of them together; of each new run the lists are read three times, or once
//! into memory where they are not long, and so is the crawl that their order is compared with.
//!
//! Short lists are worked on side by side, long ones range of ids by range of ids. Beyond what is
//! in work, which is bounded, a list takes 4 bytes a member and new run, and some 40 bytes a
//! member while its order is compared, of the longest list alone, and only where lists are in
//! order of time. Of many new runs only so many are taken at a time that a quarter of the
//! [memory](crate::memory) is enough for that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use rayon::prelude::*;
use snapshot::{
    AccountId, Began, History, HistoryCrawl, HistoryLock, HistoryWriter, Kept, List, Run, RunId,
    Spell, SpellFile, Store,
};

use super::evidence::{Evidence, anchor, held};
use super::fold::{Counts, Look, apply};
use crate::in_order::in_order;
use crate::observation::{ALL_IDS, Lists};
use crate::{Error, Observation, RunObservations, limits};

/// What an update did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// How many runs were added.
    pub added: usize,
    /// Why all runs were read again, if a history was there and of no use.
    pub rebuilt: Option<String>,
}

/// Brings the history of a store up to date, and answers it.
///
/// Same as making it anew from all runs, in whatever portions they came. If it is damaged, of
/// another version, or contains what the store has not, it is made anew. Waits while another
/// process does the same.
///
/// # Errors
/// If a run cannot be read, or the store cannot be written to; then it has the history that it
/// had.
pub fn update(store: &Store) -> Result<(History, Updated), Error> {
    update_by(store, Portions { runs: 64, rows: 1 << 20 })
}

/// How much is taken at a time.
#[derive(Clone, Copy)]
pub(super) struct Portions {
    /// Runs, of which the files are open.
    pub(super) runs: usize,
    /// Rows of accounts that are worked on side by side; one with more is by ranges of ids.
    pub(super) rows: u64,
}

/// The same, in portions.
pub(super) fn update_by(store: &Store, most: Portions) -> Result<(History, Updated), Error> {
    // A store that needs no update may be one that cannot be written to.
    let (runs, kept, rebuilt) = look(store)?;
    if let Some(history) = kept
        && history.runs().len() == runs.len()
    {
        return Ok((history, Updated { added: 0, rebuilt }));
    }
    let lock = store.lock_history()?;
    let (runs, mut kept, rebuilt) = look(store)?;
    let mut included = kept.as_ref().map_or(0, |history| history.runs().len());
    let updated = Updated { added: runs.len() - included, rebuilt };
    while included < runs.len() || kept.is_none() {
        let portion = open(&runs[included..], most.runs)?;
        included += portion.len();
        write(store, &lock, kept.as_ref(), &portion, &runs[..included], most.rows)?;
        let Kept::Whole(history) = store.history()? else {
            return Err(Error::damaged("the history that was just written cannot be read"));
        };
        kept = Some(history);
    }
    let history = kept.ok_or_else(|| Error::damaged("there is no history"))?;
    Ok((history, updated))
}

/// What a store has: runs, a history, and what is wrong with that.
type Found = (Vec<Run>, Option<History>, Option<String>);

/// The runs with lists; the history that they go on from, or why the one that is there is of no
/// use.
fn look(store: &Store) -> Result<Found, Error> {
    let mut runs = store.runs()?;
    runs.retain(|run| run.manifest().has_lists());
    Ok(match store.history()? {
        Kept::Nothing => (runs, None, None),
        Kept::Unusable(why) => (runs, None, Some(why)),
        Kept::Whole(history) => match out_of_step(&history, &runs) {
            None => (runs, Some(history), None),
            Some(why) => (runs, None, Some(why)),
        },
    })
}

/// Why a history does not go on with these runs, if it does not.
fn out_of_step(history: &History, runs: &[Run]) -> Option<String> {
    let mut runs = runs.iter().map(Run::id);
    for known in history.runs() {
        match runs.next() {
            Some(run) if run == *known => {}
            Some(run) if run < *known => {
                return Some(format!("run {run} came, which is older than others in it"));
            }
            _ => return Some(format!("run {known} is not in the store any more")),
        }
    }
    None
}

/// Opens as many of these runs as can be taken at a time, one at least.
fn open(runs: &[Run], most: usize) -> Result<Vec<RunObservations>, Error> {
    let mut opened = Vec::new();
    let mut bytes = 0;
    for run in runs.iter().take(most) {
        let run = RunObservations::open(run)?;
        let crawls = List::ALL.into_iter().flat_map(|list| run.crawls(list));
        bytes += 4 * crawls.map(|crawl| crawl.ids).max().unwrap_or(0);
        if !opened.is_empty() && bytes > limits::memory() / 4 {
            break;
        }
        opened.push(run);
    }
    Ok(opened)
}

/// Accounts that are worked on side by side.
const SIDE_BY_SIDE: usize = 256;

fn write(
    store: &Store,
    lock: &HistoryLock,
    kept: Option<&History>,
    new: &[RunObservations],
    runs: &[Run],
    most_rows: u64,
) -> Result<(), Error> {
    let ids: Vec<RunId> = runs.iter().map(Run::id).collect();
    let mut out = HistoryWriter::begin(store, &ids)?;
    let mut crawls = Vec::new();
    let mut older = Older { store, opened: HashMap::new() };
    for list in List::ALL {
        let spells = kept.and_then(|history| history.spells(list));
        let mut weights: BTreeMap<AccountId, u64> = BTreeMap::new();
        for crawl in kept.iter().flat_map(|history| history.crawls()).filter(|c| c.list == list) {
            weights.insert(crawl.account, crawl.closing);
        }
        for crawl in new.iter().flat_map(|run| run.crawls(list)) {
            *weights.entry(crawl.account).or_default() += crawl.ids;
        }
        if weights.is_empty() {
            continue;
        }
        out.begin_list(list)?;
        let mut old = Sweep { file: spells, next: 0, rows: Vec::new() };
        let mut lists: Vec<_> = new.iter().map(|run| Taking::new(run, list)).collect();
        for chunk in chunks(&weights, most_rows) {
            let mut jobs = Vec::new();
            let mut of_runs =
                lists.iter_mut().map(|run| run.take(&chunk)).collect::<Result<Vec<_>, _>>()?;
            for account in &chunk {
                let known =
                    kept.map_or(&[][..], |history| history.crawls_of(*account, list)).to_vec();
                let pending: Vec<_> = new
                    .iter()
                    .zip(&mut of_runs)
                    .filter_map(|(run, lists)| Some((run.run(), lists.remove(account)?)))
                    .collect();
                let first = pending.iter().any(|(_, list)| list.crawl().state.coverage().is_some());
                let anchor = if first { older.anchor(&known, *account, list)? } else { None };
                jobs.push(Job { account: *account, list, known, pending, anchor });
            }
            if let [job] = &mut jobs[..]
                && weights[&job.account] > most_rows
            {
                crawls.extend(job.by_ranges(spells, &mut out)?);
                continue;
            }
            let with_spells = jobs.into_iter().map(|job| Ok((old.of(job.account)?, job)));
            let with_spells = with_spells.collect::<Result<Vec<_>, Error>>()?;
            let done = with_spells
                .into_par_iter()
                .with_max_len(1)
                .map(|(spells, mut job)| job.at_once(spells));
            for (spells, of_account) in done.collect::<Result<Vec<_>, Error>>()? {
                out.push(spells)?;
                crawls.extend(of_account);
            }
        }
    }
    Ok(out.publish(lock, &crawls)?)
}

/// Accounts in portions of bounded weight, each of one account at least.
fn chunks(weights: &BTreeMap<AccountId, u64>, most: u64) -> Vec<Vec<AccountId>> {
    let mut chunks: Vec<Vec<AccountId>> = Vec::new();
    let mut rows = u64::MAX;
    for (account, weight) in weights {
        rows = rows.saturating_add(*weight);
        match chunks.last_mut() {
            Some(chunk) if rows <= most && chunk.len() < SIDE_BY_SIDE => chunk.push(*account),
            _ => {
                chunks.push(vec![*account]);
                rows = *weight;
            }
        }
    }
    chunks
}

/// The lists of one run, account by account.
struct Taking<'a> {
    asked: BTreeSet<AccountId>,
    lists: Lists<'a>,
}

impl<'a> Taking<'a> {
    fn new(run: &'a RunObservations, list: List) -> Self {
        let accounts = run.accounts(list);
        let lists = run.lists(list, &accounts);
        Self { asked: accounts.into_iter().collect(), lists }
    }

    /// Those of some accounts that the run asked for, which must ascend from call to call.
    fn take(&mut self, accounts: &[AccountId]) -> Result<HashMap<AccountId, Observation>, Error> {
        let asked = accounts.iter().filter(|account| self.asked.contains(account)).copied();
        let asked: Vec<_> = asked.collect();
        Ok(asked.iter().copied().zip(self.lists.take(&asked)?).collect())
    }
}

/// Runs that are in the history already, opened when they are asked for.
struct Older<'a> {
    store: &'a Store,
    opened: HashMap<RunId, RunObservations>,
}

impl Older<'_> {
    /// The crawl that the next one is compared with.
    fn anchor(
        &mut self,
        known: &[HistoryCrawl],
        account: AccountId,
        list: List,
    ) -> Result<Option<(u32, Observation)>, Error> {
        let Some((number, run)) = anchor(known) else { return Ok(None) };
        if !self.opened.contains_key(&run) {
            self.opened.insert(run, RunObservations::open(&self.store.run(run)?)?);
        }
        Ok(Some((number, self.opened[&run].of(account, list)?)))
    }
}

/// The spells that are there, account by account in ascending order.
struct Sweep<'a> {
    file: Option<&'a SpellFile>,
    next: usize,
    /// Those of the row groups read last that were not handed over.
    rows: Vec<Spell>,
}

impl Sweep<'_> {
    fn of(&mut self, account: AccountId) -> Result<Vec<Spell>, Error> {
        let Some(file) = self.file else { return Ok(Vec::new()) };
        let groups = file.groups_of(account, &ALL_IDS);
        self.next = self.next.max(groups.start);
        self.rows.retain(|spell| spell.account >= account);
        while self.next < groups.end {
            let rows = file.group(self.next)?;
            self.rows.extend(rows.into_iter().filter(|spell| spell.account >= account));
            self.next += 1;
        }
        let end = self.rows.partition_point(|spell| spell.account <= account);
        Ok(self.rows.drain(..end).collect())
    }
}

/// What there is to do for one list of one account.
struct Job {
    account: AccountId,
    list: List,
    known: Vec<HistoryCrawl>,
    pending: Vec<(RunId, Observation)>,
    /// The crawl that the first of them is compared with.
    anchor: Option<(u32, Observation)>,
}

impl Job {
    fn at_once(&mut self, spells: Vec<Spell>) -> Result<(Vec<Spell>, Vec<HistoryCrawl>), Error> {
        let evidence = self.evidence()?;
        let (spells, counts) = self.fold(&evidence, spells, &ALL_IDS)?;
        Ok((spells, self.told(&evidence, &counts)?))
    }

    fn by_ranges(
        &mut self,
        spells: Option<&SpellFile>,
        out: &mut HistoryWriter,
    ) -> Result<Vec<HistoryCrawl>, Error> {
        let evidence = self.evidence()?;
        let mut counts = vec![Counts::default(); self.pending.len()];
        let fold = |range: Range<i64>| {
            let spells =
                spells.map_or_else(|| Ok(Vec::new()), |file| file.of(self.account, &range))?;
            self.fold(&evidence, spells, &range)
        };
        in_order(self.ranges(spells), fold, |found: Result<(Vec<Spell>, Vec<Counts>), Error>| {
            let (spells, some) = found?;
            counts.iter_mut().zip(&some).for_each(|(all, some)| all.add(some));
            Ok::<_, Error>(out.push(spells)?)
        })?;
        self.told(&evidence, &counts)
    }

    /// Ranges of ids that cost about the same.
    fn ranges(&self, spells: Option<&SpellFile>) -> Vec<Range<i64>> {
        let mut cuts = spells.map_or_else(Vec::new, |file| file.cuts(self.account));
        let longest = self.pending.iter().map(|(_, list)| list).max_by_key(|list| list.len());
        if let Some(longest) = longest {
            let others = longest.cuts();
            if others.len() > cuts.len() {
                cuts = others;
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts.retain(|cut| *cut > ALL_IDS.start && *cut < ALL_IDS.end);
        let starts = std::iter::once(ALL_IDS.start).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([ALL_IDS.end]);
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// What each of the new crawls proves; `None` for one that was not read. Adds them to those
    /// that are known, without counts.
    fn evidence(&mut self) -> Result<Vec<Option<Evidence>>, Error> {
        let mut found = Vec::new();
        let mut compared = self.anchor.take();
        if let Some((number, list)) = compared {
            compared = Some((number, held(list)?));
        }
        for (run, list) in &mut self.pending {
            let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
            let is_read = list.crawl().state.coverage().is_some();
            let mut evidence = None;
            if is_read {
                *list = held(list.clone())?;
                evidence = Some(Evidence::of(list, &self.known, compared.as_ref())?);
            }
            self.known.push(entry(*run, number, list, evidence.as_ref()));
            if anchor(&self.known).is_some_and(|(with, _)| with == number) {
                compared = Some((number, list.clone()));
            }
            found.push(evidence);
        }
        Ok(found)
    }

    /// The spells of a range of ids after all new crawls, and what each of them changed in it.
    fn fold(
        &self,
        evidence: &[Option<Evidence>],
        mut spells: Vec<Spell>,
        range: &Range<i64>,
    ) -> Result<(Vec<Spell>, Vec<Counts>), Error> {
        let mut all = Vec::new();
        let first = self.known.len() - self.pending.len();
        for (index, ((_, list), evidence)) in self.pending.iter().zip(evidence).enumerate() {
            let mut counts = Counts::default();
            if let Some(evidence) = evidence {
                let (members, positions) = rows(list, range)?;
                let look = Look { evidence, crawls: &self.known[..=first + index] };
                spells = apply(&spells, &members, &positions, look, &mut counts);
            }
            all.push(counts);
        }
        Ok((spells, all))
    }

    /// The crawls of the list, now that the new ones are counted.
    fn told(
        &self,
        evidence: &[Option<Evidence>],
        counts: &[Counts],
    ) -> Result<Vec<HistoryCrawl>, Error> {
        let mut crawls = self.known.clone();
        let first = crawls.len() - self.pending.len();
        for (index, (((_, list), counts), evidence)) in
            self.pending.iter().zip(counts).zip(evidence).enumerate()
        {
            if evidence.is_some() {
                list.check(counts.rows)?;
            }
            let at = first + index;
            let opening = at.checked_sub(1).map_or(0, |before| crawls[before].closing);
            let crawl = &mut crawls[at];
            let began = |one: Began| {
                Began::ALL.iter().zip(counts.began).find(|(b, _)| **b == one).map_or(0, |(_, n)| n)
            };
            crawl.opening = opening;
            crawl.found = began(Began::FirstLook);
            crawl.new = began(Began::New);
            crawl.refollowed = began(Began::Refollowed);
            crawl.reappeared = began(Began::Reappeared);
            crawl.returned = began(Began::Returned);
            crawl.lost = counts.lost;
            crawl.moved = counts.moved;
            crawl.closing = (opening + crawl.found + crawl.gained()).saturating_sub(counts.lost);
        }
        debug_assert!(crawls.iter().all(|crawl| crawl.list == self.list));
        Ok(crawls)
    }
}

fn entry(run: RunId, number: u32, list: &Observation, evidence: Option<&Evidence>) -> HistoryCrawl {
    let crawl = list.crawl();
    HistoryCrawl {
        account: crawl.account,
        list: crawl.list,
        number,
        run,
        state: crawl.state,
        covered_since: crawl.covered_since,
        started_at: crawl.started_at,
        finished_at: crawl.finished_at,
        ids: crawl.ids,
        order: evidence.map_or("not_read", |evidence| evidence.order).to_owned(),
        compared_with: evidence.and_then(|evidence| evidence.compared).map(|(with, _)| with),
        head: evidence.and_then(|evidence| evidence.compared).map(|(_, head)| head),
        opening: 0,
        found: 0,
        new: 0,
        refollowed: 0,
        reappeared: 0,
        returned: 0,
        lost: 0,
        moved: 0,
        closing: 0,
    }
}

/// The rows of a list with ids in a range.
fn rows(list: &Observation, range: &Range<i64>) -> Result<(Vec<i64>, Vec<i32>), Error> {
    let mut reading = list.reading(range.clone(), true);
    let (mut members, mut positions) = (Vec::new(), Vec::new());
    while let Some(last) = reading.last_at_hand()? {
        reading.read_to(last);
        members.extend_from_slice(reading.rows().members);
        positions.extend_from_slice(reading.rows().positions);
    }
    Ok((members, positions))
}
