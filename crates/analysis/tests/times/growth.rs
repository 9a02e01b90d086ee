//! Growth by period: counted by hand on a small list, and against the truth of worlds.

use analysis::Observation;
use analysis::engine::{Engine, Memory, Stream};
use analysis::when::{FollowTimes, Growth, NoOrder, Period, follow_times_each, growth};
use jiff::Timestamp;
use snapshot::{AccountId, Coverage, Crawl, List, Order, PageRecord, State};

use crate::audience::{Audience, Random, Seen, id_made_at};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The followers of an account that was opened on 1 January 2020, made on these days, newest
/// follow first, read on 10 January 2021.
fn list(made: &[&str]) -> Observation {
    list_read(made, "2021-01-10T12:00:00Z")
}

fn list_read(made: &[&str], at: &str) -> Observation {
    let mut random = Random(1);
    let mut id = |day: &str| {
        let made = time(&format!("{day}T00:00:00Z")).as_millisecond();
        AccountId::new(id_made_at(made, &mut random)).unwrap()
    };
    let state = State::Read(Coverage::Complete);
    let at = time(at);
    let crawl = Crawl::new(id("2020-01-01"), List::Followers, "file", state, at);
    let crawl = Crawl { order: Order::NewestFirst, ..crawl };
    let members: Vec<AccountId> = made.iter().map(|day| id(day)).collect();
    Observation::from_ids(crawl, members).unwrap()
}

fn by(list: &Observation, period: Period) -> Growth {
    growth(list, &Memory, period).unwrap().expect("it tells")
}

/// One line per period: begin, followed, so far, at least, at most.
fn told(growth: &Growth) -> Vec<String> {
    let line = |row: &analysis::when::Grown| {
        let from = row.from.strftime("%F");
        format!("{from} {} {} {} {}", row.followed, row.so_far, row.at_least, row.at_most)
    };
    growth.rows.iter().map(line).collect()
}

/// Made on 3 March, and so the oldest followed in March or later; the next two in between, and
/// one on 5 June or later; nothing tells when the newest did.
const MADE: [&str; 5] = ["2016-05-05", "2020-06-05", "2018-01-01", "2017-01-01", "2020-03-03"];

#[test]
fn members_count_where_their_estimates_lie_and_bounds_enclose_them() {
    let growth = by(&list(&MADE), Period::Year);
    assert!(!growth.has_cursors);
    // The newest is put halfway from 5 June to the crawl, and still in 2020.
    assert_eq!(told(&growth), ["2020-01-01 5 5 0 5", "2021-01-01 0 5 5 5"]);
    let months = told(&by(&list(&MADE), Period::Month));
    assert_eq!(
        months[..5],
        [
            "2020-03-01 1 1 0 3",
            "2020-04-01 1 2 0 3",
            "2020-05-01 1 3 0 3",
            "2020-06-01 1 4 0 5",
            "2020-07-01 0 4 0 5",
        ]
    );
    assert_eq!(months.last().unwrap(), "2021-01-01 0 5 5 5");
    assert_eq!(months.len(), 11);
}

#[test]
fn a_cursor_bounds_those_below_it_from_above() {
    let of = list(&MADE);
    let account = of.account();
    let at = of.crawl().finished_at;
    let page = |page, first_position, ids, boundary: Option<&str>| PageRecord {
        first_position,
        ids,
        boundary: boundary.map(time),
        ..PageRecord::new(account, List::Followers, page, at)
    };
    let pages = vec![page(0, 0, 2, Some("2020-06-20T00:00:00Z")), page(1, 2, 3, None)];
    let growth = by(&of.with_pages(pages), Period::Month);
    assert!(growth.has_cursors);
    let told = told(&growth);
    assert_eq!(told[3], "2020-06-01 1 4 3 5", "three surely before the cursor's moment");
    assert_eq!(told[2], "2020-05-01 1 3 0 3");
}

#[test]
fn what_tells_nothing_is_not_counted() {
    let none = |of: &Observation| growth(of, &Memory, Period::Day).unwrap().unwrap_err();
    let account = AccountId::from(7);
    let state = State::Read(Coverage::Complete);
    let crawl = Crawl::new(account, List::Followers, "file", state, Timestamp::UNIX_EPOCH);
    let ids = |ids: &[u32]| ids.iter().map(|id| AccountId::from(*id)).collect::<Vec<_>>();
    let unordered = Observation::from_ids(crawl.clone(), ids(&[3, 1, 2])).unwrap();
    assert_eq!(none(&unordered), NoOrder::NotStated);
    let crawl = Crawl { order: Order::NewestFirst, ..crawl };
    let sorted = Observation::from_ids(crawl.clone(), ids(&[1, 2, 3, 4, 5, 6, 7, 8, 9])).unwrap();
    assert_eq!(none(&sorted), NoOrder::Sorted);
    let elsewhere = Observation::from_ids(crawl, ids(&[3, 1, 2])).unwrap();
    assert_eq!(none(&elsewhere), NoOrder::NoTimes);
    let too_early = list_read(&MADE, "2015-01-01T00:00:00Z");
    assert_eq!(none(&too_early), NoOrder::TimesDisagree);
}

#[test]
fn an_empty_list_has_no_periods() {
    assert!(by(&list(&[]), Period::Month).rows.is_empty());
}

#[test]
fn counts_enclose_the_truth_on_every_engine() {
    let engines: [&dyn Engine; 2] = [&Memory, &Stream];
    for seed in 0..40 {
        let audience = Audience::new(seed, 400);
        for seen in [Seen::Import, Seen::Pages(100)] {
            let of = audience.observed(seen);
            for (engine, period) in engines.into_iter().zip([Period::Week, Period::Month]) {
                let growth = growth(&of, engine, period).unwrap().unwrap();
                for row in &growth.rows {
                    let then = |(_, at): &&(i64, Timestamp)| *at < row.until;
                    let truly = audience.rows.iter().filter(then).count() as u64;
                    assert!(row.at_least <= truly && truly <= row.at_most, "{seed} {row:?}");
                    assert!(row.at_least <= row.so_far && row.so_far <= row.at_most);
                }
                let last = growth.rows.last().unwrap();
                assert_eq!(last.so_far, audience.rows.len() as u64);
                let sum: u64 = growth.rows.iter().map(|row| row.followed).sum();
                assert_eq!(sum, last.so_far);
                assert!(growth.rows.windows(2).all(|pair| pair[0].until == pair[1].from));
            }
        }
    }
}

#[test]
fn repeated_rows_are_counted_once() {
    let mut twice = list(&MADE);
    let ids: Vec<AccountId> = {
        let times = FollowTimes::of(&twice, &Memory).unwrap().unwrap();
        let mut rows = Vec::new();
        follow_times_each(
            &twice,
            &times,
            &Memory,
            |_| true,
            |some| {
                rows.extend(some);
                Ok(())
            },
        )
        .unwrap();
        rows.sort_by_key(|row| row.position);
        rows.iter().map(|row| row.member).collect()
    };
    let crawl = twice.crawl().clone();
    let repeated = [ids[0], ids[1], ids[1], ids[2], ids[0], ids[3], ids[4]];
    twice = Observation::from_ids(crawl, repeated).unwrap();
    let growth = by(&twice, Period::Month);
    assert_eq!(growth.rows.last().unwrap().so_far, 5);
    assert_eq!(growth.rows.iter().map(|row| row.followed).sum::<u64>(), 5);
}

#[test]
fn members_come_one_by_one_with_what_is_known_of_them() {
    let audience = Audience::new(3, 300);
    let of = audience.observed(Seen::Pages(100));
    let times = audience.times(Seen::Pages(100));
    let mut rows = Vec::new();
    follow_times_each(
        &of,
        &times,
        &Stream,
        |position| position != 5,
        |some| {
            rows.extend(some);
            Ok(())
        },
    )
    .unwrap();
    assert!(rows.is_sorted_by_key(|row| row.member));
    assert_eq!(rows.len(), audience.rows.len() - 1);
    for row in rows {
        let (member, at) = audience.rows[row.position as usize];
        assert_eq!(row.member.get(), member);
        assert!(row.between.contains(at) && row.between.contains(row.estimate));
        assert!(row.created.unwrap().earliest <= row.between.latest);
    }
}
