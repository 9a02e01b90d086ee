//! Where the unfinished jobs of a store stand, for whoever comes back to them.
//!
//! Reads the journals and takes no lock, so it can be asked while a job is at work: what that
//! one is just writing is the next answer's. A journal that is damaged is named as such and
//! hides none of the others.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use snapshot::{AccountId, Store};

use crate::journal::record::Started;
use crate::journal::{Journals, ListState, Owner, State};
use crate::pace::{Heard, Window};
use crate::source::Call;
use crate::{Error, SourceKind, publish, windows};

/// The version of what [`Status`] looks like when it is serialized.
const SCHEMA_VERSION: u32 = 1;

/// Where the unfinished jobs of a store stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The version of this form.
    pub schema_version: u32,
    /// When it was so.
    pub at: Timestamp,
    /// Who is at work in the store, if anybody is.
    pub running: Option<Owner>,
    /// The unfinished jobs, oldest first.
    pub jobs: Vec<JobStatus>,
    /// Journals that cannot be read.
    pub damaged: Vec<DamagedJournal>,
}

/// Where one job stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JobStatus {
    /// The name of its journal.
    pub name: String,
    /// How to go on with it, as a person types it.
    pub command: String,
    /// When it was begun, by the network's clock.
    pub began: Timestamp,
    /// Times that somebody went on with it.
    pub sessions: u32,
    /// The last thing that its journal has a time of, by the network's clock.
    pub last_activity: Timestamp,
    /// Whether it is the job that [`Status::running`] is at work on.
    pub running: bool,
    /// Lists it has, as far as it has been told.
    pub lists_wanted: u64,
    /// Lists that are done with.
    pub lists_finished: u64,
    /// Lists that have been begun and are not done with.
    pub lists_in_progress: u64,
    /// Lists that have not been begun.
    pub lists_not_begun: u64,
    /// Each of those in progress.
    pub lists: Vec<ListStatus>,
    /// Members that vanished and have been looked up, for jobs of look-ups.
    pub looked_up: u64,
    /// Requests so far, look-ups and those that failed included.
    pub requests: u64,
    /// What it has cost so far, in millionths of a US dollar; none without a price.
    pub cost_micro_usd: Option<i64>,
    /// Endpoints that cannot be asked yet: as far as is known, no credential has units left.
    pub waiting: Vec<WindowStatus>,
    /// When there is something to go on with: at once, unless every endpoint that is known of
    /// has to wait.
    pub goes_on_at: Timestamp,
}

/// Where a list in progress stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListStatus {
    /// Whose; a string when serialized.
    #[serde(serialize_with = "as_string")]
    pub account: AccountId,
    /// The handle, without `@`, if it is known.
    pub username: Option<String>,
    /// `followers` or `following`.
    pub list: &'static str,
    /// Pages that are kept.
    pub pages: u32,
    /// Rows that are kept.
    pub ids: u64,
    /// The profile's own counter.
    pub reported: Option<u64>,
    /// How much of that is there; none for a head refresh, whose end is not known.
    pub percent: Option<f64>,
    /// Requests so far, those that failed included.
    pub requests: u32,
    /// What it has cost, in millionths of a US dollar; none without a price.
    pub cost_micro_usd: Option<i64>,
    /// When its last page came.
    pub last_page_at: Option<Timestamp>,
    /// The follow time that has been reached, if the network reveals one.
    pub boundary: Option<Timestamp>,
    /// What was wrong since its last page, if something was.
    pub trouble: Option<String>,
}

/// An endpoint that cannot be asked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WindowStatus {
    /// Its name.
    pub endpoint: String,
    /// When the first credential can ask it again, by this machine's clock.
    pub until: Timestamp,
}

/// A journal that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DamagedJournal {
    /// Its name.
    pub name: String,
    /// What is the matter.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Tells where the unfinished jobs of a store stand. Takes no lock and changes nothing.
///
/// # Errors
/// If the store cannot be listed.
pub fn status(store: &Store) -> Result<Status, Error> {
    status_at(store, Timestamp::now())
}

fn status_at(store: &Store, now: Timestamp) -> Result<Status, Error> {
    let journals = Journals::of(store);
    let (running, saved) = (journals.owner(), windows::saved(&journals));
    let (mut jobs, mut damaged) = (Vec::new(), Vec::new());
    let done = publish::published(store, &journals)?;
    for name in journals.names()?.into_iter().filter(|name| !done.contains(name)) {
        let error = match journals.state(&name) {
            Ok(Some(state)) => {
                jobs.push(job(name, &state, running.as_ref(), &saved, now));
                continue;
            }
            // It holds nothing yet, and the next job clears it away if it stays so.
            Ok(None) => continue,
            // It was finished while we looked.
            Err(_) if !journals.folder().join(&name).exists() => continue,
            Err(error) => error,
        };
        let cause = std::error::Error::source(&error);
        damaged.push(DamagedJournal {
            name,
            error: cause.map_or(error.to_string(), |cause| format!("{error}: {cause}")),
            hint: error.way_out().map(str::to_owned),
        });
    }
    Ok(Status { schema_version: SCHEMA_VERSION, at: now, running, jobs, damaged })
}

fn job(
    name: String,
    state: &State,
    owner: Option<&Owner>,
    saved: &[Heard],
    now: Timestamp,
) -> JobStatus {
    let begun = state.lists.len() as u64;
    let finished = state.lists.values().filter(|list| list.ended.is_some()).count() as u64;
    let wanted = state.wanted.max(begun);
    // A session stands in the journal after its look-ups only; until then its command tells.
    let is_ours =
        |owner: &Owner| state.pid == Some(owner.pid) || state.began.command == owner.command;
    let in_progress = state.lists.iter().filter(|(_, list)| list.ended.is_none());
    let (waiting, goes_on_at) = waiting(state, saved, now);
    JobStatus {
        name,
        command: state.began.command.clone(),
        began: state.began.at,
        sessions: state.sessions,
        last_activity: last_activity(state),
        running: owner.is_some_and(is_ours),
        lists_wanted: wanted,
        lists_finished: finished,
        lists_in_progress: begun - finished,
        lists_not_begun: wanted - begun,
        lists: in_progress.map(|(_, list)| of_list(state, list)).collect(),
        looked_up: state.checked.len() as u64,
        requests: state.requests(),
        cost_micro_usd: state.cost(),
        waiting,
        goes_on_at,
    }
}

fn of_list(state: &State, list: &ListState) -> ListStatus {
    let (started, last) = (&list.started, list.last.as_ref());
    let profile = state.accounts.profiles.get(&started.key.account);
    let whole = started.reported.filter(|_| started.known_run.is_none());
    ListStatus {
        account: started.key.account,
        username: profile.and_then(|profile| profile.username.clone()),
        list: started.key.list.name(),
        pages: list.pages,
        ids: list.rows,
        reported: started.reported,
        percent: whole.map(|whole| percent(list.rows, whole)),
        requests: list.requests,
        cost_micro_usd: list.cost,
        last_page_at: last.map(|last| last.fetched_at),
        boundary: last.and_then(|last| last.boundary),
        trouble: list.why.clone(),
    }
}

/// Counters lag behind lists, so there may be more than all; that is shown as all.
fn percent(ids: u64, whole: u64) -> f64 {
    if ids >= whole { 100.0 } else { ids as f64 * 100.0 / whole as f64 }
}

fn last_activity(state: &State) -> Timestamp {
    let of_list = |list: &ListState| {
        let last = list.last.as_ref().map(|last| last.fetched_at);
        let ended = list.ended.as_ref().map(|ended| ended.at);
        [Some(list.started.at), last, ended]
    };
    let lists = state.lists.values().flat_map(of_list).flatten();
    let checked = state.checked.values().copied();
    lists.chain(checked).chain(state.last_session).fold(state.began.at, Timestamp::max)
}

/// The endpoints that this job has asked and that cannot be asked now, and when there is one
/// that can, of those that its lists still need. Times are by this machine's clock.
fn waiting(state: &State, saved: &[Heard], here: Timestamp) -> (Vec<WindowStatus>, Timestamp) {
    let ahead = state.ahead.unwrap_or_default();
    let now = here.checked_add(ahead).unwrap_or(here);
    let mut endpoints: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for ((credential, endpoint), heard) in &state.heard {
        let others =
            saved.iter().filter(|o| o.credential == *credential && o.endpoint == *endpoint);
        let open = opens(heard.iter().chain(others), now);
        let first = endpoints.entry(endpoint).or_insert(open);
        *first = open.min(*first);
    }
    let by_our_clock = |at: Timestamp| at.checked_sub(ahead).unwrap_or(at);
    let needed = state.lists.values().filter(|list| list.ended.is_none());
    let needed: HashSet<_> = needed.map(|list| endpoint_of(&list.started)).collect();
    // An endpoint that has not been asked is open as far as is known.
    let opens = |endpoint: &&str| endpoints.get(*endpoint).copied().unwrap_or(now);
    let goes_on_at = needed.iter().map(opens).min().map_or(here, by_our_clock);
    let shut = endpoints.into_iter().filter(|(_, until)| *until > now);
    let shut = shut.map(|(endpoint, until)| WindowStatus {
        endpoint: endpoint.to_owned(),
        until: by_our_clock(until),
    });
    (shut.collect(), goes_on_at)
}

/// The name of the endpoint that gives a list's pages.
fn endpoint_of(started: &Started) -> &'static str {
    let kind = started.source.parse::<SourceKind>().unwrap_or_default();
    kind.endpoint(Call::Page(started.key.list)).0
}

/// When a bucket of which this was heard has a unit again. Of two windows of a family the
/// later one counts, and within one window the smaller number.
fn opens<'a>(heard: impl Iterator<Item = &'a Heard>, now: Timestamp) -> Timestamp {
    let mut known: Vec<Window> = Vec::new();
    for window in heard.map(Heard::window) {
        match known.iter_mut().find(|other| other.family == window.family) {
            None => known.push(window),
            Some(other) if other.reset < window.reset => *other = window,
            Some(other) if other.reset == window.reset => {
                other.remaining = other.remaining.min(window.remaining);
            }
            Some(_) => {}
        }
    }
    let used_up = known.iter().filter(|window| window.remaining == 0);
    used_up.map(|window| window.reset).fold(now, Timestamp::max)
}

/// An id as JSON can hold it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(crate) fn as_string<S: Serializer>(id: &AccountId, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;
    use crate::journal::Journal;
    use crate::journal::record::{
        End, Ended, GaveUp, ListKey, LookedUp, Page, Record, Session, Started,
    };
    use snapshot::{List, Profile};

    const FINGERPRINT: &str = "0011aabb";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn key(account: u32) -> ListKey {
        ListKey { account: AccountId::from(account), list: List::Followers }
    }

    fn started(account: u32, reported: u64) -> Record {
        Record::Started(Started {
            key: key(account),
            at: at(20),
            source: "x_v2".to_owned(),
            page_size: 1000,
            profiles: false,
            known_run: None,
            reads_on: false,
            reported: Some(reported),
        })
    }

    fn page(account: u32, ids: u32, heard: Vec<Heard>) -> Record {
        Record::Page(Page {
            key: key(account),
            page: 0,
            cursor: None,
            next: Some("more".to_owned()),
            fetched_at: at(30),
            boundary: Some(at(-5000)),
            requests: 2,
            cost_micro_usd: Some(i64::from(ids) * 10_000),
            heard,
            meeting: None,
            profiles: Vec::new(),
            problems: None,
            ids: (0..ids).map(AccountId::from).collect(),
        })
    }

    fn heard(endpoint: &str, remaining: u32, reset: i64) -> Heard {
        Heard {
            credential: FINGERPRINT.to_owned(),
            endpoint: endpoint.to_owned(),
            family: Family::QuarterHour,
            limit: Some(300),
            remaining,
            reset: at(reset),
        }
    }

    fn store() -> (tempfile::TempDir, Store, Journals) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let journals = Journals::of(&store);
        (folder, store, journals)
    }

    /// A job of four lists: one done, one in progress, one in trouble, one not begun.
    async fn begin(journals: &Journals, command: &str, second: i64) -> Journal {
        let journal = journals.begin("0123456789abcdef", command, at(second)).unwrap();
        let mut profile = Profile::unknown(AccountId::from(2), at(10));
        profile.username = Some("two".to_owned());
        let records = [
            Record::LookedUp(LookedUp {
                asked: vec!["@two".to_owned()],
                found: vec![profile],
                absent: Vec::new(),
                requests: 1,
                cost_micro_usd: Some(10_000),
                heard: Vec::new(),
            }),
            Record::Session(Session {
                at: at(15),
                here: at(15),
                pid: std::process::id(),
                lists: 4,
            }),
            started(1, 0),
            Record::Ended(Ended {
                key: key(1),
                at: at(25),
                how: End::Complete,
                requests: 1,
                detail: None,
            }),
            started(2, 400),
            page(2, 100, vec![heard("users/:id/followers", 0, 900)]),
            started(3, 50),
            Record::GaveUp(GaveUp {
                key: key(3),
                at: at(40),
                detail: Some("503".to_owned()),
                requests: 7,
            }),
        ];
        for record in records {
            journal.append(record).await.unwrap();
        }
        journal
    }

    #[tokio::test]
    async fn a_job_tells_how_far_it_is_and_when_it_can_go_on() {
        let (_folder, store, journals) = store();
        let lock = journals.lock("followgraph snapshot @two").unwrap();
        begin(&journals, "followgraph snapshot @two", 0).await;
        let status = status_at(&store, at(100)).unwrap();
        assert_eq!(status.running.as_ref().map(|owner| owner.pid), Some(std::process::id()));
        let job = &status.jobs[0];
        assert!(job.running);
        assert_eq!((job.lists_wanted, job.lists_finished), (4, 1));
        assert_eq!((job.lists_in_progress, job.lists_not_begun), (2, 1));
        assert_eq!((job.requests, job.cost_micro_usd), (11, Some(1_010_000)));
        assert_eq!((job.began, job.sessions, job.last_activity), (at(0), 1, at(30)));
        let [two, three] = &job.lists[..] else { panic!("{:?}", job.lists) };
        assert_eq!((two.username.as_deref(), two.pages, two.ids), (Some("two"), 1, 100));
        assert_eq!((two.percent, two.boundary), (Some(25.0), Some(at(-5000))));
        assert_eq!((three.trouble.as_deref(), three.requests), (Some("503"), 7));
        assert_eq!(job.goes_on_at, at(900));
        assert_eq!(job.waiting[0].endpoint, "users/:id/followers");

        drop(lock);
        let later = status_at(&store, at(1000)).unwrap();
        assert_eq!((later.running, later.jobs[0].running), (None, false));
        assert_eq!((later.jobs[0].goes_on_at, later.jobs[0].waiting.len()), (at(1000), 0));
    }

    #[tokio::test]
    async fn serialized_it_has_ids_as_strings_and_times_as_people_write_them() {
        let (_folder, store, journals) = store();
        std::fs::create_dir_all(journals.folder()).unwrap();
        begin(&journals, "followgraph snapshot @two", 0).await;
        let json = serde_json::to_value(status_at(&store, at(100)).unwrap()).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["jobs"][0]["lists"][0]["account"], "2");
        assert_eq!(json["jobs"][0]["lists"][0]["list"], "followers");
        assert_eq!(json["jobs"][0]["began"], "2027-01-15T08:00:00Z");
    }

    #[tokio::test]
    async fn what_is_just_being_written_is_passed_over_and_damage_hides_no_other() {
        let (_folder, store, journals) = store();
        std::fs::create_dir_all(journals.folder()).unwrap();
        begin(&journals, "first", 0).await;
        let second = begin(&journals, "second", 60).await.name();
        let file = |name: &str| journals.folder().join(name).join("journal");
        let names = journals.names().unwrap();
        let mut torn = std::fs::read(file(&names[0])).unwrap();
        torn.extend([9, 0, 0, 0, 1]);
        std::fs::write(file(&names[0]), torn).unwrap();
        let mut bad = std::fs::read(file(&second)).unwrap();
        bad[20] ^= 1;
        std::fs::write(file(&second), bad).unwrap();
        let status = status_at(&store, at(100)).unwrap();
        assert_eq!((status.jobs.len(), status.jobs[0].command.as_str()), (1, "first"));
        assert_eq!((status.damaged.len(), &status.damaged[0].name), (1, &second));
        assert!(status.damaged[0].error.contains("is damaged"), "{:?}", status.damaged);
        assert!(status.damaged[0].hint.is_some());
    }

    #[test]
    fn a_store_without_journals_has_no_unfinished_jobs() {
        let (_folder, store, _) = store();
        let status = status(&store).unwrap();
        assert_eq!((status.jobs, status.damaged, status.running), (vec![], vec![], None));
    }

    #[test]
    fn a_window_heard_of_later_counts_and_the_longest_wait_of_a_bucket() {
        let mut day = heard("a", 0, 5000);
        day.family = Family::AppDay;
        let open = |heard: &[Heard]| opens(heard.iter(), at(100));
        assert_eq!(open(&[heard("a", 0, 900)]), at(900));
        assert_eq!(open(&[heard("a", 0, 900), heard("a", 299, 1800)]), at(100));
        assert_eq!(open(&[heard("a", 3, 900), heard("a", 0, 900)]), at(900));
        assert_eq!(open(&[heard("a", 0, 900), day]), at(5000));
        assert_eq!(open(&[heard("a", 0, 50)]), at(100));
    }
}
