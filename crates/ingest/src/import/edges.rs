//! Edge lists in the form that SNAP and KONECT publish: `u v` on a line, comments after `#`
//! or `%`, sometimes a weight and a time as well.

use super::Intake;
use super::NoteKind;
use super::input::{Input, Lines};
use crate::Error;

/// Takes every edge of an input: u follows v.
pub(super) fn read(
    input: &Input,
    delimiter: Option<u8>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let delimiter = delimiter.map(char::from);
    let mut lines = Lines::of(input)?;
    while let Some((number, line)) = lines.next()? {
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        let mut columns = line
            .split(|c: char| delimiter.map_or_else(|| c.is_ascii_whitespace(), |d| c == d))
            .map(str::trim)
            .filter(|column| delimiter.is_some() || !column.is_empty());
        let follower = input.id(number, columns.next().unwrap_or_default())?;
        let Some(followed) = columns.next() else {
            return Err(Error::input(input, number, "an edge needs two ids, and there is one")
                .hint("one id a line is an id list; columns parted by commas are a table"));
        };
        let followed = input.id(number, followed)?;
        let more = columns.next().is_some();
        if more {
            intake.note(NoteKind::ExtraColumns, number);
        }
        intake.take(None, follower, followed, number)?;
    }
    Ok(())
}
