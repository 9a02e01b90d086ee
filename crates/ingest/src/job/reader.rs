//! From what is written in a job file to what was meant, with file and line of each mistake.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Deserialize;
use snapshot::{AccountId, List};
use toml::Spanned;
use toml::value::Datetime;

use super::{Group, Job, duration, read_accounts};
use crate::{
    AccountRef, Budget, Error, Mode, Prices, SourceKind, Target, check_base_url, journal, micro_usd,
};

impl PricesTable {
    /// What it means. `text` is that of the whole file, and `path` its name, for messages.
    ///
    /// # Errors
    /// If a price, the date or an account is none; the message names file and line.
    pub fn read(self, text: &str, path: &Path) -> Result<Prices, Error> {
        Reader { text, path }.prices(self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobFile {
    name: Option<String>,
    store: Option<PathBuf>,
    source: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    token_file: Option<PathBuf>,
    credentials: Option<PathBuf>,
    lists: Option<Vec<Spanned<String>>>,
    mode: Option<Spanned<String>>,
    complete_every: Option<Spanned<String>>,
    every: Option<Spanned<String>>,
    profiles: Option<bool>,
    concurrency: Option<Spanned<i64>>,
    page_size: Option<Spanned<i64>>,
    budget: Option<BudgetTable>,
    prices: Option<PricesTable>,
    accounts: Vec<Spanned<GroupTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    name: Option<Spanned<String>>,
    who: Option<Vec<Spanned<Account>>>,
    file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    stdin: bool,
    lists: Option<Vec<Spanned<String>>>,
    mode: Option<Spanned<String>>,
    complete_every: Option<Spanned<String>>,
    every: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "these are the keys in the file")]
struct BudgetTable {
    max_cost_usd: Option<Spanned<f64>>,
    max_requests: Option<Spanned<i64>>,
    max_time: Option<Spanned<String>>,
}

/// A `[prices]` table, as it is written in a job file or among other settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricesTable {
    as_of: Option<Spanned<Datetime>>,
    user_usd: Option<Spanned<f64>>,
    own_user_usd: Option<Spanned<f64>>,
    own_accounts: Option<Vec<Spanned<Account>>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an account is `\"@name\"` or a numeric id")]
enum Account {
    Id(i64),
    Text(String),
}

/// What a group that says nothing else does.
struct Common {
    lists: Vec<List>,
    mode: ModeName,
    complete_every: Option<SignedDuration>,
    every: Option<SignedDuration>,
}

/// A mode as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModeName {
    Complete,
    Head,
    Auto,
}

/// Turns what was written into what was meant, and knows where it stands.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
}

impl Reader<'_> {
    pub(super) fn job(&self, file: JobFile) -> Result<Job, Error> {
        let source = file.source.map(|s| self.parsed::<SourceKind, _>(&s)).transpose()?;
        let lists = file.lists.map(|lists| self.lists(&lists)).transpose()?;
        let mode = file.mode.map(|mode| self.mode(&mode)).transpose()?;
        let common = Common {
            lists: lists.unwrap_or_else(|| vec![List::Followers]),
            mode: mode.unwrap_or(ModeName::Complete),
            complete_every: self.duration(file.complete_every.as_ref())?,
            every: self.duration(file.every.as_ref())?,
        };
        let (mut groups, mut taken) = (Vec::new(), HashSet::new());
        for group in file.accounts {
            groups.push(self.group(group, &common, &mut taken)?);
        }
        Ok(Job {
            name: file.name,
            store: file.store.map(|p| self.beside(&p)),
            source,
            base_url: file.base_url.map(|url| self.base_url(url)).transpose()?,
            token_file: file.token_file.map(|p| self.beside(&p)),
            credentials: file.credentials.map(|p| self.beside(&p)),
            concurrency: file.concurrency.map(|n| self.positive("concurrency", &n)).transpose()?,
            page_size: file.page_size.map(|n| self.positive("page_size", &n)).transpose()?,
            profiles: file.profiles,
            budget: file.budget.map(|b| self.budget(&b)).transpose()?.unwrap_or_default(),
            prices: file.prices.map(|prices| self.prices(prices)).transpose()?,
            groups,
        })
    }

    fn group(
        &self,
        group: Spanned<GroupTable>,
        common: &Common,
        taken: &mut HashSet<String>,
    ) -> Result<Group, Error> {
        let span = group.span();
        let group = group.into_inner();
        if group.who.is_none() && group.file.is_none() && !group.stdin {
            let hint =
                "give it `who = [\"@name\", 123]`, `file = \"accounts.txt\"` or `stdin = true`";
            return Err(self.wrong(&span, "the group names nobody", Some(hint.to_owned())));
        }
        let digest = digest(&group);
        let identity = self.identity(group.name.as_ref(), &digest, taken)?;
        let mode = self.group_mode(&group, common)?;
        let lists = group.lists.map(|lists| self.lists(&lists)).transpose()?;
        let lists = lists.unwrap_or_else(|| common.lists.clone());
        let mut targets = Vec::new();
        let mut add = |account| targets.push(Target { account, lists: lists.clone(), mode });
        for account in group.who.unwrap_or_default() {
            add(self.account(account)?);
        }
        if let Some(file) = group.file {
            let path = self.beside(file.get_ref());
            let text = std::fs::read_to_string(&path).map_err(|e| {
                let what = format!("cannot read {}", path.display());
                self.wrong(&file.span(), &what, None).because(e)
            })?;
            let place = path.display().to_string();
            read_accounts(&text, &place)?.into_iter().for_each(add);
        }
        Ok(Group {
            identity,
            name: group.name.map(Spanned::into_inner),
            every: self.duration(group.every.as_ref())?.or(common.every),
            targets,
            stdin: group.stdin.then_some((lists, mode)),
        })
    }

    /// A name that no other group has. Groups without one that are written alike are
    /// numbered.
    fn identity(
        &self,
        name: Option<&Spanned<String>>,
        digest: &str,
        taken: &mut HashSet<String>,
    ) -> Result<String, Error> {
        let Some(written) = name else {
            let numbered = (2..).map(|number| format!("{digest}-{number}"));
            let mut free = std::iter::once(digest.to_owned()).chain(numbered);
            let free = free.find(|identity| !taken.contains(identity)).unwrap_or_default();
            taken.insert(free.clone());
            return Ok(free);
        };
        let name = written.get_ref();
        let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            let what = format!("`{name}` is no name for a group");
            let hint = "use letters, digits, `-`, `_` and `.`";
            return Err(self.wrong(&written.span(), &what, Some(hint.to_owned())));
        }
        if !taken.insert(name.clone()) {
            let what = format!("another group is named `{name}`, too");
            let hint = "give each group a name of its own, or none";
            return Err(self.wrong(&written.span(), &what, Some(hint.to_owned())));
        }
        Ok(name.clone())
    }

    fn group_mode(&self, group: &GroupTable, common: &Common) -> Result<Mode, Error> {
        let mode = group.mode.as_ref().map(|mode| self.mode(mode)).transpose()?;
        let mode = mode.unwrap_or(common.mode);
        let own = self.duration(group.complete_every.as_ref())?;
        if let (Some(written), true) = (&group.complete_every, mode != ModeName::Auto) {
            let what = "`complete_every` says nothing where the mode is not `auto`";
            let hint = "give the group `mode = \"auto\"`, or leave `complete_every` out";
            return Err(self.wrong(&written.span(), what, Some(hint.to_owned())));
        }
        let complete_every = own.or(common.complete_every);
        Ok(match mode {
            ModeName::Complete => Mode::Complete,
            ModeName::Head => Mode::Head,
            ModeName::Auto => {
                complete_every.map_or(Mode::AUTO, |complete_every| Mode::Auto { complete_every })
            }
        })
    }

    fn mode(&self, mode: &Spanned<String>) -> Result<ModeName, Error> {
        match mode.get_ref().as_str() {
            "complete" => Ok(ModeName::Complete),
            "head" => Ok(ModeName::Head),
            "auto" => Ok(ModeName::Auto),
            other => {
                let what = format!("`{other}` is no mode");
                let hint = "a mode is `complete`, `head` or `auto`";
                Err(self.wrong(&mode.span(), &what, Some(hint.to_owned())))
            }
        }
    }

    fn duration(&self, text: Option<&Spanned<String>>) -> Result<Option<SignedDuration>, Error> {
        let parsed = |text: &Spanned<String>| {
            let wrong =
                |what: String| self.wrong(&text.span(), &what, Some(duration::HINT.to_owned()));
            duration::parse(text.get_ref()).map_err(wrong)
        };
        text.map(parsed).transpose()
    }

    fn budget(&self, table: &BudgetTable) -> Result<Budget, Error> {
        let cost = table.max_cost_usd.as_ref().map(|usd| self.dollars("max_cost_usd", usd));
        let requests = table.max_requests.as_ref().map(|n| self.positive("max_requests", n));
        Ok(Budget {
            cost_micro_usd_max: cost.transpose()?,
            requests_max: requests.transpose()?,
            time_max: self.duration(table.max_time.as_ref())?.map(SignedDuration::unsigned_abs),
        })
    }

    fn prices(&self, table: PricesTable) -> Result<Prices, Error> {
        let mut prices = Prices::default();
        if let Some(date) = &table.as_of {
            prices.as_of = self.date("as_of", date)?;
        }
        if let Some(usd) = &table.user_usd {
            prices.user_micro_usd = self.dollars("user_usd", usd)?;
        }
        if let Some(usd) = &table.own_user_usd {
            prices.own_user_micro_usd = self.dollars("own_user_usd", usd)?;
        }
        let own = table.own_accounts.unwrap_or_default().into_iter();
        prices.own_accounts = own.map(|account| self.id(account)).collect::<Result<_, _>>()?;
        Ok(prices)
    }

    fn dollars(&self, key: &str, usd: &Spanned<f64>) -> Result<i64, Error> {
        micro_usd(*usd.get_ref()).ok_or_else(|| {
            let what = format!("`{key}` is {}, which is no amount of money", usd.get_ref());
            self.wrong(&usd.span(), &what, Some("write dollars, like `12.50`".to_owned()))
        })
    }

    fn date(&self, key: &str, date: &Spanned<Datetime>) -> Result<Date, Error> {
        let written = date.get_ref();
        // Leap days are checked by both parsers; a time of day has no place here.
        let plain = written.date.filter(|_| written.time.is_none() && written.offset.is_none());
        plain.and_then(|date| date.to_string().parse().ok()).ok_or_else(|| {
            let what = format!("`{key}` is {written}, which is not a date alone");
            self.wrong(&date.span(), &what, Some("write it like `2026-04-20`".to_owned()))
        })
    }

    fn account(&self, account: Spanned<Account>) -> Result<AccountRef, Error> {
        let span = account.span();
        let text = match account.into_inner() {
            Account::Id(id) => id.to_string(),
            Account::Text(text) => text,
        };
        self.parsed(&Spanned::new(span, text))
    }

    fn id(&self, account: Spanned<Account>) -> Result<AccountId, Error> {
        let span = account.span();
        match self.account(account)? {
            AccountRef::Id(id) => Ok(id),
            AccountRef::Name(name) => {
                let what = format!("`{name}` stands where a numeric id belongs");
                let hint = "names can change hands; `followgraph runs` shows ids";
                Err(self.wrong(&span, &what, Some(hint.to_owned())))
            }
        }
    }

    fn base_url(&self, url: Spanned<String>) -> Result<String, Error> {
        let span = url.span();
        let url = url.into_inner();
        match check_base_url(&url) {
            Ok(()) => Ok(url),
            Err(e) => Err(self.wrong(&span, &e.to_string(), e.way_out().map(str::to_owned))),
        }
    }

    fn lists(&self, lists: &[Spanned<String>]) -> Result<Vec<List>, Error> {
        lists.iter().map(|list| self.parsed(list)).collect()
    }

    fn parsed<T, E>(&self, text: &Spanned<String>) -> Result<T, Error>
    where
        T: std::str::FromStr<Err = E>,
        E: Explained,
    {
        text.get_ref().parse().map_err(|e: E| {
            let (what, hint) = e.explained();
            self.wrong(&text.span(), &what, hint)
        })
    }

    fn positive<T: TryFrom<i64>>(&self, key: &str, number: &Spanned<i64>) -> Result<T, Error> {
        let positive = Some(*number.get_ref()).filter(|n| *n > 0);
        positive.and_then(|n| T::try_from(n).ok()).ok_or_else(|| {
            let what = format!("`{key}` is {}, which is no number it can be", number.get_ref());
            let hint = "write a whole number from 1";
            self.wrong(&number.span(), &what, Some(hint.to_owned()))
        })
    }

    fn wrong(&self, span: &Range<usize>, what: &str, hint: Option<String>) -> Error {
        let line = line_of(self.text, span);
        let error = Error::usage(format!("{}:{line}: {what}", self.path.display()));
        hint.into_iter().fold(error, Error::hint)
    }

    fn beside(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// What an unnamed group is known by: what is written in it about who, which lists and how,
/// in any order.
fn digest(group: &GroupTable) -> String {
    let who = group.who.iter().flatten().map(|account| match account.get_ref() {
        Account::Id(id) => format!("who {id}"),
        Account::Text(text) => format!("who {}", text.to_lowercase()),
    });
    let lists = group.lists.iter().flatten().map(|list| format!("list {}", list.get_ref()));
    let mut parts: Vec<_> = who.chain(lists).collect();
    parts.extend(group.file.iter().map(|file| format!("file {}", file.get_ref().display())));
    parts.extend(group.mode.iter().map(|mode| format!("mode {}", mode.get_ref())));
    parts.extend(group.stdin.then(|| "stdin".to_owned()));
    parts.sort_unstable();
    parts.dedup();
    journal::job_key(parts)
}

/// An error that goes into a message with a place of its own.
pub(super) trait Explained {
    fn explained(&self) -> (String, Option<String>);
}

impl Explained for Error {
    fn explained(&self) -> (String, Option<String>) {
        let cause = std::error::Error::source(self);
        (cause.map_or(self.to_string(), ToString::to_string), self.way_out().map(str::to_owned))
    }
}

impl Explained for snapshot::Error {
    fn explained(&self) -> (String, Option<String>) {
        (self.to_string(), self.way_out().map(str::to_owned))
    }
}

pub(super) fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
}

pub(super) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
