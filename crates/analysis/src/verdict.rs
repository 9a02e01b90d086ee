//! Why a lost member is gone: did it leave, or was it taken away?
//!
//! A list only says that an id is not in it any more. Looking the id up tells more, but one
//! answer is not yet a fact: an account may be locked or under review for a day, and a
//! network's error can hide one for an hour. So a verdict is provisional until two look-ups,
//! [`RECHECK`] apart, agree.
//!
//! Knows neither lists nor networks: it weighs look-ups that others made.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, List, LookUp, Outcome, Run, Store};

use crate::{Diff, Error};

/// How far apart two look-ups must be to settle a verdict, if nothing else is said.
pub const RECHECK: SignedDuration = SignedDuration::from_hours(24);

/// What became of a lost member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The account is there, so it left by itself, or was removed by the account it followed.
    Unfollowed,
    /// The network has suspended it; it may never have meant to leave.
    Suspended,
    /// There is no such account any more: its owner has deactivated it, or it was deleted.
    Deactivated,
    /// It is there and hides itself. Whether it left cannot be seen from outside.
    Protected,
    /// Nobody looked it up yet, the network passed over it without a word, or it was hidden
    /// when it vanished and is back since: only a newer crawl can tell whether it left.
    Unknown,
}

impl Fate {
    /// Every one, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::Unfollowed, Self::Suspended, Self::Deactivated, Self::Protected, Self::Unknown];

    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfollowed => "unfollowed",
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
            Self::Protected => "protected",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Outcome> for Fate {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Visible => Self::Unfollowed,
            Outcome::Suspended => Self::Suspended,
            Outcome::Missing => Self::Deactivated,
            Outcome::Protected => Self::Protected,
            _ => Self::Unknown,
        }
    }
}

/// Whether a verdict may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It rests on one look-up, on several too close together, or the last two disagree.
    Provisional,
    /// Two look-ups agree, far enough apart and with no other answer between them.
    Final,
}

impl Standing {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Final => "final",
        }
    }
}

/// What is known of a lost member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who was lost.
    pub member: AccountId,
    /// What became of it.
    pub fate: Fate,
    /// Whether that may still change.
    pub standing: Standing,
    /// The look-up that it rests on; of a final one the second. None if there is none.
    pub looked_up_at: Option<Timestamp>,
}

impl Verdict {
    /// Whether a look-up at `now` could settle it: there was none, or it is provisional and
    /// at least `recheck` old.
    pub fn is_due(&self, now: Timestamp, recheck: SignedDuration) -> bool {
        self.standing == Standing::Provisional
            && self.looked_up_at.is_none_or(|at| now.duration_since(at) >= recheck)
    }
}

/// The lost members of one list, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Losses {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// One for each lost member, in the order of the diff.
    pub verdicts: Vec<Verdict>,
}

/// What the look-ups of a store say of whoever was lost, for answers that come piece by piece.
#[derive(Clone, Debug)]
pub struct Fates {
    /// By member and time.
    look_ups: Vec<LookUp>,
    recheck: SignedDuration,
}

impl Fates {
    /// All look-ups of a store that were made at `after` or later. Memory for all of them.
    ///
    /// # Errors
    /// As [`look_ups_of`].
    pub fn since(store: &Store, after: Timestamp, recheck: SignedDuration) -> Result<Self, Error> {
        let mut look_ups = Vec::new();
        for run in runs_with_look_ups(store, after)? {
            look_ups.extend(run.look_ups()?.into_iter().filter(|l| l.looked_up_at >= after));
        }
        look_ups.sort_by_key(|l| (l.member, l.looked_up_at));
        Ok(Self { look_ups, recheck })
    }

    /// Nobody was looked up.
    pub const fn none() -> Self {
        Self { look_ups: Vec::new(), recheck: RECHECK }
    }

    /// What became of a member that a crawl missed which ended at `since`. Only a look-up after
    /// that speaks of the loss: an earlier one may be older than the loss itself.
    /// O(log look-ups).
    pub fn of(&self, member: AccountId, since: Timestamp) -> Verdict {
        let begin = self.look_ups.partition_point(|l| l.member < member);
        let of_member = self.look_ups[begin..].iter().take_while(|l| l.member == member);
        let later = of_member.filter(|l| l.looked_up_at >= since);
        let answers: Vec<_> = later.map(|l| (l.looked_up_at, l.outcome.into())).collect();
        weigh(member, &answers, self.recheck)
    }
}

/// What became of the lost members of some diffs, by the look-ups that a store holds. One for
/// each diff, in that order. Only a look-up after the crawl that missed a member speaks of its
/// loss: an earlier one may be older than the loss itself.
///
/// Same as [`verdicts`] of each diff, over all look-ups of the store since its later crawl
/// ended; reads the store once, memory for the look-ups of the lost.
///
/// # Errors
/// As [`look_ups_of`].
pub fn losses(
    store: &Store,
    diffs: &[Diff],
    recheck: SignedDuration,
) -> Result<Vec<Losses>, Error> {
    let lost = |diff: &Diff| diff.lost.iter().map(|change| change.member).collect::<Vec<_>>();
    let mut members: Vec<_> = diffs.iter().flat_map(lost).collect();
    members.sort_unstable();
    members.dedup();
    let ends =
        diffs.iter().filter(|diff| !diff.lost.is_empty()).map(|diff| diff.of.after.finished_at);
    let look_ups = match ends.min() {
        Some(first) => look_ups_of(store, &members, first)?,
        None => Vec::new(),
    };
    let fates = Fates { look_ups, recheck };
    let weigh_all = |diff: &Diff| {
        let since = diff.of.after.finished_at;
        let verdicts = lost(diff).into_iter().map(|member| fates.of(member, since)).collect();
        Losses { account: diff.of.account, list: diff.of.list, verdicts }
    };
    Ok(diffs.iter().map(weigh_all).collect())
}

/// Weighs the look-ups that were made after the loss; those of other accounts do not matter,
/// nor does their order. One verdict for each of `lost`, in its order.
///
/// The first two that agree settle it: what becomes of the account a year later says nothing
/// of why it left. An answer that differs starts the wait anew. An account that was hidden at
/// first and is back later is not said to have unfollowed: that it was hidden explains the loss.
///
/// Same as, for each member, the earliest pair of look-ups with one fate, at least `recheck`
/// apart, and no other fate between them; one sort, memory for the look-ups of the lost.
pub fn verdicts(lost: &[AccountId], look_ups: &[LookUp], recheck: SignedDuration) -> Vec<Verdict> {
    let mut answers: HashMap<AccountId, Vec<(Timestamp, Fate)>> =
        lost.iter().map(|member| (*member, Vec::new())).collect();
    for look_up in look_ups {
        if let Some(answers) = answers.get_mut(&look_up.member) {
            answers.push((look_up.looked_up_at, look_up.outcome.into()));
        }
    }
    for answers in answers.values_mut() {
        answers.sort_unstable();
    }
    lost.iter().map(|member| weigh(*member, &answers[member], recheck)).collect()
}

/// Answers come in the order of time.
fn weigh(member: AccountId, answers: &[(Timestamp, Fate)], recheck: SignedDuration) -> Verdict {
    let verdict = |fate, standing, looked_up_at| Verdict { member, fate, standing, looked_up_at };
    let (mut since, mut hidden): (Option<(Timestamp, Fate)>, _) = (None, false);
    for (at, fate) in answers.iter().copied() {
        // It was hidden when it vanished, which explains that it did. Whether it has left,
        // too, only a newer crawl can tell.
        let fate = if hidden && fate == Fate::Unfollowed { Fate::Unknown } else { fate };
        hidden |= matches!(fate, Fate::Suspended | Fate::Deactivated);
        match since {
            Some((first, same)) if same == fate => {
                if at.duration_since(first) >= recheck {
                    return verdict(fate, Standing::Final, Some(at));
                }
            }
            _ => since = Some((at, fate)),
        }
    }
    match since.zip(answers.last()) {
        Some(((_, fate), (at, _))) => verdict(fate, Standing::Provisional, Some(*at)),
        None => verdict(Fate::Unknown, Standing::Provisional, None),
    }
}

/// Who of the lost needs a look-up at `now`: those that had none, and those whose verdict is
/// provisional and at least `recheck` old. In the order of the verdicts, each member once.
///
/// Whoever looks up what is due, and the network answers the same, is done after two rounds.
pub fn due<'a>(
    verdicts: impl IntoIterator<Item = &'a Verdict>,
    now: Timestamp,
    recheck: SignedDuration,
) -> Vec<AccountId> {
    let mut seen = HashSet::new();
    let due = verdicts.into_iter().filter(|verdict| verdict.is_due(now, recheck));
    due.map(|verdict| verdict.member).filter(|member| seen.insert(*member)).collect()
}

/// The look-ups of some members in all runs of a store, made at `after` or later, by member
/// and time. Pass the end of the crawl that missed them.
///
/// It takes the memory of its answer and of some ten thousand rows, however many others were
/// looked up.
///
/// # Errors
/// If a run of the store cannot be read: its look-ups might be the ones that count.
pub fn look_ups_of(
    store: &Store,
    members: &[AccountId],
    after: Timestamp,
) -> Result<Vec<LookUp>, Error> {
    let mut found = Vec::new();
    for run in runs_with_look_ups(store, after)? {
        let look_ups = run.look_ups_of(members)?;
        found.extend(look_ups.into_iter().filter(|l| l.looked_up_at >= after));
    }
    found.sort_by_key(|l| (l.member, l.looked_up_at));
    Ok(found)
}

/// The runs that may hold look-ups made at `after` or later.
fn runs_with_look_ups(store: &Store, after: Timestamp) -> Result<Vec<Run>, Error> {
    let mut runs = store.runs()?;
    runs.retain(|run| {
        let manifest = run.manifest();
        // With lists, a run's end is that of its crawls.
        let too_old = !manifest.has_lists() && manifest.finished_at < after;
        !too_old && manifest.look_ups() > 0
    });
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Memory;
    use proptest::prelude::*;
    use snapshot::WriterOptions;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn look_up(member: u32, at: i64, outcome: Outcome) -> LookUp {
        let (member, source) = (AccountId::from(member), "x_v2".to_owned());
        LookUp { member, looked_up_at: hour(at), source, outcome, username: None }
    }

    const OUTCOMES: [Outcome; 5] = [
        Outcome::Visible,
        Outcome::Protected,
        Outcome::Suspended,
        Outcome::Missing,
        Outcome::NotShown,
    ];

    /// `visible@0 missing@24`: outcomes and hours, of account 1.
    fn parse(text: &str) -> Vec<LookUp> {
        let one = |word: &str| {
            let (outcome, at) = word.split_once('@').unwrap();
            let outcome = OUTCOMES.into_iter().find(|o| o.name() == outcome).unwrap();
            look_up(1, at.parse().unwrap(), outcome)
        };
        text.split_whitespace().map(one).collect()
    }

    fn check(look_ups: &str, expected: &str) {
        let mut look_ups = parse(look_ups);
        look_ups.reverse();
        look_ups.push(look_up(2, 0, Outcome::Visible));
        let found = verdicts(&[1.into()], &look_ups, RECHECK);
        let [Verdict { member, fate, standing, looked_up_at }] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(member, AccountId::from(1));
        let at = looked_up_at.map_or("never".to_owned(), |t| (t.as_second() / 3600).to_string());
        assert_eq!(format!("{} {} {at}", fate.name(), standing.name()), expected);
    }

    #[test]
    fn nobody_who_was_not_looked_up_has_a_verdict() {
        check("", "unknown provisional never");
    }

    #[test]
    fn one_look_up_is_provisional_whatever_it_says() {
        check("visible@3", "unfollowed provisional 3");
        check("suspended@3", "suspended provisional 3");
        check("missing@3", "deactivated provisional 3");
        check("protected@3", "protected provisional 3");
        check("not_shown@3", "unknown provisional 3");
    }

    #[test]
    fn two_that_agree_a_day_apart_are_final() {
        check("visible@0 visible@24", "unfollowed final 24");
        check("suspended@0 suspended@30", "suspended final 30");
        check("missing@0 missing@24", "deactivated final 24");
        check("not_shown@0 not_shown@24", "unknown final 24");
        check("visible@0 visible@23", "unfollowed provisional 23");
        check("visible@0 visible@12 visible@24", "unfollowed final 24");
    }

    #[test]
    fn an_answer_that_differs_starts_the_wait_anew() {
        check("protected@0 visible@24", "unfollowed provisional 24");
        check("protected@0 visible@24 visible@48", "unfollowed final 48");
        check("missing@0 visible@12 missing@24", "deactivated provisional 24");
    }

    #[test]
    fn who_was_hidden_and_is_back_is_not_said_to_have_left() {
        check("suspended@0 visible@24", "unknown provisional 24");
        check("missing@0 visible@12 visible@36", "unknown final 36");
        check("suspended@0 visible@24 suspended@30 suspended@54", "suspended final 54");
    }

    #[test]
    fn what_becomes_of_it_later_does_not_change_why_it_left() {
        check("suspended@0 suspended@24 visible@9000", "suspended final 24");
    }

    #[test]
    fn each_of_the_lost_has_its_verdict_in_its_place() {
        let look_ups = [look_up(2, 0, Outcome::Missing), look_up(1, 0, Outcome::Visible)];
        let lost = [2, 3, 1, 2].map(AccountId::from);
        let found = verdicts(&lost, &look_ups, RECHECK);
        let fates: Vec<_> = found.iter().map(|v| (v.member, v.fate)).collect();
        let expected = [Fate::Deactivated, Fate::Unknown, Fate::Unfollowed, Fate::Deactivated];
        assert_eq!(fates, lost.into_iter().zip(expected).collect::<Vec<_>>());
        assert_eq!(verdicts(&[], &look_ups, RECHECK), []);
    }

    #[test]
    fn a_look_up_is_due_if_there_is_none_or_if_it_is_old_and_not_final() {
        let due_at = |now| {
            let mut look_ups = parse("visible@0");
            look_ups.extend([look_up(2, 0, Outcome::Missing), look_up(2, 24, Outcome::Missing)]);
            let lost = [3, 1, 2, 3].map(AccountId::from);
            due(&verdicts(&lost, &look_ups, RECHECK), hour(now), RECHECK)
        };
        assert_eq!(due_at(23), [3.into()]);
        assert_eq!(due_at(24), [3.into(), 1.into()]);
    }

    fn histories() -> impl Strategy<Value = Vec<LookUp>> {
        let outcome = prop::sample::select(OUTCOMES[..3].to_vec());
        prop::collection::vec((0..200_i64, outcome), 0..12)
            .prop_map(|all| all.into_iter().map(|(at, o)| look_up(1, at, o)).collect())
    }

    proptest! {
        #[test]
        fn a_verdict_is_final_where_a_pair_agrees(
            mut history in histories(),
            recheck in 1..48_i64,
        ) {
            // Two answers at one time would leave open which is the later.
            history.sort_by_key(|l| l.looked_up_at);
            history.dedup_by_key(|l| l.looked_up_at);
            let found = verdicts(&[1.into()], &history, SignedDuration::from_hours(recheck))[0];
            // Who was hidden once and is visible says no more than one who is not shown.
            for i in 0..history.len() {
                let gone = |l: &LookUp| [Outcome::Suspended, Outcome::Missing].contains(&l.outcome);
                if history[i].outcome == Outcome::Visible && history[..i].iter().any(gone) {
                    history[i].outcome = Outcome::NotShown;
                }
            }
            let recheck = SignedDuration::from_hours(recheck);
            let pairs = (0..history.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
            let settles = |&(i, j): &(usize, usize)| {
                let (a, b) = (&history[i], &history[j]);
                history[i..j].iter().all(|l| l.outcome == b.outcome)
                    && b.looked_up_at.duration_since(a.looked_up_at) >= recheck
            };
            let settled = pairs.into_iter().find(settles).map(|(_, j)| &history[j]);
            prop_assert_eq!(found.standing == Standing::Final, settled.is_some());
            let rests_on = settled.or(history.last());
            prop_assert_eq!(found.looked_up_at, rests_on.map(|l| l.looked_up_at));
            prop_assert_eq!(found.fate, rests_on.map_or(Fate::Unknown, |l| l.outcome.into()));
        }

        #[test]
        fn later_look_ups_leave_a_final_verdict_alone(
            history in histories(),
            outcome in 0..5_usize,
        ) {
            let before = verdicts(&[1.into()], &history, RECHECK)[0];
            let mut more = history;
            more.push(look_up(1, 500, OUTCOMES[outcome]));
            let after = verdicts(&[1.into()], &more, RECHECK)[0];
            prop_assert!(before.standing == Standing::Provisional || before == after);
        }
    }

    #[test]
    fn whoever_looks_up_what_is_due_is_done_after_two_rounds() {
        let lost = [1, 2, 3].map(AccountId::from);
        let (mut look_ups, mut rounds) = (Vec::new(), 0);
        for now in 0..100 {
            let due = due(&verdicts(&lost, &look_ups, RECHECK), hour(now), RECHECK);
            rounds += usize::from(!due.is_empty());
            let answers = due.iter().map(|member| LookUp {
                member: *member,
                ..look_up(0, now, OUTCOMES[usize::try_from(member.get()).unwrap()])
            });
            look_ups.extend(answers);
        }
        assert_eq!((rounds, look_ups.len()), (2, 6));
        let found = verdicts(&lost, &look_ups, RECHECK);
        assert!(found.iter().all(|v| v.standing == Standing::Final));
    }

    #[test]
    fn only_look_ups_after_the_crawl_that_missed_a_member_speak_of_its_loss() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let mut run = store.begin(hour(0), WriterOptions::default()).unwrap();
        let all = [(1, 5, Outcome::Missing), (1, 40, Outcome::Visible), (2, 5, Outcome::Suspended)];
        for (member, at, outcome) in all {
            run.look_up(look_up(member, at, outcome));
        }
        run.publish().unwrap();
        let lost = |account: u32, members: &[u32], end: i64| {
            let list = |ids: &[u32]| {
                let ids = ids.iter().map(|id| AccountId::from(*id));
                crate::Observation::complete(account.into(), List::Followers, ids).unwrap()
            };
            let mut diff = crate::diff(&list(members), &list(&[]), &Memory).unwrap();
            diff.of.after.finished_at = hour(end);
            diff
        };
        let diffs = [lost(7, &[1, 2, 3], 5), lost(8, &[1], 6), lost(9, &[], 0)];
        let found = losses(&store, &diffs, RECHECK).unwrap();
        let shown = |losses: &Losses| {
            let verdicts =
                losses.verdicts.iter().map(|v| format!("{} {}", v.member, v.fate.name()));
            format!("{}: {}", losses.account, verdicts.collect::<Vec<_>>().join(", "))
        };
        let shown: Vec<_> = found.iter().map(shown).collect();
        let expected = ["7: 1 unknown, 2 suspended, 3 unknown", "8: 1 unfollowed", "9: "];
        assert_eq!(shown, expected);
        let naive = |diff: &Diff| {
            let members: Vec<_> = diff.lost.iter().map(|change| change.member).collect();
            let look_ups = look_ups_of(&store, &members, diff.of.after.finished_at).unwrap();
            verdicts(&members, &look_ups, RECHECK)
        };
        for (diff, losses) in diffs.iter().zip(&found) {
            assert_eq!(losses.verdicts, naive(diff));
        }
    }

    #[test]
    fn the_look_ups_of_all_runs_are_gathered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let all = [
            look_up(1, 1, Outcome::Missing),
            look_up(2, 5, Outcome::Visible),
            look_up(1, 6, Outcome::Visible),
            look_up(1, 30, Outcome::Visible),
            look_up(3, 5, Outcome::Visible),
        ];
        for batch in [&all[..1], &all[1..3], &all[3..]] {
            let mut run = store.begin(hour(0), WriterOptions::default()).unwrap();
            for one in batch {
                run.look_up(one.clone());
            }
            run.publish().unwrap();
        }
        let members = [1, 2].map(AccountId::from);
        let found = look_ups_of(&store, &members, hour(5)).unwrap();
        assert_eq!(found, [all[2].clone(), all[3].clone(), all[1].clone()]);
        assert_eq!(look_ups_of(&store, &[], hour(0)).unwrap(), []);
    }
}
