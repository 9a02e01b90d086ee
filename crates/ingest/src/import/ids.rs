//! Id lists: one id a line.

use snapshot::AccountId;

use super::Intake;
use super::input::{Input, Lines};
use crate::Error;

/// Takes every id of an input as a member of `account`'s list.
pub(super) fn read(
    input: &Input,
    account: AccountId,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    take(input, Lines::of(input)?, account, intake)
}

/// Takes the ids of what was opened already.
pub(super) fn take(
    input: &Input,
    mut lines: Lines<'_>,
    account: AccountId,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    while let Some((number, line)) = lines.next()? {
        let text = line.split('#').next().unwrap_or_default().trim_end();
        if !text.is_empty() {
            intake.take(None, account, input.id(number, text)?, number)?;
        }
    }
    Ok(())
}
