//! Tells by the first bytes of an input what has made it.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use snapshot::{AccountId, List};

use super::input::{BUFFER, Input, LINE_BYTES_MAX, Lines};
use super::json::{self, Id, Wrong};
use super::{AccountColumn, Intake, archive, ids, table, twarc};
use crate::Error;

/// What made an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One id a line, as `twarc followers` and many others write.
    Ids,
    /// X's own data archive: the zip, or `follower.js` and `following.js` out of it.
    XArchive,
    /// `twarc2 followers` and `twarc2 following`, as they are or flattened.
    Twarc2,
    /// `twarc users`: a v1.1 user object a line.
    Users,
    /// `minet twitter followers` and `friends`: a table with a column `follower_id` or
    /// `friend_id`.
    Minet,
    /// JSON or CSV of twitter-web-exporter.
    WebExporter,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Ids, Self::XArchive, Self::Twarc2, Self::Users, Self::Minet, Self::WebExporter];

    /// The name used in options and in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::XArchive => "x-archive",
            Self::Twarc2 => "twarc2",
            Self::Users => "users",
            Self::Minet => "minet",
            Self::WebExporter => "web-exporter",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ids => "an id list",
            Self::XArchive => "X's data archive",
            Self::Twarc2 => "output of twarc2",
            Self::Users => "users of the API v1.1",
            Self::Minet => "a table of minet",
            Self::WebExporter => "an export of twitter-web-exporter",
        })
    }
}

/// What the importer was told.
pub(super) struct Asked<'a> {
    pub(super) format: Option<Format>,
    pub(super) account: Option<&'a AccountColumn>,
    pub(super) list: Option<List>,
    pub(super) time: Option<Timestamp>,
    pub(super) delimiter: Option<u8>,
}

impl Asked<'_> {
    /// The one account that was named, if any.
    pub(super) fn account(&self) -> Result<Option<AccountId>, Error> {
        match self.account {
            Some(AccountColumn::Fixed(account)) => Ok(Some(*account)),
            Some(AccountColumn::Column(_)) => {
                Err(Error::usage("only a table has a column of accounts")
                    .hint("say --account ID, or nothing if the file says whose list it is"))
            }
            None => Ok(None),
        }
    }

    /// The account that must be named, because the format does not.
    pub(super) fn account_or(
        &self,
        input: &Input,
        line: u64,
        format: Format,
    ) -> Result<AccountId, Error> {
        self.account()?.ok_or_else(|| {
            let what = format_args!("{format} do not say whose list it is");
            let what = match format {
                Format::Users => what.to_string(),
                _ => format!("{format} does not say whose list it is"),
            };
            Error::input(input, line, what).hint("say it with --account ID")
        })
    }

    /// The account that the file names, which must be the one that was named, if any.
    pub(super) fn account_is(
        &self,
        name: &str,
        line: u64,
        found: AccountId,
    ) -> Result<AccountId, Error> {
        match self.account()? {
            Some(said) if said != found => {
                Err(Error::input(name, line, format_args!("the file is of {found}, not of {said}"))
                    .hint("leave --account out: the file says whose list it is"))
            }
            _ => Ok(found),
        }
    }

    /// The list that the file names, likewise.
    pub(super) fn list_is(&self, name: &str, found: List) -> Result<List, Error> {
        match self.list {
            Some(said) if said != found => {
                Err(Error::input(name, 1, format_args!("the file is a {found} list, not {said}"))
                    .hint("leave --list out: the file says which list it is"))
            }
            _ => Ok(found),
        }
    }
}

/// How much of an input is looked at.
const HEAD: u64 = LINE_BYTES_MAX;

/// Takes an input for what it looks like, or for what the user says it is.
pub(super) fn read(input: &Input, asked: &Asked<'_>, intake: &mut Intake<'_>) -> Result<(), Error> {
    let mut text = input.open()?;
    let mut head = Vec::new();
    let failed = text.by_ref().take(HEAD).read_to_end(&mut head).err();
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return match input {
            Input::File(path) => archive::zip(path, asked, intake),
            Input::Stdin => Err(Error::input(input, 1, "a zip cannot be read from a pipe")
                .hint("name the file: the table of contents is at its end")),
        };
    }
    let format = asked.format.unwrap_or_else(|| format_of(&head));
    let json = start(&head).starts_with('[');
    let header = header(&head);
    let delimiter = asked.delimiter.unwrap_or_else(|| table::guess_delimiter(&head_line(&head)));
    // A failure is met again where it happened, so that it can be told with its line.
    let text = Cursor::new(head).chain(Failure(failed)).chain(text);
    let text: Box<dyn BufRead> = Box::new(BufReader::with_capacity(BUFFER, text));
    match format {
        Format::Ids => {
            let Some(account) = asked.account()? else { return Err(whose()) };
            let list = asked.list.unwrap_or(List::Followers);
            intake.aim(list);
            intake.facts(account, list, |_| ());
            ids::take(input, Lines::over(input, text, LINE_BYTES_MAX), account, intake)
        }
        Format::XArchive => archive::loose(input, text, asked, intake),
        Format::Twarc2 | Format::Users => twarc::read(input, text, asked, intake),
        Format::Minet => minet(input, text, &header, asked, delimiter, intake),
        Format::WebExporter => exported(input, text, json, asked, delimiter, intake),
    }
}

fn whose() -> Error {
    Error::usage("whose list is it?")
        .hint("give --account ID; or --account-column and --member-column for a table; or --edges")
}

/// Fails once, or is at its end.
struct Failure(Option<io::Error>);

impl Read for Failure {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn start(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head.get(..256).unwrap_or(head));
    text.trim_start_matches('\u{feff}').trim_start().to_owned()
}

fn head_line(head: &[u8]) -> Vec<u8> {
    head.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec()
}

/// The names of columns, if it is a table.
fn header(head: &[u8]) -> Vec<String> {
    let line = head_line(head);
    let delimiter = char::from(table::guess_delimiter(&line));
    let line = String::from_utf8_lossy(&line);
    let names = line.trim_start_matches('\u{feff}').split(delimiter);
    names.map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

fn format_of(head: &[u8]) -> Format {
    let start = start(head);
    if start.starts_with("window.") {
        return Format::XArchive;
    }
    match start.chars().next() {
        Some('[') => return Format::WebExporter,
        Some('{') => return Format::Twarc2,
        _ => {}
    }
    let header = header(head);
    let has = |name: &str| header.iter().any(|column| column == name);
    if member_column(&header).is_some() {
        Format::Minet
    } else if has("id") && has("screen_name") && has("followers_count") {
        Format::WebExporter
    } else {
        Format::Ids
    }
}

/// The column of members of a table of minet, which early versions call `followers_id`.
fn member_column(header: &[String]) -> Option<(&str, List)> {
    header.iter().find_map(|name| match name.as_str() {
        "follower_id" | "followers_id" => Some((name.as_str(), List::Followers)),
        "friend_id" | "friends_id" => Some((name.as_str(), List::Following)),
        _ => None,
    })
}

const INTERRUPTED: &str =
    "the table does not tell whether minet was interrupted; if it is whole, say --complete";

fn minet(
    input: &Input,
    text: Box<dyn BufRead>,
    header: &[String],
    asked: &Asked<'_>,
    delimiter: u8,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let Some((member, list)) = member_column(header) else {
        return Err(Error::input(
            input,
            1,
            "there is neither a column `follower_id` nor `friend_id`",
        )
        .hint("name the columns with --account-column and --member-column"));
    };
    let list = asked.list_is(&input.to_string(), list)?;
    let guessed;
    let account = if let Some(said) = asked.account {
        said
    } else {
        let others: Vec<_> = header.iter().filter(|name| *name != member).collect();
        let [only] = others.as_slice() else {
            return Err(Error::input(input, 1, "which column says whose list it is?").hint(format!(
                "name one that holds numeric ids with --account-column, or the account with --account; the columns are: {}",
                header.join(", ")
            )));
        };
        guessed = AccountColumn::Column((*only).clone());
        &guessed
    };
    intake.is(Format::Minet);
    intake.aim(list);
    if let AccountColumn::Fixed(account) = account {
        intake.facts(*account, list, |_| ());
    }
    let mut others = header.iter().filter(|name| *name != member);
    let agrees = match (account, others.next(), others.next()) {
        (AccountColumn::Fixed(account), Some(only), None) => Some((only.as_str(), *account)),
        _ => None,
    };
    let columns = table::Columns { account, member, time: None, agrees };
    table::take(input, text, &columns, Some(delimiter), intake)?;
    intake.doubt(INTERRUPTED);
    Ok(())
}

#[derive(Deserialize)]
struct Exported {
    id: Option<Id>,
    id_str: Option<Id>,
    rest_id: Option<Id>,
}

const SCROLLED: &str =
    "a browser exports what was scrolled into view; if that was all, say --complete";

fn exported(
    input: &Input,
    text: Box<dyn BufRead>,
    json: bool,
    asked: &Asked<'_>,
    delimiter: u8,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let account = asked.account_or(input, 1, Format::WebExporter)?;
    let (named, time) = match input {
        Input::File(path) => by_name(path),
        Input::Stdin => (None, None),
    };
    let list = asked.list.or(named).unwrap_or(List::Followers);
    intake.is(Format::WebExporter);
    intake.aim(list);
    intake.facts(account, list, |facts| facts.window = time.map(|time| (time, time)));
    if json {
        json::array(&input.to_string(), text, |index, user: Exported| {
            let Some(id) = user.id_str.or(user.rest_id).or(user.id) else {
                return Err(Wrong::Shape("has no `id`".to_owned()));
            };
            let member = id.0.map_err(Wrong::Id)?;
            intake.take(None, account, member, index).map_err(Wrong::Kept)
        })?;
    } else {
        let account = AccountColumn::Fixed(account);
        let columns = table::Columns { account: &account, member: "id", time: None, agrees: None };
        table::take(input, text, &columns, Some(delimiter), intake)?;
    }
    intake.doubt(SCROLLED);
    Ok(())
}

/// `twitter-Followers-1700000000000.json` says which list and when.
fn by_name(path: &Path) -> (Option<List>, Option<Timestamp>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((title, rest)) = name.strip_prefix("twitter-").and_then(|rest| rest.rsplit_once('-'))
    else {
        return (None, None);
    };
    let list = match title.to_ascii_lowercase().as_str() {
        "followers" => Some(List::Followers),
        "following" => Some(List::Following),
        _ => None,
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let time = if digits.len() == 13 { super::times::parse(&digits).ok() } else { None };
    (list, time)
}
