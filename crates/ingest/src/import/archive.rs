//! X's own data archive: `follower.js` and `following.js`, loose or in the zip, with
//! `account.js` and `manifest.js`, which tell whose they are and of when.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use snapshot::{AccountId, List};
use zip::ZipArchive;
use zip::result::ZipError;

use super::input::{BUFFER, Input, broken};
use super::json::{self, Id, Wrong};
use super::recognise::Asked;
use super::{Format, Intake, times};
use crate::{Error, ErrorKind};

/// What the archive says of itself.
#[derive(Debug, Default)]
struct About {
    account: Option<AccountId>,
    time: Option<Timestamp>,
    /// X has split the archive, and this is one piece.
    in_pieces: bool,
    followers: Option<u64>,
    following: Option<u64>,
}

/// The file of a list that is numbered one higher, if it lies beside this one.
fn has_next(input: &Input, list: List, part: u32) -> bool {
    let stem = match list {
        List::Followers => "follower",
        List::Following => "following",
    };
    match (input, part.checked_add(1)) {
        (Input::File(path), Some(next)) => {
            path.with_file_name(format!("{stem}-part{next}.js")).is_file()
        }
        _ => false,
    }
}

/// Takes the lists out of the zip.
pub(super) fn zip(path: &Path, asked: &Asked<'_>, intake: &mut Intake<'_>) -> Result<(), Error> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut zip = ZipArchive::new(BufReader::with_capacity(BUFFER, file)).map_err(|e| {
        complaint(path, "the zip archive cannot be read")
            .because(e)
            .hint("it is not whole, or no zip: fetch it again; nothing was published")
    })?;
    let mut lists = BTreeSet::new();
    let (mut account, mut manifest, mut folders) = (None, None, BTreeSet::new());
    for index in 0..zip.len() {
        let Some(Ok(name)) = zip.name_for_index(index) else { continue };
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", &name));
        match last {
            "account.js" => account = Some((name.to_string(), index)),
            "manifest.js" => manifest = Some((name.to_string(), index)),
            _ => {
                if let Some((list, part)) = part_of(last) {
                    folders.insert(folder.to_owned());
                    lists.insert((list, part, name.to_string(), index));
                }
            }
        }
    }
    if lists.is_empty() {
        return Err(complaint(path, "there is neither a follower.js nor a following.js in the zip")
            .hint("X's archive has them in its folder `data`; is this another zip, or another piece of the archive?"));
    }
    if folders.len() > 1 {
        return Err(complaint(path, "the zip holds several archives")
            .hint("unpack it and import the `data` folder of each on its own"));
    }
    let mut about = About::default();
    if let Some((name, index)) = account {
        let name = format!("{}:{name}", path.display());
        about.account(&name, entry(&mut zip, &name, index)?)?;
    }
    if let Some((name, index)) = manifest {
        let name = format!("{}:{name}", path.display());
        about.manifest(&name, entry(&mut zip, &name, index)?)?;
    }
    for (_, _, name, index) in lists {
        let name = format!("{}:{name}", path.display());
        intake.within(&name);
        let text = BufReader::with_capacity(BUFFER, entry(&mut zip, &name, index)?);
        part(&name, text, &about, asked, intake)?;
    }
    Ok(())
}

/// Takes a loose file of the archive.
pub(super) fn loose(
    input: &Input,
    text: impl BufRead,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let mut about = About::default();
    if let Input::File(path) = input {
        let beside = |name: &str| {
            let path = path.with_file_name(name);
            let file =
                path.is_file().then(|| File::open(&path).map_err(|e| Error::io("open", &path, e)));
            file.transpose().map(|file| file.map(|file| (path.display().to_string(), file)))
        };
        if let Some((name, file)) = beside("account.js")? {
            about.account(&name, file)?;
        }
        if let Some((name, file)) = beside("manifest.js")? {
            about.manifest(&name, file)?;
        }
    }
    let (account, list, number) = part(&input.to_string(), text, &about, asked, intake)?;
    let next = has_next(input, list, number);
    intake.facts(account, list, |facts| facts.has_next = next);
    Ok(())
}

fn complaint(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("{}: {what}", path.display()))
}

/// `follower.js` is part 0, `follower-part1.js` part 1.
fn part_of(file: &str) -> Option<(List, u32)> {
    let stem = file.strip_suffix(".js")?;
    let (name, part) = match stem.split_once("-part") {
        Some((name, part)) => (name, part.parse().ok()?),
        None => (stem, 0),
    };
    Some((list_of(name)?, part))
}

fn list_of(name: &str) -> Option<List> {
    match name {
        "follower" => Some(List::Followers),
        "following" => Some(List::Following),
        _ => None,
    }
}

/// One file of a zip.
fn entry<'a>(
    zip: &'a mut ZipArchive<BufReader<File>>,
    name: &str,
    index: usize,
) -> Result<impl Read + use<'a>, Error> {
    let of = |what: &str| Error::new(ErrorKind::Input, format!("{name}: {what}"));
    zip.by_index(index).map_err(|e| match e {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => of("the file is encrypted")
            .hint("unpack the zip with its password, and import the folder's files"),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            of("the file is packed in a way that is not read here")
                .because(e)
                .hint("unpack the zip, and import the files in it")
        }
        e => of("the file cannot be read out of the zip")
            .because(e)
            .hint("the zip is damaged: fetch it again; nothing was published"),
    })
}

/// `account.js` and `manifest.js` are small; what is larger is something else.
const SMALL: u64 = 4 << 20;

/// A whole small file, which assigns a value to a variable.
fn small<T: DeserializeOwned>(name: &str, text: impl Read) -> Result<T, Error> {
    let mut bytes = Vec::new();
    text.take(SMALL).read_to_end(&mut bytes).map_err(|e| broken(name, 1, e))?;
    let value = bytes.iter().position(|byte| *byte == b'=').map_or(0, |at| at + 1);
    serde_json::from_slice(&bytes[value..]).map_err(|e| {
        Error::input(name, e.line() as u64, "this is not as X writes it")
            .because(e)
            .hint("say --account and --time, and import follower.js without that file beside it")
    })
}

#[derive(Deserialize)]
struct AccountElement {
    account: AccountOf,
}

#[derive(Deserialize)]
struct AccountOf {
    #[serde(rename = "accountId")]
    account_id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    user_info: Option<UserInfo>,
    archive_info: Option<ArchiveInfo>,
    data_types: Option<DataTypes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserInfo {
    account_id: Option<Id>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchiveInfo {
    generation_date: Option<String>,
    #[serde(default)]
    is_partial_archive: bool,
}

#[derive(Deserialize)]
struct DataTypes {
    follower: Option<DataType>,
    following: Option<DataType>,
}

#[derive(Deserialize)]
struct DataType {
    #[serde(default)]
    files: Vec<FileOf>,
}

#[derive(Deserialize)]
struct FileOf {
    /// Written as a string.
    count: Option<Id>,
}

impl DataType {
    /// How many elements all files of a list have, if the manifest tells of each.
    fn count(self) -> Option<u64> {
        let count = |file: FileOf| u64::try_from(file.count?.0.ok()?.get()).ok();
        if self.files.is_empty() { None } else { self.files.into_iter().map(count).sum() }
    }
}

impl About {
    fn account(&mut self, name: &str, text: impl Read) -> Result<(), Error> {
        let accounts: Vec<AccountElement> = small(name, text)?;
        if let Some(element) = accounts.into_iter().next() {
            let id = element.account.account_id.0;
            self.account = Some(id.map_err(|e| super::input::bad_id(name, 1, &e))?);
        }
        Ok(())
    }

    fn manifest(&mut self, name: &str, text: impl Read) -> Result<(), Error> {
        let manifest: Manifest = small(name, text)?;
        if let Some(id) = manifest.user_info.and_then(|user| user.account_id) {
            let id = id.0.map_err(|e| super::input::bad_id(name, 1, &e))?;
            if self.account.is_some_and(|known| known != id) {
                return Err(Error::input(name, 1, "account.js names another account")
                    .hint("the files are of different archives; put them apart"));
            }
            self.account = Some(id);
        }
        if let Some(info) = manifest.archive_info {
            self.in_pieces = info.is_partial_archive;
            if let Some(date) = info.generation_date {
                let wrong = |hint| {
                    Error::input(name, 1, format_args!("`generationDate` {date:?} is no time"))
                        .hint(hint)
                };
                self.time = Some(times::parse(&date).map_err(wrong)?);
            }
        }
        if let Some(types) = manifest.data_types {
            self.followers = types.follower.and_then(DataType::count);
            self.following = types.following.and_then(DataType::count);
        }
        Ok(())
    }
}

/// Longer than any name that X gives to the variable.
const NAME_BYTES_MAX: u64 = 256;
/// More files than any list comes in.
const PARTS_MAX: u32 = 100_000;

#[derive(Deserialize)]
struct Element {
    follower: Option<AccountOf>,
    following: Option<AccountOf>,
}

/// Takes one file of a list; says of which, and which file of it.
fn part(
    name: &str,
    mut text: impl BufRead,
    about: &About,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
) -> Result<(AccountId, List, u32), Error> {
    let mut start = Vec::new();
    text.by_ref()
        .take(NAME_BYTES_MAX)
        .read_until(b'=', &mut start)
        .map_err(|e| broken(name, 1, e))?;
    let start = String::from_utf8_lossy(&start);
    let mut variable = start.split("YTD.").nth(1).unwrap_or_default().split('.');
    let list = variable.next().and_then(list_of);
    let number =
        variable.next().and_then(|part| part.trim_matches(['=', ' ']).strip_prefix("part"));
    let number = number.and_then(|number| number.parse::<u32>().ok()).filter(|n| *n < PARTS_MAX);
    let (Some(list), Some(number)) = (list, number) else {
        return Err(Error::input(name, 1, "this file of X's archive is not a list of followers")
            .hint("import follower.js or following.js, or the zip"));
    };
    let list = asked.list_is(name, list)?;
    let account = match about.account {
        Some(found) => Some(asked.account_is(name, 1, found)?),
        None => asked.account()?,
    };
    let time = asked.time.or(about.time);
    let (Some(account), Some(time)) = (account, time) else {
        let missing = match (account, time) {
            (None, None) => {
                "whose list it is and when it was taken, with --account ID and --time TIME"
            }
            (None, _) => "whose list it is, with --account ID",
            _ => "when it was taken, with --time TIME",
        };
        return Err(Error::input(name, 1, "a file of X's archive does not say it all by itself").hint(
            format!("put account.js and manifest.js of the archive beside it, or import the zip, or say {missing}"),
        ));
    };
    intake.is(Format::XArchive);
    intake.aim(list);
    intake.facts(account, list, |facts| {
        facts.window = Some((time, time));
        facts.parts.insert(number);
        facts.expected = match list {
            List::Followers => about.followers,
            List::Following => about.following,
        };
        if about.in_pieces && facts.expected.is_none() {
            facts.partial = Some("X has split the archive, and this is one piece of it");
        }
    });
    json::array(name, text, |index, element: Element| {
        let member = match list {
            List::Followers => element.follower,
            List::Following => element.following,
        };
        let Some(member) = member else {
            return Err(Wrong::Shape("is not of the list that the file's first line names".into()));
        };
        let member = member.account_id.0.map_err(Wrong::Id)?;
        intake.take(None, account, member, index).map_err(Wrong::Kept)
    })?;
    Ok((account, list, number))
}
