//! Who follows back, text in, text out: `&` mutual, `<` only follows the account, `>` only
//! followed by it, `?<` and `?>` the same where the other list does not say.

use std::collections::BTreeSet;

use analysis::{Mutuals, mutuals};
use snapshot::{AccountId, List};

use crate::harness::{ACCOUNT, On};

fn ask(on: &On, followers: &str, following: &str) -> Mutuals {
    let followers = on.list(ACCOUNT, List::Followers, followers);
    let following = on.list(ACCOUNT, List::Following, following);
    mutuals(&followers, &following, on.engine).unwrap()
}

fn check(on: &On, followers: &str, following: &str, expected: &str) {
    let found = ask(on, followers, following);
    let mut words = Vec::new();
    let mut say = |sign: &str, ids: &[AccountId]| {
        words.extend(ids.iter().map(|id| format!("{sign}{id}")));
    };
    say("&", &found.mutual);
    say("<", &found.only_followers);
    say(">", &found.only_following);
    for one in &found.unknown {
        let sign = if one.seen_in == List::Followers { "?<" } else { "?>" };
        say(sign, &[one.member]);
    }
    assert_eq!(words.join(" "), expected);
}

pub(crate) fn follows_are_sorted_by_direction(on: &On) {
    check(on, "4 2 1", "3 1 4", "&1 &4 <2 >3");
    check(on, "1", "2", "<1 >2");
}

pub(crate) fn whoever_is_in_both_lists_is_mutual_whatever_was_covered(on: &On) {
    check(on, "2 1 ...", "1 2 ...", "&1 &2");
}

pub(crate) fn an_incomplete_list_does_not_deny(on: &On) {
    check(on, "3 2 ...", "3 1", "&3 <2 ?>1");
    check(on, "3 2", "3 1 ...", "&3 >1 ?<2");
    check(on, "3 |80 2 ...50", "3 |80 1", "&3 <2 ?>1");
}

pub(crate) fn a_protected_list_does_not_deny(on: &On) {
    check(on, "2 1", "protected", "?<1 ?<2");
    check(on, "protected", "2 1", "?>1 ?>2");
}

pub(crate) fn empty_lists_have_no_rate(on: &On) {
    check(on, "", "", "");
    assert_eq!(ask(on, "", "").follow_back_rate(), None);
    assert_eq!(ask(on, "1", "1 2 3 4").follow_back_rate(), Some(0.25));
    assert_eq!(ask(on, "1 ...", "1 2 3 4").follow_back_rate(), None);
    assert_eq!(ask(on, "1", "1 2 3 4 ...").follow_back_rate(), None);
}

pub(crate) fn the_account_may_follow_itself(on: &On) {
    check(on, "7 1", "7", "&7 <1");
}

pub(crate) fn the_lists_must_be_the_two_of_one_account(on: &On) {
    let followers = on.list(ACCOUNT, List::Followers, "1");
    let others = on.list(8, List::Following, "1");
    let error = mutuals(&followers, &others, on.engine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the followers list of 7 and the following list of 8 are not the two lists of one account"
    );
    assert!(mutuals(&followers, &followers, on.engine).is_err());
}

pub(crate) fn long_lists_equal_the_sets(on: &On) {
    let (followers, following) = (300_000, 200_000);
    let text = |step: i64, count: i64| {
        (0..count).map(|i| (i * step).to_string()).collect::<Vec<_>>().join(" ")
    };
    let found = ask(on, &text(3, followers), &text(5, following));
    let x: BTreeSet<i64> = (0..followers).map(|i| 3 * i).collect();
    let y: BTreeSet<i64> = (0..following).map(|i| 5 * i).collect();
    let ids = |ids: &[AccountId]| ids.iter().map(|id| id.get()).collect::<Vec<_>>();
    assert!(ids(&found.mutual).iter().eq(x.intersection(&y)));
    assert!(ids(&found.only_followers).iter().eq(x.difference(&y)));
    assert!(ids(&found.only_following).iter().eq(y.difference(&x)));
}
