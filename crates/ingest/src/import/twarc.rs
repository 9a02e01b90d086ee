//! JSON by the line: the pages of `twarc2 followers` and `following`, their flattened users,
//! and the v1.1 users of `twarc users`.

use std::collections::BTreeMap;
use std::io::BufRead;

use jiff::Timestamp;
use serde::Deserialize;
use snapshot::{AccountId, List, Order};

use super::input::{Input, Lines};
use super::json::{ELEMENT_BYTES_MAX, Id};
use super::recognise::Asked;
use super::{Format, Intake, times};
use crate::Error;

#[derive(Deserialize)]
struct Line {
    data: Option<Vec<User>>,
    meta: Option<Meta>,
    #[serde(rename = "__twarc")]
    twarc: Option<Twarc>,
    id: Option<Id>,
    id_str: Option<Id>,
}

#[derive(Deserialize)]
struct User {
    id: Id,
}

#[derive(Deserialize)]
struct Meta {
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Twarc {
    url: String,
    retrieved_at: String,
}

/// Whose list a page is of, and the token that asked for it.
struct Address<'a> {
    account: AccountId,
    list: List,
    token: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let (account, list) = path.split_once("/2/users/")?.1.split_once('/')?;
        let token = query.split('&').find_map(|pair| pair.strip_prefix("pagination_token="));
        let list = match list {
            "followers" => List::Followers,
            "following" => List::Following,
            _ => return None,
        };
        Some(Self { account: account.parse().ok()?, list, token })
    }
}

/// How far the pages of a list have come.
struct Reading {
    next: Option<String>,
    joined: bool,
}

const UNJOINED: &str = "its pages do not all follow one another from the first";
const UNFINISHED: &str = "its last page names a next one";
const FLAT: &str = "one user a line cannot say where the list ends; if it is whole, say --complete";
const LOOKED_UP: &str =
    "the lookup leaves out suspended and deleted users; if none is missing, say --complete";

/// Takes every line of an input.
pub(super) fn read(
    input: &Input,
    text: Box<dyn BufRead>,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let mut lines = Lines::over(input, text, ELEMENT_BYTES_MAX);
    let mut readings: BTreeMap<(AccountId, List), Reading> = BTreeMap::new();
    while let Some((number, text)) = lines.next()? {
        if text.is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(text).map_err(|e| {
            let what = "the line is neither a page of users nor a user";
            let way_out = if e.is_eof() {
                "the line is not whole, or its JSON goes over several lines; nothing was published"
            } else {
                "lists of users are read as twarc writes them, one JSON object a line"
            };
            Error::input(input, number, what).because(e).hint(way_out)
        })?;
        match line {
            Line { twarc: Some(twarc), data, meta: Some(meta), .. } => {
                page(input, number, &twarc, data, meta, asked, intake, &mut readings)?;
            }
            Line { twarc: Some(twarc), id: Some(id), .. } => {
                flat(input, number, &twarc, id, asked, intake)?;
            }
            Line { id_str: Some(id), .. } | Line { id: Some(id), .. } => {
                user(input, number, id, asked, intake)?;
            }
            _ => {
                let what = "the line is neither a page of users nor a user";
                return Err(Error::input(input, number, what).hint(
                    "lists of users are read as twarc writes them, with `__twarc`, or as users with `id_str`",
                ));
            }
        }
    }
    for ((account, list), reading) in readings {
        intake.facts(account, list, |facts| {
            facts.partial = match reading {
                Reading { joined: false, .. } => Some(UNJOINED),
                Reading { next: Some(_), .. } => Some(UNFINISHED),
                Reading { .. } => None,
            };
            if reading.joined {
                facts.order = Order::NewestFirst;
            }
        });
    }
    Ok(())
}

/// What twarc says of a line: whose list, and when.
fn source<'a>(
    input: &Input,
    number: u64,
    twarc: &'a Twarc,
    asked: &Asked<'_>,
) -> Result<(Address<'a>, Timestamp), Error> {
    let Some(mut address) = Address::of(&twarc.url) else {
        return Err(Error::input(input, number, "the line is not of a list of followers")
            .hint("`__twarc.url` should end in /2/users/ID/followers or /2/users/ID/following"));
    };
    let name = input.to_string();
    address.account = asked.account_is(&name, number, address.account)?;
    address.list = asked.list_is(&name, address.list)?;
    let at = times::parse(&twarc.retrieved_at).map_err(|hint| {
        Error::input(input, number, "`__twarc.retrieved_at` is no time").hint(hint)
    })?;
    Ok((address, at))
}

#[expect(clippy::too_many_arguments, reason = "a page has that many parts")]
fn page(
    input: &Input,
    number: u64,
    twarc: &Twarc,
    data: Option<Vec<User>>,
    meta: Meta,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
    readings: &mut BTreeMap<(AccountId, List), Reading>,
) -> Result<(), Error> {
    let (address, at) = source(input, number, twarc, asked)?;
    let Address { account, list, token } = address;
    intake.is(Format::Twarc2);
    intake.aim(list);
    let first = !readings.contains_key(&(account, list));
    let reading = readings.entry((account, list)).or_insert(Reading { next: None, joined: true });
    reading.joined &= token == reading.next.as_deref() && (first || token.is_some());
    reading.next = meta.next_token;
    seen(account, list, at, intake);
    if !first {
        intake.facts(account, list, |facts| facts.pages += 1);
    }
    for user in data.unwrap_or_default() {
        let member = user.id.0.map_err(|e| input.bad_id(number, &e))?;
        intake.take(None, account, member, number)?;
    }
    Ok(())
}

fn flat(
    input: &Input,
    number: u64,
    twarc: &Twarc,
    id: Id,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let (Address { account, list, .. }, at) = source(input, number, twarc, asked)?;
    intake.is(Format::Twarc2);
    intake.aim(list);
    seen(account, list, at, intake);
    intake.facts(account, list, |facts| facts.partial = Some(FLAT));
    let member = id.0.map_err(|e| input.bad_id(number, &e))?;
    intake.take(None, account, member, number)
}

fn user(
    input: &Input,
    number: u64,
    id: Id,
    asked: &Asked<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let account = asked.account_or(input, number, Format::Users)?;
    let list = asked.list.unwrap_or(List::Followers);
    intake.is(Format::Users);
    intake.aim(list);
    intake.facts(account, list, |facts| facts.partial = Some(LOOKED_UP));
    let member = id.0.map_err(|e| input.bad_id(number, &e))?;
    intake.take(None, account, member, number)
}

/// Widens the window of a list.
fn seen(account: AccountId, list: List, at: Timestamp, intake: &mut Intake<'_>) {
    intake.facts(account, list, |facts| {
        let (from, to) = facts.window.unwrap_or((at, at));
        facts.window = Some((from.min(at), to.max(at)));
    });
}
