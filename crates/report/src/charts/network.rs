//! Accounts on a circle, and their ties as curves through it.
//!
//! Accounts are evenly spaced by height, not by angle, so that names never cover each other
//! however many there are. Their order puts an account next to those it has most ties with,
//! which shortens curves. No randomness, and no function that rounds differently elsewhere.

use super::bars::MUTUAL;
use super::{Anchor, BLUE, Chart, GREY, INK, dot, draw, line, place, short, text};
use crate::Error;
use crate::text::{counted, grouped};

const WIDTH: i32 = 760;
/// Left and right of the circle, for names.
const SIDE: i32 = 180;
/// The least height that a name needs.
const ROW: i32 = 22;

/// Names, and ties as (who follows, whom, whether mutual).
pub(crate) fn network(names: &[&str], ties: &[(usize, usize, bool)]) -> Result<Chart, Error> {
    let order = arrange(names.len(), ties);
    let per_side = place(names.len().div_ceil(2)).max(1);
    let high = (ROW * per_side).max(320);
    let height = high + 40;
    let (middle, half) = ((WIDTH / 2, height / 2), (WIDTH / 2 - SIDE, high / 2));
    let mut at = vec![(0, 0); names.len()];
    let mut is_right = vec![false; names.len()];
    for (turn, account) in order.iter().enumerate() {
        // Down the right side, and up the left one.
        let turn = place(turn);
        let (right, step) =
            if turn < per_side { (true, turn) } else { (false, 2 * per_side - 1 - turn) };
        let y = 20 + high * (2 * step + 1) / (2 * per_side);
        let rise = f64::from(y - middle.1) / f64::from(half.1);
        let out = (1.0 - rise * rise).max(0.0).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "a pixel")]
        let x = (f64::from(half.0) * out).round() as i32;
        at[*account] = (if right { middle.0 + x } else { middle.0 - x }, y);
        is_right[*account] = right;
    }
    let svg = draw((WIDTH.unsigned_abs(), height.unsigned_abs()), |area| {
        // Mutual ties are drawn last, and so lie above the others.
        for wanted in [false, true] {
            for (from, to, mutual) in ties.iter().filter(|tie| tie.2 == wanted) {
                let points = curve(at[*from], at[*to], middle);
                if *mutual {
                    line(area, points, MUTUAL, 2)?;
                } else {
                    // A dot near whom it points to.
                    let tip = points[points.len() - 2];
                    line(area, points, GREY, 1)?;
                    dot(area, tip, 2, INK)?;
                }
            }
        }
        for (account, name) in names.iter().enumerate() {
            let (x, y) = at[account];
            dot(area, (x, y), 5, BLUE)?;
            let (x, anchor) =
                if is_right[account] { (x + 10, Anchor::Start) } else { (x - 10, Anchor::End) };
            text(area, (x, y), &short(name), anchor, INK)?;
        }
        Ok(())
    })?;
    let mutual = ties.iter().filter(|tie| tie.2).count() as u64;
    Ok(Chart {
        name: "network".to_owned(),
        title: "Who of the watched accounts follows whom of them".to_owned(),
        description: format!(
            "{} on a circle, {} between them, {} mutual; the tables below list them.",
            counted(names.len() as u64, "account"),
            counted(ties.len() as u64, "tie"),
            grouped(mutual)
        ),
        legend: vec![
            (MUTUAL, "follow each other (thick)"),
            (GREY, "one follows the other; the dot is at whom is followed"),
        ],
        svg,
    })
}

/// An order in which accounts with many ties to those just placed come next. O(accounts²).
fn arrange(accounts: usize, ties: &[(usize, usize, bool)]) -> Vec<usize> {
    let mut weight = vec![vec![0_u32; accounts]; accounts];
    for (from, to, mutual) in ties {
        let more = if *mutual { 2 } else { 1 };
        weight[*from][*to] += more;
        weight[*to][*from] += more;
    }
    let degree = |account: usize| weight[account].iter().sum::<u32>();
    let mut left: Vec<usize> = (0..accounts).collect();
    let mut order: Vec<usize> = Vec::with_capacity(accounts);
    while !left.is_empty() {
        let pull = |account: usize| {
            let near = order.iter().rev().take(3).map(|placed| weight[account][*placed]);
            (near.sum::<u32>(), degree(account), std::cmp::Reverse(account))
        };
        let next = (0..left.len()).max_by_key(|i| pull(left[*i])).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// Points of a curve that is drawn towards the middle.
fn curve(from: (i32, i32), to: (i32, i32), middle: (i32, i32)) -> Vec<(i32, i32)> {
    const STEPS: i32 = 14;
    // A quadratic Bézier curve whose control point lies halfway to the middle.
    let control = |a: i32, b: i32, m: i32| (a + b + 2 * m) / 4;
    let point = |step: i32| {
        let (t, u) = (step, STEPS - step);
        let blend = |a: i32, b: i32, m: i32| {
            (u * u * a + 2 * u * t * control(a, b, m) + t * t * b) / (STEPS * STEPS)
        };
        (blend(from.0, to.0, middle.0), blend(from.1, to.1, middle.1))
    };
    (0..=STEPS).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_placed_once_and_friends_side_by_side() {
        let order = arrange(5, &[(0, 3, true), (1, 4, false)]);
        let place = |account| order.iter().position(|a| *a == account).unwrap();
        assert_eq!(place(0).abs_diff(place(3)), 1);
        assert_eq!(place(1).abs_diff(place(4)), 1);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4]);
        assert_eq!(curve((0, 0), (100, 0), (50, 50)).first(), Some(&(0, 0)));
        assert_eq!(curve((0, 0), (100, 0), (50, 50)).last(), Some(&(100, 0)));
    }
}
