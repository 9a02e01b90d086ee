//! How one crawl changes the spells of a range of ids.
//!
//! Spells and rows are both sorted by member, so it is a merge: O(spells + rows).

use jiff::Timestamp;
use snapshot::{AccountId, Began, Ended, HistoryCrawl, Spell};

use super::evidence::Evidence;
use crate::sight;
use crate::when::Between;

/// One crawl of a list, and what is known of the list when it comes.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) evidence: &'a Evidence,
    /// The crawls of the list up to this one, which is the last.
    pub(super) crawls: &'a [HistoryCrawl],
}

/// What one crawl changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) began: [u64; Began::ALL.len()],
    pub(super) lost: u64,
    pub(super) moved: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.lost += other.lost;
        self.moved += other.moved;
        for (all, some) in self.began.iter_mut().zip(other.began) {
            *all += some;
        }
    }
}

/// The spells after a crawl that saw these members, ascending, at these positions.
pub(super) fn apply(
    spells: &[Spell],
    members: &[i64],
    positions: &[i32],
    look: Look<'_>,
    counts: &mut Counts,
) -> Vec<Spell> {
    let mut after = Vec::with_capacity(spells.len() + spells.len() / 64);
    let mut row = 0;
    let position = |row: usize| positions.get(row).map_or(0, |position| position.cast_unsigned());
    counts.rows += members.len() as u64;
    for of_member in spells.chunk_by(|a, b| a.member == b.member) {
        let Some((last, before)) = of_member.split_last() else { continue };
        let member = last.member.get();
        while members.get(row).is_some_and(|next| *next < member) {
            after.push(look.begin(members[row], position(row), None, counts));
            row += 1;
        }
        after.extend_from_slice(before);
        if members.get(row) == Some(&member) {
            look.sight(*last, position(row), &mut after, counts);
            row += 1;
        } else {
            after.push(look.miss(*last, counts));
        }
    }
    for (row, member) in members.iter().enumerate().skip(row) {
        after.push(look.begin(*member, position(row), None, counts));
    }
    after
}

impl Look<'_> {
    fn crawl(&self) -> &HistoryCrawl {
        self.crawls.last().expect("it is among them")
    }

    /// The member of this spell is in the crawl.
    fn sight(&self, last: Spell, position: u32, after: &mut Vec<Spell>, counts: &mut Counts) {
        let began = |prior: &Spell, counts: &mut Counts| {
            self.begin(prior.member.get(), position, Some(prior), counts)
        };
        if last.ended == Ended::Absent {
            after.push(last);
            after.push(began(&last, counts));
            return;
        }
        let boundary = self.evidence.boundary(position);
        if self.has_moved(&last, boundary) {
            let last = Spell { ended: Ended::Moved, ..last };
            after.push(last);
            after.push(began(&last, counts));
            return;
        }
        after.push(Spell {
            last_seen: self.crawl().number,
            position,
            boundary: last.boundary.max(boundary),
            ..last
        });
    }

    /// Whether a member of both crawls left between them: it follows anew by the order of the list,
    /// or a crawl between them looked where its follow would have been and did not see it.
    fn has_moved(&self, last: &Spell, boundary: Option<Timestamp>) -> bool {
        let proof = self.evidence.absent_before(boundary);
        self.has_moved_by_order(last)
            || proof.is_some_and(|proof| proof.by_time && proof.number > last.last_seen)
    }

    fn has_moved_by_order(&self, last: &Spell) -> bool {
        let since = self.evidence.compared.map(|(with, _)| with);
        since.is_some_and(|with| last.first_seen <= with) && self.evidence.has_moved(last.member)
    }

    /// The member of this spell is not in the crawl.
    fn miss(&self, last: Spell, counts: &mut Counts) -> Spell {
        if last.ended != Ended::Open || !proves_absence(self.crawl(), last.boundary) {
            return last;
        }
        counts.lost += 1;
        Spell { ended: Ended::Absent, absent_after: Some(self.crawl().number), ..last }
    }

    /// A spell begins. It is the member's first, or follows one that has ended.
    fn begin(
        &self,
        member: i64,
        position: u32,
        prior: Option<&Spell>,
        counts: &mut Counts,
    ) -> Spell {
        let crawl = self.crawl();
        let boundary = self.evidence.boundary(position);
        let proof = self.evidence.absent_before(boundary);
        let proof = proof.filter(|proof| prior.is_none_or(|prior| proof.number > prior.last_seen));
        let absent = proof.map(|proof| proof.number);
        let absent = absent.max(prior.and_then(|prior| prior.absent_after));
        let times = self.evidence.followed(position);
        let is_moved = prior.is_some_and(|prior| prior.ended == Ended::Moved);
        let (is_new, since) = self.is_new(position, prior, absent, times);
        let began = match (is_new, prior, absent) {
            (_, None, None) => Began::FirstLook,
            (Some(false), ..) => Began::Reappeared,
            (Some(true) | None, None, _) => Began::New,
            (Some(true), Some(_), _) => Began::Refollowed,
            (None, Some(_), _) => Began::Returned,
        };
        if is_moved {
            counts.moved += 1;
        } else {
            let at = Began::ALL.iter().position(|one| *one == began).unwrap_or(0);
            counts.began[at] += 1;
        }
        let window = since.filter(|_| began != Began::FirstLook).map(|since| Between {
            earliest: self.crawls[since as usize].started_at,
            latest: crawl.finished_at,
        });
        let followed = match (times, window) {
            (Some(times), Some(window)) => Some(times.and(window).unwrap_or(window)),
            (times, window) => times.or(window),
        };
        Spell {
            account: crawl.account,
            member: AccountId::new(member).unwrap_or(AccountId::MIN),
            first_seen: crawl.number,
            last_seen: crawl.number,
            absent_before: absent,
            absent_after: None,
            began,
            ended: Ended::Open,
            position,
            followed_after: followed.map(|between| between.earliest),
            followed_before: followed.map(|between| between.latest),
            boundary,
        }
    }

    /// Whether the follow that the crawl sees was made since the member was seen or absent before;
    /// `None` where nothing tells. Times overrule order. If order tells that it was, also since
    /// which crawl.
    ///
    /// That a crawl which read the newest part missed the member is not enough: it may have
    /// followed before that crawl, and have been hidden from it.
    fn is_new(
        &self,
        position: u32,
        prior: Option<&Spell>,
        absent: Option<u32>,
        times: Option<Between>,
    ) -> (Option<bool>, Option<u32>) {
        let compared = self.evidence.compared;
        let with = compared.map(|(with, _)| with);
        let moved = prior.filter(|prior| prior.ended == Ended::Moved);
        if moved.is_some_and(|moved| self.has_moved_by_order(moved)) {
            return (Some(true), with);
        }
        let seen_until = prior.map(|prior| self.crawls[prior.last_seen as usize].finished_at);
        let followed_until = prior.and_then(|prior| prior.followed_before);
        let absent_from = absent.map(|absent| self.crawls[absent as usize].started_at);
        if let Some(times) = times {
            let after = |time: Option<Timestamp>| time.is_some_and(|time| times.earliest > time);
            if after(seen_until) || after(followed_until) || after(absent_from) {
                return (Some(true), None);
            }
            if absent_from.is_some_and(|time| times.latest < time) {
                return (Some(false), None);
            }
        }
        match compared {
            None => (None, None),
            Some((_, head)) if position >= head => (Some(false), None),
            // The follow that was seen before is newer than that crawl, too.
            Some((with, _)) if prior.is_some_and(|prior| prior.first_seen > with) => (None, None),
            Some((with, _)) => (Some(true), Some(with)),
        }
    }
}

/// Whether a crawl that misses a member with this boundary proves that it is gone.
pub(super) fn proves_absence(crawl: &HistoryCrawl, boundary: Option<Timestamp>) -> bool {
    sight::proves_absence(crawl.state, crawl.covered_since, boundary)
}
