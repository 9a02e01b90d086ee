//! Profiles of members: kept if they come, in the order in which they come.

use crate::util::{crawl, id, ids, scratch, time};
use proptest::prelude::*;
use snapshot::{
    ErrorKind, List, ListedMember, MemberProfile, Profile, Run, RunWriter, Store, WriterOptions,
};

fn unknown(member: u32) -> MemberProfile {
    Profile::unknown(id(member), time(0)).into()
}

fn all(run: &Run) -> Vec<ListedMember> {
    run.member_profiles().unwrap().flat_map(Result::unwrap).collect()
}

fn listed(account: u32, list: List, member: MemberProfile) -> ListedMember {
    ListedMember { account: id(account), list, member }
}

/// Publishes followers of account 1, each with a profile.
fn publish(store: &Store, profiles: &[MemberProfile]) -> Run {
    let mut run = begin(store);
    let members: Vec<_> = profiles.iter().map(|p| p.profile.account).collect();
    run.rows(List::Followers, id(1), 0, &members).unwrap();
    for profile in profiles {
        run.member(List::Followers, id(1), profile).unwrap();
    }
    run.publish().unwrap();
    store.find("latest").unwrap()
}

fn begin(store: &Store) -> RunWriter {
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    run.crawl(crawl(1, List::Followers));
    run
}

fn profiles() -> impl Strategy<Value = MemberProfile> {
    let text = || prop::option::of(".{0,20}");
    let count = || prop::option::of(0..i64::MAX as u64);
    let truth = || prop::option::of(any::<bool>());
    let basic = (any::<u32>(), text(), text(), truth(), [count(), count(), count(), count()]);
    let texts = [text(), text(), text(), text(), text(), text(), text(), text()];
    let more = (truth(), texts, prop::option::of(any::<i64>()), [count(), count()]);
    (basic, more, 0..2_000_000_000_i64).prop_map(|(basic, more, second)| {
        let (member, username, name, protected, [followers, following, tweets, listed]) = basic;
        let (verified, texts, pinned_tweet_id, [like_count, media_count]) = more;
        let [kind, description, location, url, image, pinned_tweet, entities, withheld] = texts;
        MemberProfile {
            profile: Profile {
                username,
                name,
                protected,
                created_at: protected.map(|_| time(second / 2)),
                followers_count: followers,
                following_count: following,
                tweet_count: tweets,
                listed_count: listed,
                ..Profile::unknown(id(member), time(second))
            },
            verified,
            verified_type: kind,
            description,
            location,
            url,
            profile_image_url: image,
            pinned_tweet_id,
            pinned_tweet,
            like_count,
            media_count,
            entities,
            withheld,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_field_comes_back_in_the_order_of_arrival(
        profiles in prop::collection::vec(profiles(), 1..30),
    ) {
        let folder = scratch();
        let store = Store::create(folder.path()).unwrap();
        let run = publish(&store, &profiles);
        let expected = profiles.into_iter().map(|p| listed(1, List::Followers, p));
        prop_assert_eq!(all(&run), expected.collect::<Vec<_>>());
        prop_assert_eq!(run.verify().faults, []);
    }
}

#[test]
fn lists_may_be_mixed_and_a_member_may_come_twice() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = begin(&store);
    run.crawl(crawl(2, List::Following));
    let rows = [(1, List::Followers, 9), (2, List::Following, 9), (1, List::Followers, 9)];
    for (account, list, member) in rows {
        run.member(list, id(account), &unknown(member)).unwrap();
    }
    run.publish().unwrap();
    let run = store.find("latest").unwrap();
    assert_eq!(
        all(&run),
        rows.map(|(account, list, member)| listed(account, list, unknown(member)))
    );
    assert_eq!(run.verify().faults, []);
}

#[test]
fn a_run_without_profiles_has_no_file_of_them() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = publish(&store, &[]);
    assert!(!run.folder().join("profiles.parquet").exists());
    assert_eq!(all(&run), []);
    assert_eq!(run.verify().faults, []);
}

#[test]
fn many_profiles_are_written_and_read_some_at_a_time() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = begin(&store);
    let profile =
        |member| MemberProfile { description: Some(format!("{member:01000}")), ..unknown(member) };
    for member in 0..20_000 {
        run.member(List::Followers, id(1), &profile(member)).unwrap();
    }
    run.publish().unwrap();
    let run = store.find("latest").unwrap();
    let (mut batches, mut next) = (0, 0);
    for batch in run.member_profiles().unwrap() {
        let batch = batch.unwrap();
        assert!(batch.len() <= 5000, "a batch of {} kB", batch.len());
        batches += 1;
        for row in batch {
            assert_eq!(row.member, profile(next));
            next += 1;
        }
    }
    assert_eq!(next, 20_000);
    assert!(batches >= 4, "{batches}");
    let verification = run.verify();
    assert_eq!((verification.rows, verification.faults), (20_000, vec![]));
}

#[test]
fn profiles_of_a_list_that_was_not_crawled_are_refused() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = begin(&store);
    run.member(List::Following, id(1), &unknown(9)).unwrap();
    let error = run.publish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("following list of 1 have no crawl"), "{error}");
    assert!(store.runs().unwrap().is_empty());
}

#[test]
fn verify_compares_profiles_with_the_manifest_and_the_crawls() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = publish(&store, &[unknown(3), unknown(4)]);
    let path = run.folder().join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = forged["files"].as_array_mut().unwrap();
    let entry = files.iter_mut().find(|f| f["path"] == "profiles.parquet").unwrap();
    assert_eq!(entry["rows"], 2);
    entry["rows"] = 3.into();
    std::fs::write(&path, forged.to_string()).unwrap();
    let faults = |run: &Run| {
        let again = store.run(run.id()).unwrap();
        again.verify().faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(faults(&run), ["profiles.parquet: 2 rows, the manifest says 3"]);

    // The file of another run, with its line of the manifest.
    let mut other = store.begin(time(60), WriterOptions::default()).unwrap();
    other.crawl(crawl(2, List::Followers));
    other.rows(List::Followers, id(2), 0, &ids(&[3])).unwrap();
    other.member(List::Followers, id(2), &unknown(3)).unwrap();
    let other = store.run(other.publish().unwrap().run).unwrap();
    let entry_of = |run: &Run| {
        let files = &run.manifest().files;
        files.iter().find(|f| f.path == "profiles.parquet").unwrap().clone()
    };
    let mut manifest = run.manifest().clone();
    *manifest.files.iter_mut().find(|f| f.path == "profiles.parquet").unwrap() = entry_of(&other);
    std::fs::write(&path, serde_json::to_string(&manifest).unwrap()).unwrap();
    let file = |run: &Run| run.folder().join("profiles.parquet");
    std::fs::copy(file(&other), file(&run)).unwrap();
    assert_eq!(
        faults(&run),
        ["profiles.parquet: members of the followers list of 2, which has no crawl"]
    );
}
