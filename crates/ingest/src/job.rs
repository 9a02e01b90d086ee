//! Job files: a batch that is worth writing down.
//!
//! ```toml
//! store = "snapshots"              # beside the job file, like every path here
//! lists = ["followers", "following"]
//! concurrency = 8
//!
//! [[accounts]]
//! who = ["@alice", 967155179614240768]
//!
//! [[accounts]]
//! file = "accounts.txt"            # one account a line; `#` begins a comment
//! lists = ["followers"]
//! ```
//!
//! A job file says what to do and never holds a credential, only where one is.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use snapshot::List;
use toml::Spanned;

use crate::{AccountRef, Error, SourceKind, Target, check_base_url};

/// A job file that has been read, with the files it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Where the run goes.
    pub store: Option<PathBuf>,
    /// Which source to ask.
    pub source: Option<SourceKind>,
    /// Where the source answers.
    pub base_url: Option<String>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// How many lists of a kind to read at once.
    pub concurrency: Option<usize>,
    /// Rows to ask for in a page.
    pub page_size: Option<u32>,
    /// Whose lists, and which.
    pub targets: Vec<Target>,
    pub groups: Vec<crate::Group>,
    pub credentials: Option<PathBuf>,
    pub profiles: bool,
    pub budget: crate::Budget,
    pub prices: Option<crate::Prices>,
}

impl Job {
    /// Reads a job file and the files of accounts it names.
    ///
    /// # Errors
    /// If one of them cannot be read, or is not right; the message names file and line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|e| Error::io("read the job file", path, e))?;
        Self::parse(&text, path)
    }

    /// The same for text that is at hand; `path` is for messages and relative paths.
    ///
    /// # Errors
    /// If something in it is not right; the message names file and line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file: JobFile = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| line_of(text, &span));
            Error::usage(format!("{}:{line}: {}", path.display(), first_line(e.message())))
        })?;
        Reader { text, path }.job(file)
    }
}

/// Reads a list of accounts: one a line, blank lines and `#` comments passed over, wherever on
/// a line they begin. `place` is what messages call the list, before the number of the line.
///
/// ```
/// let accounts = ingest::read_accounts("@alice # a friend\n12\n", "accounts.txt")?;
/// assert_eq!(accounts.len(), 2);
/// # Ok::<(), ingest::Error>(())
/// ```
///
/// # Errors
/// If a line holds something else; the message names place and line.
pub fn read_accounts(text: &str, place: &str) -> Result<Vec<AccountRef>, Error> {
    let mut found = Vec::new();
    for (line, text) in (1_u64..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            found.push(text.parse().map_err(|e: Error| {
                let (what, hint) = e.explained();
                let error = Error::usage(format!("{place}:{line}: {what}"));
                hint.into_iter().fold(error, Error::hint)
            })?);
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobFile {
    store: Option<PathBuf>,
    source: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    token_file: Option<PathBuf>,
    lists: Option<Vec<Spanned<String>>>,
    concurrency: Option<Spanned<i64>>,
    page_size: Option<Spanned<i64>>,
    accounts: Vec<Spanned<Group>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    who: Option<Vec<Spanned<Account>>>,
    file: Option<Spanned<PathBuf>>,
    lists: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an account is `\"@name\"` or a numeric id")]
enum Account {
    Id(i64),
    Text(String),
}

/// Turns what was written into what was meant, and knows where it stands.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn job(&self, file: JobFile) -> Result<Job, Error> {
        let source = file.source.map(|s| self.parsed::<SourceKind, _>(&s)).transpose()?;
        let common = file.lists.map(|lists| self.lists(&lists)).transpose()?;
        let common = common.unwrap_or_else(|| vec![List::Followers]);
        let mut targets = Vec::new();
        for group in file.accounts {
            self.group(group, &common, &mut targets)?;
        }
        Ok(Job {
            store: file.store.map(|p| self.beside(&p)),
            source,
            base_url: file.base_url.map(|url| self.base_url(url)).transpose()?,
            token_file: file.token_file.map(|p| self.beside(&p)),
            concurrency: file.concurrency.map(|n| self.positive("concurrency", &n)).transpose()?,
            page_size: file.page_size.map(|n| self.positive("page_size", &n)).transpose()?,
            groups: vec![crate::Group::of(targets.clone())],
            targets,
            ..Job::default()
        })
    }

    fn group(
        &self,
        group: Spanned<Group>,
        common: &[List],
        targets: &mut Vec<Target>,
    ) -> Result<(), Error> {
        let span = group.span();
        let group = group.into_inner();
        if group.who.is_none() && group.file.is_none() {
            return Err(self
                .wrong(&span, "the group names nobody", None)
                .hint("give it `who = [\"@name\", 123]` or `file = \"accounts.txt\"`"));
        }
        let lists = group.lists.map(|lists| self.lists(&lists)).transpose()?;
        let lists = lists.unwrap_or_else(|| common.to_vec());
        let mut add = |account| targets.push(Target::whole(account, &lists));
        for account in group.who.unwrap_or_default() {
            let span = account.span();
            let text = match account.into_inner() {
                Account::Id(id) => id.to_string(),
                Account::Text(text) => text,
            };
            add(self.parsed(&Spanned::new(span, text))?);
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
        Ok(())
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
            self.wrong(&number.span(), &what, None)
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

/// An error that goes into a message with a place of its own.
trait Explained {
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

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Job, Error> {
        Job::parse(text, Path::new("jobs/daily.toml"))
    }

    fn check_error(text: &str, expected: &str) {
        let error = parse(text).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), crate::ErrorKind::Usage);
    }

    #[test]
    fn a_job_says_who_and_how() {
        let job = parse(
            r#"
            store = "snapshots"
            source = "x_v1"
            base_url = "http://127.0.0.1:8080"
            token_file = "/etc/token"
            lists = ["followers", "following"]
            concurrency = 3
            page_size = 500

            [[accounts]]
            who = ["@Alice", 967155179614240768, "9007199254740993"]

            [[accounts]]
            who = ["@bob"]
            lists = ["following"]
            "#,
        )
        .unwrap();
        assert_eq!(job.store, Some("jobs/snapshots".into()));
        assert_eq!(job.token_file, Some("/etc/token".into()));
        assert_eq!(job.source, Some(SourceKind::XV1));
        assert_eq!((job.concurrency, job.page_size), (Some(3), Some(500)));
        let shown: Vec<_> =
            job.targets.iter().map(|t| format!("{} {}", t.account, t.lists.len())).collect();
        let expected = ["@Alice 2", "967155179614240768 2", "9007199254740993 2", "@bob 1"];
        assert_eq!(shown, expected);
        assert_eq!(job.targets[3].lists, [List::Following]);
    }

    #[test]
    fn mistakes_are_shown_with_their_line() {
        check_error(
            "store = \"s\"\nspeed = 3\naccounts = []",
            "jobs/daily.toml:2: unknown field `speed`, expected one of `store`, `source`, `base_url`, `token_file`, `lists`, `concurrency`, `page_size`, `accounts`",
        );
        check_error(
            "accounts = [\n{ who = [\"@ok\", \"alice\"] }]",
            "jobs/daily.toml:2: `alice` is not a numeric id",
        );
        check_error(
            "[[accounts]]\nwho = [-5]",
            "jobs/daily.toml:2: `-5` is negative; ids are whole numbers from 0 to 9223372036854775807",
        );
        check_error(
            "lists = [\"fans\"]\naccounts = []",
            "jobs/daily.toml:1: `fans` is neither `followers` nor `following`",
        );
        check_error(
            "\n\nconcurrency = 0\naccounts = []",
            "jobs/daily.toml:3: `concurrency` is 0, which is no number it can be",
        );
        check_error("[[accounts]]\nlists = []", "jobs/daily.toml:1: the group names nobody");
        check_error(
            "source = \"x\"\naccounts = []",
            "jobs/daily.toml:1: `x` is neither `x_v2` nor `x_v1`",
        );
        check_error(
            "accounts = []\nbase_url = \"https://me:sesame@api.x.com\"",
            "jobs/daily.toml:2: the base URL holds a user name or a password",
        );
    }

    #[test]
    fn a_list_of_accounts_is_one_a_line() {
        let read = |text: &str| match read_accounts(text, "standard input") {
            Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(e) => e.to_string(),
        };
        let list = "\u{feff}# mine\r\n@alice # a friend\r\n\r\n  12\r\n#@bob\n@carol";
        assert_eq!(read(list), "@alice 12 @carol");
        assert_eq!(read(""), "");
        assert_eq!(read("12\n\nalice # who?\n"), "standard input:3: `alice` is not a numeric id");
        assert_eq!(read("1 2"), "standard input:1: `1 2` is not a numeric id");
    }

    #[test]
    fn accounts_come_from_a_file_beside_the_job() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.toml");
        let list = folder.path().join("accounts.txt");
        std::fs::write(&path, "[[accounts]]\nfile = \"accounts.txt\"\n").unwrap();
        std::fs::write(&list, "\u{feff}@alice # a friend\n\n# nobody\n12\r\n").unwrap();
        let shown: Vec<_> =
            Job::read(&path).unwrap().targets.iter().map(|t| t.account.to_string()).collect();
        assert_eq!(shown, ["@alice", "12"]);

        std::fs::write(&list, "@alice\n1.43E+18\n").unwrap();
        let error = Job::read(&path).unwrap_err().to_string();
        assert!(error.contains("accounts.txt:2: `1.43E+18` is a rounded number"), "{error}");

        std::fs::remove_file(&list).unwrap();
        let error = Job::read(&path).unwrap_err().to_string();
        assert!(error.contains("job.toml:2: cannot read "), "{error}");
    }
}
