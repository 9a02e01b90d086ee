//! What is due: which groups of a job, now, and when the next one will be.
//!
//! The store is the only memory there is. A run notes in its manifest which job and which
//! groups it was made for, so a store that was copied or restored knows as much as the one it
//! came of, as long as the job has a name, or its file stays where it is. Nothing here waits; a timer, or cron, asks again.
//!
//! A group counts as taken at the *beginning* of its newest run. It is due a little before
//! its interval is over, by a twentieth of it and an hour at most: a timer that fires two
//! seconds early would otherwise skip a day, and every other one after it.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use snapshot::Store;

use crate::{Error, Group};

/// The parameter of a run that names the job it was made for.
const JOB: &str = "job";
/// The parameter of a run that names the groups it was made for, separated by spaces.
const GROUPS: &str = "groups";
/// A group is due early by no more than this.
const EARLY_MAX: SignedDuration = SignedDuration::from_hours(1);
/// And by no more than this part of its interval.
const EARLY_PART: i32 = 20;

/// Which groups of a job are due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due {
    /// The places of the groups that are due now, in the order they were given.
    pub now: Vec<usize>,
    /// When the next of the others will be; `None` if all are due.
    pub next: Option<Timestamp>,
    /// When each group was last taken, in the order they were given.
    pub taken: Vec<Option<Timestamp>>,
}

/// What a run notes of the job and the groups that it is made for, for
/// [`Batch::parameters`](crate::Batch::parameters).
pub fn run_parameters<'a>(
    job_key: &str,
    groups: impl IntoIterator<Item = &'a Group>,
) -> BTreeMap<String, String> {
    let groups: Vec<_> = groups.into_iter().map(|group| group.identity.as_str()).collect();
    let (job, groups) = (job_key.to_owned(), groups.join(" "));
    BTreeMap::from([(JOB.to_owned(), job), (GROUPS.to_owned(), groups)])
}

/// Tells which groups are due. Reads manifests only, the newest first, and no more of them
/// than it takes to find every group; a damaged run is passed over.
///
/// # Errors
/// If the store cannot be listed.
pub fn due(store: &Store, job_key: &str, groups: &[Group], now: Timestamp) -> Result<Due, Error> {
    let taken = taken(store, job_key, groups)?;
    let mut due = Due::default();
    for (place, group) in groups.iter().enumerate() {
        let at = taken.get(group.identity.as_str()).copied();
        due.taken.push(at);
        match group.every.zip(at).map(|(every, at)| due_at(at, every)) {
            Some(later) if later > now => {
                due.next = Some(due.next.map_or(later, |next| next.min(later)));
            }
            _ => due.now.push(place),
        }
    }
    Ok(due)
}

/// When a group that was taken at a time is due again; never, if that is beyond all time.
fn due_at(taken: Timestamp, every: SignedDuration) -> Timestamp {
    let early = (every / EARLY_PART).min(EARLY_MAX);
    taken.checked_add(every - early).unwrap_or(Timestamp::MAX)
}

/// When each of the groups that are not always due was last taken.
fn taken<'a>(
    store: &Store,
    job_key: &str,
    groups: &'a [Group],
) -> Result<HashMap<&'a str, Timestamp>, Error> {
    let timed = groups.iter().filter(|group| group.every.is_some());
    let mut missing: Vec<_> = timed.map(|group| group.identity.as_str()).collect();
    let mut found = HashMap::new();
    // A folder that is only named like a run hides none of the others.
    let ids = store.run_ids().or_else(|_| {
        let runs = store.entries()?.into_iter().filter_map(|(_, run)| run.ok());
        Ok(runs.map(|run| run.id()).collect())
    });
    let ids: Vec<_> = ids.map_err(|e| Error::store("cannot list the store", e))?;
    for id in ids.into_iter().rev() {
        if missing.is_empty() {
            break;
        }
        let Ok(run) = store.run(id) else { continue };
        let parameters = &run.manifest().parameters;
        if parameters.get(JOB).is_none_or(|job| job != job_key) {
            continue;
        }
        let noted = parameters.get(GROUPS).map_or("", String::as_str);
        let at = run.manifest().started_at;
        missing.retain(|identity| {
            let here = noted.split(' ').any(|other| other == *identity);
            if here {
                found.insert(*identity, at);
            }
            !here
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapshot::WriterOptions;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn group(name: &str, every_secs: i64) -> Group {
        let every = (every_secs > 0).then(|| SignedDuration::from_secs(every_secs));
        Group::new(name, every, Vec::new())
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("store")).unwrap();
        (folder, store)
    }

    /// An invented run of these groups that began at this second.
    fn run(store: &Store, job: &str, groups: &[&Group], second: i64) -> std::path::PathBuf {
        let mut options = WriterOptions::default();
        options.parameters = run_parameters(job, groups.iter().copied());
        let mut writer = store.begin(at(second), options).unwrap();
        let (account, list) = (snapshot::AccountId::from(1), snapshot::List::Followers);
        let state = snapshot::State::Missing;
        let mut crawl = snapshot::Crawl::new(account, list, "x_v2", state, at(second));
        crawl.finished_at = at(second + 60);
        writer.crawl(crawl);
        writer.profile(snapshot::Profile::unknown(account, at(second)));
        let published = writer.publish().unwrap();
        store.run(published.run).unwrap().folder().to_owned()
    }

    /// Names of what is due at a second, and seconds until the next.
    fn check(store: &Store, groups: &[Group], second: i64, now: &str, next: Option<i64>) {
        let due = due(store, "job", groups, at(second)).unwrap();
        let names: Vec<_> = due.now.iter().map(|i| groups[*i].identity.as_str()).collect();
        assert_eq!((names.join(" ").as_str(), due.next), (now, next.map(at)));
    }

    #[test]
    fn what_was_never_taken_is_due_and_so_is_what_has_no_interval() {
        let (_folder, store) = store();
        let groups = [group("daily", DAY), group("always", 0)];
        check(&store, &groups, 0, "daily always", None);
        run(&store, "job", &[&groups[0], &groups[1]], 0);
        check(&store, &groups, 1, "always", Some(DAY - 3600));
    }

    #[test]
    fn each_group_has_its_own_newest_run() {
        let (_folder, store) = store();
        let groups = [group("daily", DAY), group("weekly", 7 * DAY)];
        run(&store, "job", &[&groups[0], &groups[1]], 0);
        run(&store, "job", &[&groups[0]], DAY);
        check(&store, &groups, DAY + 5, "", Some(2 * DAY - 3600));
        check(&store, &groups, 2 * DAY, "daily", Some(7 * DAY - 3600));
        check(&store, &groups, 7 * DAY, "daily weekly", None);
    }

    #[test]
    fn a_timer_that_fires_a_little_early_skips_nothing() {
        let (_folder, store) = store();
        let groups = [group("daily", DAY), group("often", 600)];
        run(&store, "job", &[&groups[0], &groups[1]], 0);
        // A twentieth of ten minutes is half a minute.
        check(&store, &groups, 569, "", Some(570));
        check(&store, &groups, 570, "often", Some(DAY - 3600));
        check(&store, &groups, DAY - 2, "daily often", None);
    }

    #[test]
    fn runs_of_other_jobs_and_groups_named_alike_do_not_count() {
        let (_folder, store) = store();
        let groups = [group("a", DAY)];
        run(&store, "other", &[&groups[0]], 0);
        run(&store, "job", &[&group("aa", DAY), &group("a-2", DAY)], 10);
        check(&store, &groups, 20, "a", None);
    }

    #[test]
    fn a_damaged_run_is_passed_over() {
        let (_folder, store) = store();
        let groups = [group("daily", DAY)];
        run(&store, "job", &[&groups[0]], 0);
        let newest = run(&store, "job", &[&groups[0]], 5000);
        std::fs::write(newest.join("manifest.json"), "{").unwrap();
        check(&store, &groups, 6000, "", Some(DAY - 3600));
    }
}
