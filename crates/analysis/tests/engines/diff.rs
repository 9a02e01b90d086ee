//! What changed, text in, text out: `+` gained, `-` lost, `?<` unknown and only in the
//! earlier crawl, `?>` unknown and only in the later one, `=` how many are in both.

use std::collections::BTreeSet;

use analysis::{Change, DiffPart, Observation, Undecided, diff, diff_each};
use snapshot::List;

use crate::harness::On;

fn check(on: &On, before: &str, after: &str, expected: &str) {
    let (before, after) = (on.followers(before), on.followers(after));
    assert_eq!(told(on, &before, &after), expected);
}

fn told(on: &On, before: &Observation, after: &Observation) -> String {
    let diff = diff(before, after, on.engine).unwrap();
    let mut words = Vec::new();
    words.extend(diff.gained.iter().map(|c| format!("+{}", c.member)));
    words.extend(diff.lost.iter().map(|c| format!("-{}", c.member)));
    words.extend(diff.unknown.iter().map(|unknown| match unknown {
        Undecided::InBefore(c) => format!("?<{}", c.member),
        Undecided::InAfter(c) => format!("?>{}", c.member),
    }));
    words.push(format!("={}", diff.unchanged));
    words.join(" ")
}

pub(crate) fn one_leaves_and_one_comes(on: &On) {
    check(on, "3 2 1", "4 3 2", "+4 -1 =2");
}

pub(crate) fn equal_lists_change_nothing(on: &On) {
    check(on, "3 2 1", "3 2 1", "=3");
}

pub(crate) fn empty_lists_are_lists(on: &On) {
    check(on, "", "", "=0");
    check(on, "", "2 1", "+1 +2 =0");
    check(on, "2 1", "", "-1 -2 =0");
}

pub(crate) fn refollow_between_snapshots_is_silent(on: &On) {
    check(on, "3 2 1", "1 3 2", "=3");
}

pub(crate) fn order_in_the_list_does_not_matter(on: &On) {
    check(on, "20 5 13 1 8", "8 1 21 5 20", "+21 -13 =4");
}

pub(crate) fn repeated_ids_count_once(on: &On) {
    check(on, "3 2 3 1 1", "4 2 4 3 3", "+4 -1 =2");
}

pub(crate) fn the_account_itself_is_a_member_like_any(on: &On) {
    check(on, "7 1", "1", "-7 =1");
}

pub(crate) fn ids_beyond_floats_stay_apart_up_to_the_last(on: &On) {
    let (even, odd, last) = ("9007199254740992", "9007199254740993", "9223372036854775807");
    check(on, even, odd, &format!("+{odd} -{even} =0"));
    check(on, &format!("{last} 0"), "0", &format!("-{last} =1"));
    check(on, "0", &format!("{last} 0"), &format!("+{last} =1"));
}

pub(crate) fn a_cut_list_loses_nobody_if_it_tells_no_times(on: &On) {
    check(on, "3 2 1", "3 ...", "?<1 ?<2 =1");
    check(on, "3 |80 2 |60 1", "3 ...", "?<1 ?<2 =1");
    check(on, "3 2 1", "3 ...10", "?<1 ?<2 =1");
}

pub(crate) fn a_cut_list_loses_those_it_would_have_shown(on: &On) {
    // It shows everybody who followed after second 40; page one did so from 50 on.
    check(on, "9 8 |50 7 6 |30 5 4", "9 ...40", "-8 ?<4 ?<5 ?<6 ?<7 =1");
    check(on, "9 8 |50 7 6 |30 5 4", "9 ...29", "-6 -7 -8 ?<4 ?<5 =1");
    check(on, "9 8 |50 7 6 |30 5 4", "12 11 9 ...40", "+11 +12 -8 ?<4 ?<5 ?<6 ?<7 =1");
}

pub(crate) fn a_crawl_of_the_head_is_judged_like_a_cut_one(on: &On) {
    check(on, "9 8 |50 7 6 |30 5 4", "12 11 9 ^40", "+11 +12 -8 ?<4 ?<5 ?<6 ?<7 =1");
    check(on, "9 8 |50 7", "9 ^", "?<7 ?<8 =1");
}

pub(crate) fn a_page_that_ends_at_the_very_moment_proves_nothing(on: &On) {
    check(on, "9 8 |50 7", "9 ...50", "?<7 ?<8 =1");
    check(on, "9 8 |50 7", "9 ...49", "-8 ?<7 =1");
}

pub(crate) fn a_page_without_a_time_ends_what_can_be_judged(on: &On) {
    check(on, "9 |80 8 | 7 |60 6", "...50", "-9 ?<6 ?<7 ?<8 =0");
}

pub(crate) fn missing_pages_end_what_can_be_judged(on: &On) {
    let before = on.followers("9 |80 8 |70 7 |60 6");
    let after = on.followers("...50");
    assert_eq!(told(on, &before, &after), "-7 -8 -9 ?<6 =0");
    let mut pages = before.pages().to_vec();
    pages.remove(1);
    assert_eq!(told(on, &before.with_pages(pages), &after), "-9 ?<6 ?<7 ?<8 =0");
}

pub(crate) fn positions_without_order_prove_nothing(on: &On) {
    check(on, "~ 9 8 |50 7", "9 ...10", "?<7 ?<8 =1");
}

pub(crate) fn below_an_earlier_cut_nobody_is_new(on: &On) {
    check(on, "3 2 ...", "4 3 2 1", "?>1 ?>4 =2");
    check(on, "3 2 ...40", "4 |90 3 2 |30 1", "+4 ?>1 =2");
}

pub(crate) fn two_cuts_are_judged_each_by_the_other(on: &On) {
    check(on, "9 8 |60 7 |50 ...50", "12 |90 9 |55 7 |40 6 ...30", "+12 -8 ?>6 =2");
}

pub(crate) fn a_list_that_could_not_be_read_proves_nothing(on: &On) {
    check(on, "2 1", "protected", "?<1 ?<2 =0");
    check(on, "2 |80 1", "protected", "?<1 ?<2 =0");
}

pub(crate) fn a_list_that_became_readable_has_no_gains(on: &On) {
    check(on, "protected", "2 1", "?>1 ?>2 =0");
    check(on, "protected", "protected", "=0");
}

/// Two long lists that span many row groups: multiples of 3, and of 4 from 1000 on.
fn long(on: &On) -> (Observation, Observation) {
    let before = on.ids(7, (0..400_000).map(|i| 3 * i));
    let after = on.ids(7, (250..300_000).rev().map(|i| 4 * i));
    (before, after)
}

pub(crate) fn parts_come_in_order_and_add_up(on: &On) {
    let (before, after) = long(on);
    let whole = diff(&before, &after, on.engine).unwrap();
    let (mut parts, mut added) = (0, DiffPart::default());
    diff_each(&before, &after, on.engine, |_, part| {
        parts += 1;
        added.gained.extend(part.gained);
        added.lost.extend(part.lost);
        added.unknown.extend(part.unknown);
        added.unchanged += part.unchanged;
        Ok(())
    })
    .unwrap();
    assert!(added.gained.is_sorted_by_key(|c| c.member));
    assert!(added.lost.is_sorted_by_key(|c| c.member));
    assert_eq!((added.gained, added.lost), (whole.gained, whole.lost));
    assert_eq!(added.unchanged, whole.unchanged);
    assert!(parts > 1, "the lists are long enough for more than one range");
}

pub(crate) fn long_lists_equal_the_sets(on: &On) {
    let (before, after) = long(on);
    let x: BTreeSet<i64> = (0..400_000).map(|i| 3 * i).collect();
    let y: BTreeSet<i64> = (250..300_000).map(|i| 4 * i).collect();
    let found = diff(&before, &after, on.engine).unwrap();
    let ids = |changes: &[Change]| changes.iter().map(|c| c.member.get()).collect::<Vec<_>>();
    assert!(ids(&found.gained).iter().eq(y.difference(&x)));
    assert!(ids(&found.lost).iter().eq(x.difference(&y)));
    assert_eq!(found.unchanged, x.intersection(&y).count() as u64);
    let place = |change: &Change| (change.member, change.position);
    assert_eq!(place(&found.lost[0]), (0.into(), Some(0)));
    assert_eq!(place(&found.gained[0]), (1000.into(), Some(299_749)));
}

pub(crate) fn lists_of_two_accounts_cannot_be_compared(on: &On) {
    let refused = |before: &Observation, after: &Observation| {
        diff(before, after, on.engine).unwrap_err().to_string()
    };
    let (mine, yours) = (on.followers("1"), on.list(8, List::Followers, "1"));
    let other = on.list(7, List::Following, "1");
    assert_eq!(
        refused(&mine, &yours),
        "the followers list of 7 and the followers list of 8 are not two crawls of one list"
    );
    assert_eq!(
        refused(&mine, &other),
        "the followers list of 7 and the following list of 7 are not two crawls of one list"
    );
}
