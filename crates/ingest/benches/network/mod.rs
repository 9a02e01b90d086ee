//! A network in this process: its bodies are those of the X API, and follow from a seed.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ingest::source::{BoxFuture, Who, parsers};
use ingest::{
    Call, CredentialId, Cursor, Detail, Endpoint, Family, Lookup, Page, PageRequest, Source,
    SourceError, SourceKind, Window,
};
use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, List};

/// What the network holds, and how it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: SourceKind,
    pub(crate) page_size: u32,
    pub(crate) lists: &'static [List],
    accounts: u32,
    /// The length of the lists: the same for all, or between the two.
    lengths: (u32, u32),
}

impl Shape {
    /// One list of ten million, in pages of bare ids.
    pub(crate) fn list_v1() -> Self {
        Self {
            kind: SourceKind::XV1,
            page_size: 5000,
            lists: &[List::Followers],
            accounts: 1,
            lengths: (10_000_000, 10_000_000),
        }
    }

    /// The same in pages of users.
    pub(crate) fn list_v2() -> Self {
        Self { kind: SourceKind::XV2, page_size: 1000, ..Self::list_v1() }
    }

    /// Both lists of ten thousand small accounts.
    pub(crate) fn small() -> Self {
        Self { lists: &List::ALL, accounts: 10_000, lengths: (30, 300), ..Self::list_v2() }
    }

    pub(crate) fn accounts(self) -> impl Iterator<Item = AccountId> {
        (1..=self.accounts).map(AccountId::from)
    }

    /// Every list of every account.
    pub(crate) fn crawls(self) -> impl Iterator<Item = (AccountId, List)> {
        self.accounts().flat_map(move |account| self.lists.iter().map(move |list| (account, *list)))
    }

    pub(crate) fn length(&self, account: AccountId, list: List) -> u32 {
        let (least, most) = self.lengths;
        let chance = mix(u64::from(self.place(account, list, 0))) % u64::from(most - least + 1);
        least + u32::try_from(chance).unwrap()
    }

    pub(crate) fn ids(&self) -> u64 {
        self.crawls().map(|(account, list)| u64::from(self.length(account, list))).sum()
    }

    /// Which member of the network stands there.
    pub(crate) fn place(&self, account: AccountId, list: List, position: u32) -> u32 {
        let account = u32::try_from(account.get()).unwrap() - 1;
        let list = self.lists.iter().position(|other| *other == list).unwrap();
        let list =
            account * u32::try_from(self.lists.len()).unwrap() + u32::try_from(list).unwrap();
        list * self.lengths.1 + position
    }

    /// The places of all members of one of the lists, account by account.
    pub(crate) fn places(self, list: List) -> impl Iterator<Item = u32> {
        let of = move |account| -> Range<u32> {
            let first = self.place(account, list, 0);
            first..first + self.length(account, list)
        };
        self.accounts().flat_map(of)
    }

    /// The body of the page that begins there, and where the next one begins.
    pub(crate) fn body(&self, account: AccountId, list: List, first: u32) -> (String, Option<u32>) {
        let length = self.length(account, list);
        let end = length.min(first + self.page_size);
        let places = self.place(account, list, first)..self.place(account, list, end);
        let next = (end < length).then_some(end);
        let body = match self.kind {
            SourceKind::XV1 => body_v1(places, first, next),
            SourceKind::XV2 => body_v2(places, first, next),
        };
        (body, next)
    }
}

/// A page of `followers/ids` with `stringify_ids`.
fn body_v1(places: Range<u32>, first: u32, next: Option<u32>) -> String {
    let mut body = String::with_capacity(24 * places.len() + 200);
    body.push_str(r#"{"ids":["#);
    for (index, place) in places.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(body, r#"{comma}"{}""#, member(place)).unwrap();
    }
    let next = next.map_or(0, cursor);
    let previous = if first == 0 { 0 } else { -cursor(first) };
    write!(
        body,
        r#"],"next_cursor":{next},"next_cursor_str":"{next}","previous_cursor":{previous},"previous_cursor_str":"{previous}","total_count":null}}"#
    )
    .unwrap();
    body
}

/// A page of users with the fields that come unasked.
fn body_v2(places: Range<u32>, first: u32, next: Option<u32>) -> String {
    let count = places.len();
    let mut body = String::with_capacity(110 * count + 200);
    body.push_str(r#"{"data":["#);
    for (index, place) in places.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Every fourth name is not plain ASCII, as the API escapes it.
        let name = if place % 4 == 0 { r"Zo\u00eb \ud83c\udf3b" } else { "Sam Example" };
        write!(
            body,
            r#"{comma}{{"id":"{}","name":"{name} {}","username":"user_{place}"}}"#,
            member(place),
            place % 1000
        )
        .unwrap();
    }
    write!(body, r#"],"meta":{{"result_count":{count}"#).unwrap();
    if let Some(next) = next {
        write!(body, r#","next_token":"{}""#, token(cursor(next))).unwrap();
    }
    if first > 0 {
        write!(body, r#","previous_token":"{}""#, token(-cursor(first))).unwrap();
    }
    body.push_str("}}");
    body
}

/// The ids of a popular account's followers, newest follow first: of every age, in no order.
/// Two thirds are older than 64-bit ids, the others hold the millisecond of their making. No
/// two are the same.
pub(crate) fn member(place: u32) -> AccountId {
    let z = mix(u64::from(place));
    let id = if z.is_multiple_of(3) {
        ((1 + (z >> 22) % (500 << 30)) << 22) | (z % 8192)
    } else {
        // A permutation of the numbers below 2^32.
        let old = place.wrapping_mul(0x9E37_79B1);
        u64::from((old ^ (old >> 15)).wrapping_mul(0x85EB_CA6B))
    };
    AccountId::new(i64::try_from(id).unwrap()).unwrap()
}

/// The output of splitmix64 for an index.
fn mix(index: u64) -> u64 {
    let mut z = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 2026-11-01, when the newest follow was made; the next one is a second older.
const NEWEST_MS: i64 = 1_793_491_200_000;
const STEP_MS: i64 = 1000;

/// The cursor of the page that begins there.
fn cursor(first: u32) -> i64 {
    (NEWEST_MS - STEP_MS * i64::from(first)) << 20
}

/// Where the page begins that a cursor leads to.
fn first_of(cursor: i64) -> u32 {
    u32::try_from((NEWEST_MS - (cursor >> 20)) / STEP_MS).unwrap()
}

/// A cursor in the clothes of v2.
fn token(number: i64) -> String {
    let bits = u128::from(u64::from_be_bytes(number.to_le_bytes())) << 1;
    let digit = |i: u32| {
        let value = u8::try_from((bits >> (60 - 5 * i)) & 31).unwrap();
        char::from(if value < 10 { b'0' + value } else { b'A' + value - 10 })
    };
    (0..13).map(digit).chain("ZZZ".chars()).collect()
}

fn number_of(token: &str) -> i64 {
    let digits = token.trim_end_matches('Z').bytes();
    let value = |digit: u8| if digit < b'A' { digit - b'0' } else { digit - b'A' + 10 };
    let bits = digits.fold(0_u128, |bits, digit| (bits << 5) | u128::from(value(digit)));
    let bytes = (bits >> 1).to_be_bytes();
    i64::from_le_bytes(std::array::from_fn(|i| bytes[8 + i]))
}

/// The network as a source.
#[derive(Debug)]
pub(crate) struct Network {
    shape: Shape,
    credential: CredentialId,
    making_nanos: AtomicU64,
    parsing_nanos: AtomicU64,
}

impl Network {
    pub(crate) fn new(shape: Shape) -> Self {
        let credential =
            CredentialId { name: "app".to_owned(), fingerprint: "00000000".to_owned() };
        let (making_nanos, parsing_nanos) = Default::default();
        Self { shape, credential, making_nanos, parsing_nanos }
    }

    /// Time in which bodies were made.
    pub(crate) fn making(&self) -> Duration {
        Duration::from_nanos(self.making_nanos.load(Ordering::Relaxed))
    }

    /// Time in which they were parsed.
    pub(crate) fn parsing(&self) -> Duration {
        Duration::from_nanos(self.parsing_nanos.load(Ordering::Relaxed))
    }

    fn answer(&self, request: &PageRequest) -> Page {
        assert_eq!(request.page_size, self.shape.page_size);
        let first = request.cursor.as_ref().map_or(0, |cursor| match self.shape.kind {
            SourceKind::XV1 => first_of(cursor.as_str().parse().unwrap()),
            SourceKind::XV2 => first_of(number_of(cursor.as_str())),
        });
        let start = Instant::now();
        let (body, _) = self.shape.body(request.account, request.list, first);
        let made = Instant::now();
        let at = self.now();
        let body = parsers::page(self.shape.kind, body.as_bytes(), false, at).unwrap();
        count(&self.parsing_nanos, made.elapsed());
        count(&self.making_nanos, made - start);
        // As the crate's own sources do it.
        let boundary = body.next.as_ref().and_then(time_of);
        Page {
            ids: body.ids,
            next: body.next,
            boundary,
            fetched_at: at,
            profiles: body.profiles,
            problems: body.problems,
            windows: self.windows(),
        }
    }

    fn look_up(&self, who: Who<'_>) -> Lookup {
        let Who::Ids(ids) = who else { panic!("names") };
        let mut body = String::from("[");
        for (index, id) in ids.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let length = self.shape.length(*id, self.shape.lists[0]);
            write!(
                body,
                r#"{comma}{{"id_str":"{id}","screen_name":"user_{id}","name":"Sam","followers_count":{length}}}"#
            )
            .unwrap();
        }
        body.push(']');
        let read = parsers::lookup(SourceKind::XV1, body.as_bytes(), Detail::Brief, self.now());
        Lookup { found: read.unwrap().found, absent: Vec::new(), windows: self.windows() }
    }

    fn windows(&self) -> Vec<Window> {
        let reset = self.now() + SignedDuration::from_mins(10);
        let family = Family::QuarterHour;
        vec![Window { family, limit: Some(300), remaining: 299, reset }]
    }
}

fn count(nanos: &AtomicU64, time: Duration) {
    nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
}

fn time_of(cursor: &Cursor) -> Option<Timestamp> {
    let text = cursor.as_str();
    let number = text.parse().unwrap_or_else(|_| number_of(text));
    Timestamp::from_millisecond(number >> 20).ok()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network in this process")
    }
}

impl Source for Network {
    fn name(&self) -> &'static str {
        self.shape.kind.name()
    }

    fn credential(&self) -> &CredentialId {
        &self.credential
    }

    fn kind(&self) -> SourceKind {
        self.shape.kind
    }

    fn base_url(&self) -> &'static str {
        "http://127.0.0.1:9"
    }

    fn page_size_max(&self) -> u32 {
        self.shape.page_size
    }

    fn profiles_max(&self) -> usize {
        100
    }

    fn endpoint(&self, call: Call) -> Endpoint {
        Endpoint(match call {
            Call::Page(List::Followers) => "followers",
            Call::Page(List::Following) => "following",
            Call::ProfilesById | Call::ProfilesByName => "users",
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn assume_ahead(&self, _: SignedDuration) {}

    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Result<Page, SourceError>> {
        Box::pin(async { Ok(self.answer(request)) })
    }

    fn profiles<'a>(
        &'a self,
        who: Who<'a>,
        _: Detail,
    ) -> BoxFuture<'a, Result<Lookup, SourceError>> {
        Box::pin(async move { Ok(self.look_up(who)) })
    }
}
