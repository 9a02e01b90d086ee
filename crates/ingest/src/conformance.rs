//! What every source promises, as a suite that any of them can be put through.
//!
//! The caller knows the truth: an account, its list, how it should come out. Whatever the
//! network is, the suite must pass before the rest of this crate may lean on a source.

use std::collections::HashSet;

use snapshot::{AccountId, List, State};

use crate::source::{Detail, Page, PageRequest, Source, Trouble, Who};
use crate::{AccountRef, Username};

/// What is true in the world that a source shows.
#[derive(Clone, Debug)]
pub struct Truth {
    /// An account whose list can be seen.
    pub account: AccountId,
    /// What it is called.
    pub name: Username,
    /// Which of its lists.
    pub list: List,
    /// Who is in it, newest first; long enough for three pages of `page_size`.
    pub members: Vec<AccountId>,
    /// The page size to ask for.
    pub page_size: u32,
    /// An account that does not exist.
    pub missing: AccountId,
    /// What asking for the missing account's list must be answered with.
    pub missing_states: Vec<State>,
}

/// Puts a source through the suite.
///
/// # Errors
/// Says which promise it did not keep, and how.
pub async fn check(source: &dyn Source, truth: &Truth) -> Result<(), String> {
    let whole = pages_chain_to_the_whole_list(source, truth).await?;
    cursors_move_towards_older_follows(&whole)?;
    a_page_can_be_asked_for_again(source, truth, &whole).await?;
    the_page_size_changes_nothing(source, truth).await?;
    a_list_that_is_not_there_is_not_empty(source, truth).await?;
    profiles_are_found_by_id_and_by_name(source, truth).await?;
    the_clock_agrees_with_the_pages(source, &whole)
}

async fn fetch(source: &dyn Source, request: &PageRequest) -> Result<Page, String> {
    source.page(request).await.map_err(|e| format!("{source} refused {request:?}: {e:?}"))
}

fn first(truth: &Truth) -> PageRequest {
    PageRequest {
        account: truth.account,
        list: truth.list,
        cursor: None,
        page_size: truth.page_size,
        profiles: false,
    }
}

async fn read(source: &dyn Source, mut request: PageRequest) -> Result<Vec<Page>, String> {
    let mut pages = Vec::new();
    loop {
        let page = fetch(source, &request).await?;
        request.cursor.clone_from(&page.next);
        pages.push(page);
        if request.cursor.is_none() {
            return Ok(pages);
        }
        if pages.len() > 10_000 {
            return Err("the list does not end".to_owned());
        }
    }
}

fn ids(pages: &[Page]) -> Vec<AccountId> {
    let mut seen = HashSet::new();
    let all = pages.iter().flat_map(|page| &page.ids).copied();
    all.filter(|id| seen.insert(*id)).collect()
}

async fn pages_chain_to_the_whole_list(
    source: &dyn Source,
    truth: &Truth,
) -> Result<Vec<Page>, String> {
    let pages = read(source, first(truth)).await?;
    ensure(pages.len() >= 3, || format!("{} pages are too few to tell", pages.len()))?;
    let full = usize::try_from(truth.page_size).unwrap_or(usize::MAX);
    let longest = pages.iter().map(|page| page.ids.len()).max().unwrap_or(0);
    ensure(longest <= full, || format!("a page of {longest} rows where {full} were asked for"))?;
    let got = ids(&pages);
    ensure(got == truth.members, || {
        format!("the pages hold {got:?}, the list is {:?}", truth.members)
    })?;
    Ok(pages)
}

fn cursors_move_towards_older_follows(pages: &[Page]) -> Result<(), String> {
    let mut seen = HashSet::new();
    let cursors = pages.iter().filter_map(|page| page.next.as_ref());
    let again = cursors.into_iter().find(|cursor| !seen.insert(*cursor));
    ensure(again.is_none(), || format!("the cursor {again:?} came twice"))?;
    let times: Vec<_> = pages.iter().filter_map(|page| page.boundary).collect();
    ensure(times.is_sorted_by(|a, b| a >= b), || format!("the boundaries go back: {times:?}"))
}

async fn a_page_can_be_asked_for_again(
    source: &dyn Source,
    truth: &Truth,
    pages: &[Page],
) -> Result<(), String> {
    let request = PageRequest { cursor: pages[0].next.clone(), ..first(truth) };
    let again = fetch(source, &request).await?;
    let same = (&again.ids, &again.next) == (&pages[1].ids, &pages[1].next);
    ensure(same, || format!("the second page was {:?}, then {again:?}", pages[1]))
}

async fn the_page_size_changes_nothing(source: &dyn Source, truth: &Truth) -> Result<(), String> {
    let whole = PageRequest { page_size: source.page_size_max(), ..first(truth) };
    let got = ids(&read(source, whole).await?);
    ensure(got == truth.members, || format!("large pages hold {got:?}"))
}

async fn a_list_that_is_not_there_is_not_empty(
    source: &dyn Source,
    truth: &Truth,
) -> Result<(), String> {
    let request = PageRequest { account: truth.missing, ..first(truth) };
    match source.page(&request).await {
        Err(e) => match e.trouble {
            Trouble::Target(state) if truth.missing_states.contains(&state) => Ok(()),
            _ => Err(format!("the list of a missing account was answered with {e:?}")),
        },
        Ok(page) => Err(format!("a missing account has a list: {page:?}")),
    }
}

async fn profiles_are_found_by_id_and_by_name(
    source: &dyn Source,
    truth: &Truth,
) -> Result<(), String> {
    let (ids, names) = ([truth.account, truth.missing], [truth.name.clone()]);
    for who in [Who::Ids(&ids), Who::Names(&names)] {
        let lookup =
            source.profiles(who, Detail::Brief).await.map_err(|e| format!("{who:?}: {e:?}"))?;
        let found: Vec<_> = lookup.found.iter().map(|found| found.profile.account).collect();
        ensure(found == [truth.account], || format!("{who:?} found {found:?}"))?;
        let name = lookup.found[0].profile.username.as_deref().unwrap_or_default();
        ensure(truth.name.is(name), || format!("{} is called {name}", truth.account))?;
        let missing = AccountRef::Id(truth.missing);
        let known = lookup.absent.iter().all(|(account, _)| *account == missing);
        ensure(known, || format!("{:?} were not asked for", lookup.absent))?;
    }
    Ok(())
}

fn the_clock_agrees_with_the_pages(source: &dyn Source, pages: &[Page]) -> Result<(), String> {
    let times: Vec<_> = pages.iter().map(|page| page.fetched_at).collect();
    ensure(times.is_sorted(), || format!("pages arrived before each other: {times:?}"))?;
    let (last, now) = (times.last().copied(), source.now());
    ensure(last.is_some_and(|last| last <= now), || format!("it is {now}, pages came {times:?}"))
}

fn ensure(kept: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if kept { Ok(()) } else { Err(otherwise()) }
}
