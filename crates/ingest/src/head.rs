//! Head refreshes: reading a list's newest part, down to ids that are known.
//!
//! The list comes newest first, so once a stretch of it is known from a complete reading, in
//! the order it had there, what is below has been seen already. A single known id proves
//! nothing: somebody may have left and come back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use snapshot::{AccountId, List, Run, RunId};

use crate::Error;

/// Known ids in a row, in their known order, that end a head refresh.
pub(crate) const STRETCH: u32 = 50;
/// Known ids that must have been met before their order can be called wrong.
const JUDGED_MIN: u64 = 40;

/// How a head refresh goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meeting {
    /// Known ids in a row at the end of what was read, in the order they are known in.
    pub(crate) stretch: u32,
    /// The known position of the last of them.
    pub(crate) position: u32,
    /// Known ids so far.
    pub(crate) known: u64,
    /// How many of them, at least, are out of order.
    pub(crate) displaced: u64,
}

impl Meeting {
    /// Takes in a page: for each id its position in the known list, if it is in it.
    pub(crate) fn page(mut self, positions: &[Option<u32>]) -> Self {
        for position in positions {
            match position {
                Some(position) if self.stretch == 0 || *position > self.position => {
                    self.stretch += 1;
                    self.position = *position;
                }
                Some(position) => (self.stretch, self.position) = (1, *position),
                None => self.stretch = 0,
            }
        }
        let known: Vec<_> = positions.iter().flatten().copied().collect();
        self.known += known.len() as u64;
        self.displaced += (known.len() - longest_rise(&known)) as u64;
        self
    }

    /// Whether what is below has been seen already.
    pub(crate) fn is_met(self) -> bool {
        self.stretch >= STRETCH
    }

    /// Whether the list is not in the order it was in, so that meeting known ids says
    /// nothing: more than a quarter of those met are out of place.
    pub(crate) fn is_disordered(self) -> bool {
        self.known >= JUDGED_MIN && self.displaced * 4 > self.known
    }
}

/// The length of the longest strictly rising subsequence, by patience sorting: O(n log n).
fn longest_rise(positions: &[u32]) -> usize {
    let mut tops: Vec<u32> = Vec::new();
    for position in positions {
        let pile = tops.partition_point(|top| top < position);
        match tops.get_mut(pile) {
            Some(top) => *top = *position,
            None => tops.push(*position),
        }
    }
    tops.len()
}

/// The complete reading of a list that a head refresh is to meet.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    run: Arc<Run>,
    account: AccountId,
    list: List,
}

impl Known {
    pub(crate) fn new(run: Arc<Run>, account: AccountId, list: List) -> Self {
        Self { run, account, list }
    }

    pub(crate) fn run(&self) -> RunId {
        self.run.id()
    }

    /// The known position of each id.
    pub(crate) async fn positions(&self, ids: &[AccountId]) -> Result<Vec<Option<u32>>, Error> {
        let (known, ids) = (self.clone(), ids.to_vec());
        let look_up = move || {
            let reader = known.run.list(known.list)?;
            reader.positions_of(known.account, &ids)
        };
        let found = tokio::task::spawn_blocking(look_up).await;
        let found = found.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        found.map_err(|e| Error::store("cannot read the snapshot to refresh", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(range: std::ops::Range<u32>) -> Vec<Option<u32>> {
        range.map(Some).collect()
    }

    #[test]
    fn a_stretch_may_cross_pages() {
        let news = vec![None; 100];
        let meeting = Meeting::default().page(&news).page(&known(0..30));
        assert!(!meeting.is_met());
        assert!(meeting.page(&known(30..60)).is_met());
        assert!(!meeting.page(&news).page(&known(30..60)).is_met(), "news break it");
        assert!(!meeting.page(&known(0..30)).is_met(), "so does going back");
    }

    #[test]
    fn who_left_and_came_back_does_not_hide_the_order() {
        let mut page = vec![Some(900), None, Some(17), None];
        page.extend(known(0..17));
        page.extend(known(18..90));
        let meeting = Meeting::default().page(&page);
        assert!(meeting.is_met() && !meeting.is_disordered(), "{meeting:?}");
        assert_eq!((meeting.known, meeting.displaced), (91, 2));
    }

    #[test]
    fn a_shuffled_list_is_noticed() {
        let page: Vec<_> = (0..200_u32).map(|i| Some(i * 77 % 200)).collect();
        let meeting = Meeting::default().page(&page);
        assert!(meeting.is_disordered() && !meeting.is_met(), "{meeting:?}");
    }

    proptest! {
        #[test]
        fn the_longest_rise_is_the_longest(positions in prop::collection::vec(0..20_u32, 0..12)) {
            let subsets = (0..1_u32 << positions.len()).map(|set| {
                let chosen = positions.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
                chosen.map(|(_, position)| *position).collect::<Vec<_>>()
            });
            let rises = |chosen: &Vec<u32>| chosen.is_sorted_by(|a, b| a < b);
            let longest = subsets.filter(rises).map(|chosen| chosen.len()).max().unwrap();
            prop_assert_eq!(longest_rise(&positions), longest);
        }
    }
}
