//! An `UpSet` plot (A. Lex, N. Gehlenborg, H. Strobelt, R. Vuillemot, H. Pfister: `UpSet`:
//! visualization of intersecting sets, IEEE TVCG 20, 2014): one column for each exclusive
//! combination of lists, with its members as a bar and its lists as dots.

use super::{
    Anchor, BLUE, Chart, GREY, INK, LINE, MUTED, dot, draw, line, pixels, place, rect, round_up,
    short, text,
};
use crate::Error;
use crate::text::{counted, grouped};

const LEFT: i32 = 230;
const BARS: i32 = 150;
const STEP: i32 = 22;
/// The bars of the lists' sizes, left of their names.
const SIZES: i32 = 70;

/// Lists with their sizes, and cells as places of lists with their members, largest first.
pub(crate) fn upset(
    sets: &[(&str, u64)],
    cells: &[(Vec<usize>, u64)],
    all_cells: u64,
) -> Result<Chart, Error> {
    let width = (LEFT + STEP * place(cells.len()) + 20).max(420);
    let top = BARS + 24;
    let height = top + STEP * place(sets.len()) + 16;
    let most = cells.iter().map(|cell| cell.1).max().unwrap_or(1) as f64;
    let largest = sets.iter().map(|set| set.1).max().unwrap_or(1) as f64;
    let scale = round_up(most);
    let row = |set: usize| top + STEP * place(set) + STEP / 2;
    let column = |cell: usize| LEFT + STEP * place(cell) + STEP / 2;
    let svg = draw((width.unsigned_abs(), height.unsigned_abs()), |area| {
        for part in [0.0, 0.5, 1.0_f64] {
            let y = BARS + 12 - pixels(part, 1.0, BARS);
            line(area, vec![(LEFT, y), (width - 10, y)], LINE, 1)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let shown = grouped((scale * part).round() as u64);
            text(area, (LEFT - 8, y), &shown, Anchor::End, MUTED)?;
        }
        for (set, (label, size)) in sets.iter().enumerate() {
            let y = row(set);
            if set % 2 == 0 {
                line(area, vec![(LEFT, y), (width - 10, y)], LINE, 1)?;
            }
            let length = pixels(*size as f64, largest, SIZES);
            rect(area, (SIZES + 8 - length, y - 6), (SIZES + 8, y + 6), GREY)?;
            text(area, (LEFT - 8, y), &short(label), Anchor::End, INK)?;
        }
        for (cell, (lists, members)) in cells.iter().enumerate() {
            let x = column(cell);
            let high = pixels(*members as f64, scale, BARS).max(1);
            rect(area, (x - 7, BARS + 12 - high), (x + 7, BARS + 12), BLUE)?;
            for set in 0..sets.len() {
                dot(area, (x, row(set)), 4, LINE)?;
            }
            if let (Some(first), Some(last)) = (lists.iter().min(), lists.iter().max()) {
                line(area, vec![(x, row(*first)), (x, row(*last))], INK, 2)?;
            }
            for set in lists {
                dot(area, (x, row(*set)), 6, INK)?;
            }
        }
        Ok(())
    })?;
    let title = if (cells.len() as u64) < all_cells {
        format!("The {} largest of {} exclusive combinations", cells.len(), grouped(all_cells))
    } else {
        "All exclusive combinations".to_owned()
    };
    Ok(Chart {
        name: "upset".to_owned(),
        title,
        description: format!(
            "{} of {}: a bar for the members of exactly the lists that are marked by dots below \
             it. The table below has every number.",
            counted(cells.len() as u64, "combination"),
            counted(sets.len() as u64, "list")
        ),
        legend: vec![(BLUE, "members of exactly these lists"), (GREY, "members of a list")],
        svg,
    })
}
