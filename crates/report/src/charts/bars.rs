//! Bars: gains and losses by time, by account, by fate, and by the age of accounts.

use analysis::Fate;
use plotters::style::RGBColor;

use super::{
    Anchor, BLUE, Chart, GREEN, GREY, INK, LINE, MUTED, ORANGE, PURPLE, VERMILLION, draw, line,
    pixels, place, rect, round_up, short, text,
};
use crate::Error;
use crate::text::{counted, grouped, percent};

const WIDTH: i32 = 760;
/// The column of labels, and the row below bars.
const LEFT: i32 = 160;
const ROW: i32 = 26;

fn size(height: i32) -> (u32, u32) {
    (WIDTH.unsigned_abs(), height.unsigned_abs())
}

/// A number on an axis.
fn tick(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        return grouped(value.round() as u64);
    }
    format!("{value:.2}").trim_end_matches('0').to_owned()
}

/// Gains above and losses below a line, bin by bin.
pub(crate) fn course(
    name: &str,
    title: &str,
    bins: &[String],
    gained: &[f64],
    lost: &[f64],
) -> Result<Chart, Error> {
    const HALF: i32 = 100;
    const AXIS: i32 = 64;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let scale = round_up(most(gained).max(most(lost)));
    let (middle, height) = (HALF + 14, 2 * HALF + 50);
    let inner = WIDTH - AXIS - 12;
    let edge = |bin: usize| AXIS + inner * place(bin) / place(bins.len()).max(1);
    let svg = draw(size(height), |area| {
        for part in [-1.0, -0.5, 0.0, 0.5, 1.0_f64] {
            let y = middle - pixels(part, 1.0, HALF);
            line(
                area,
                vec![(AXIS, y), (WIDTH - 12, y)],
                if part == 0.0 { MUTED } else { LINE },
                1,
            )?;
            text(area, (AXIS - 8, y), &tick(scale * part.abs()), Anchor::End, MUTED)?;
        }
        for (bin, (gained, lost)) in gained.iter().zip(lost).enumerate() {
            let (from, to) = (edge(bin) + 1, edge(bin + 1) - 1);
            rect(area, (from, middle - pixels(*gained, scale, HALF)), (to, middle), BLUE)?;
            rect(area, (from, middle), (to, middle + pixels(*lost, scale, HALF)), VERMILLION)?;
        }
        let every = bins.len().div_ceil(6).max(1);
        for (bin, label) in bins.iter().enumerate().step_by(every) {
            let (x, y) = (edge(bin), height - 14);
            line(area, vec![(x, height - 30), (x, height - 24)], MUTED, 1)?;
            let anchor = if x + 60 > WIDTH { Anchor::End } else { Anchor::Start };
            text(area, (x, y), label, anchor, MUTED)?;
        }
        Ok(())
    })?;
    let sum = |values: &[f64]| values.iter().sum::<f64>().round();
    let description = format!(
        "Bars up are members gained, bars down members lost, in {}; {:.0} gained and {:.0} lost in all, each \
         spread over the time in which it may have happened.",
        counted(bins.len() as u64, "bin"),
        sum(gained),
        sum(lost)
    );
    Ok(Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        description,
        legend: vec![(BLUE, "gained (up)"), (VERMILLION, "lost (down)")],
        svg,
    })
}

/// An account's gains and losses as shares of its opening.
pub(crate) struct Balance<'a> {
    pub(crate) label: &'a str,
    pub(crate) gained: Option<f64>,
    pub(crate) lost: Option<f64>,
}

/// Gains to the right and losses to the left, account by account.
pub(crate) fn balances(rows: &[Balance<'_>]) -> Result<Chart, Error> {
    let shares = rows.iter().flat_map(|row| [row.gained, row.lost]).flatten();
    let scale = shares.fold(0.0, f64::max);
    let half = (WIDTH - LEFT - 140) / 2;
    let middle = LEFT + 70 + half;
    let height = ROW * place(rows.len()) + 8;
    let svg = draw(size(height), |area| {
        for (i, row) in rows.iter().enumerate() {
            let y = ROW * place(i) + 17;
            text(area, (LEFT - 8, y), &short(row.label), Anchor::End, INK)?;
            for (share, sign, color) in [(row.gained, 1, BLUE), (row.lost, -1, VERMILLION)] {
                let Some(share) = share else { continue };
                let end = middle + sign * pixels(share, scale, half);
                rect(area, (middle.min(end), y - 8), (middle.max(end), y + 8), color)?;
                let anchor = if sign > 0 { Anchor::Start } else { Anchor::End };
                text(area, (end + sign * 6, y), &percent(share), anchor, MUTED)?;
            }
        }
        line(area, vec![(middle, 4), (middle, height - 4)], MUTED, 1)
    })?;
    Ok(Chart {
        name: "balances".to_owned(),
        title: "Gained and lost in percent of the opening, by account".to_owned(),
        description: "For each account, a bar to the right for the gained and one to the left for \
                      the lost; the numbers are those of the table above."
            .to_owned(),
        legend: vec![(VERMILLION, "lost (left)"), (BLUE, "gained (right)")],
        svg,
    })
}

/// In the order of [`Fate::ALL`].
const FATES: [RGBColor; 5] = [BLUE, VERMILLION, ORANGE, PURPLE, GREY];

/// What became of the lost, as parts of a whole, row by row.
pub(crate) fn fates(rows: &[(&str, [u64; 5])]) -> Result<Chart, Error> {
    let inner = WIDTH - LEFT - 70;
    let height = ROW * place(rows.len()) + 8;
    let svg = draw(size(height), |area| {
        for (i, (label, counts)) in rows.iter().enumerate() {
            let y = ROW * place(i) + 17;
            let all: u64 = counts.iter().sum();
            text(area, (LEFT - 8, y), &short(label), Anchor::End, INK)?;
            let mut before = 0;
            for (count, color) in counts.iter().zip(FATES) {
                let from = LEFT + pixels(before as f64, all as f64, inner);
                before += count;
                let to = LEFT + pixels(before as f64, all as f64, inner);
                if to > from {
                    rect(area, (from, y - 8), (to - 1, y + 8), color)?;
                }
            }
            text(area, (LEFT + inner + 8, y), &grouped(all), Anchor::Start, MUTED)?;
        }
        Ok(())
    })?;
    Ok(Chart {
        name: "fates".to_owned(),
        title: "Lost members by what became of them".to_owned(),
        description: "Each bar is all lost members of a list, from the left: unfollowed, \
                      suspended, deactivated, protected, unknown; the number at its end is how \
                      many were lost. The table above has every number."
            .to_owned(),
        legend: FATES.into_iter().zip(Fate::ALL.map(Fate::name)).collect(),
        svg,
    })
}

/// Shares by year, of all members and of the gained side by side.
pub(crate) fn ages(
    years: &[(i16, Option<f64>, Option<f64>)],
    has_gained: bool,
) -> Result<Chart, Error> {
    let title = "Members by the year in which their accounts were opened";
    by_year("ages", title, years, has_gained)
}

/// Members by the year in which they followed: shares.
pub(crate) fn came(years: &[(i16, Option<f64>)]) -> Result<Chart, Error> {
    let years: Vec<_> = years.iter().map(|(year, share)| (*year, *share, None)).collect();
    by_year("came", "Members of today by the year in which they followed", &years, false)
}

fn by_year(
    name: &str,
    title: &str,
    years: &[(i16, Option<f64>, Option<f64>)],
    has_gained: bool,
) -> Result<Chart, Error> {
    const HIGH: i32 = 180;
    const AXIS: i32 = 64;
    let shares = years.iter().flat_map(|(_, all, gained)| [*all, *gained]).flatten();
    let scale = round_up(shares.fold(0.0, f64::max));
    let (floor, inner) = (HIGH + 12, WIDTH - AXIS - 12);
    let edge = |bin: usize| AXIS + inner * place(bin) / place(years.len()).max(1);
    let svg = draw(size(HIGH + 46), |area| {
        for part in [0.0, 0.5, 1.0_f64] {
            let y = floor - pixels(part, 1.0, HIGH);
            line(area, vec![(AXIS, y), (WIDTH - 12, y)], LINE, 1)?;
            text(area, (AXIS - 8, y), &percent(scale * part), Anchor::End, MUTED)?;
        }
        let every = years.len().div_ceil(12).max(1);
        for (i, (year, all, gained)) in years.iter().enumerate() {
            let (from, to) = (edge(i) + 2, edge(i + 1) - 2);
            let middle = if has_gained { i32::midpoint(from, to) } else { to };
            let top = |share: Option<f64>| floor - pixels(share.unwrap_or(0.0), scale, HIGH);
            rect(area, (from, top(*all)), (middle, floor), GREY)?;
            if has_gained {
                rect(area, (middle, top(*gained)), (to, floor), BLUE)?;
            }
            if i % every == 0 {
                let at = (i32::midpoint(from, to), floor + 18);
                text(area, at, &year.to_string(), Anchor::Middle, MUTED)?;
            }
        }
        line(area, vec![(AXIS, floor), (WIDTH - 12, floor)], MUTED, 1)
    })?;
    let mut legend = vec![(GREY, "all members")];
    if has_gained {
        legend.push((BLUE, "gained"));
    }
    Ok(Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        description: format!(
            "Bars by year from {} to {}: the share of all members{}.",
            years.first().map_or(0, |year| year.0),
            years.last().map_or(0, |year| year.0),
            if has_gained { ", and of the gained beside it" } else { "" }
        ),
        legend,
        svg,
    })
}

/// The colour of mutual follows, which other charts use too.
pub(super) const MUTUAL: RGBColor = GREEN;
