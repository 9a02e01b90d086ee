//! Settings, resolved once: flag, environment, job file, user file, default.
//!
//! Each value remembers where it came from, so that `config show` can say it. The token is
//! not here: it has no place in anything that can be shown.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bytesize::ByteSize;
use ingest::{Prices, PricesTable};
use serde::Deserialize;

use crate::args::Args;
use crate::exit::Usage;
use crate::output;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    /// The first of these that is set.
    fn first(candidates: [Option<(T, Origin)>; 4], default: T) -> Self {
        let found = candidates.into_iter().flatten().next();
        let (value, origin) = found.unwrap_or((default, Origin::Default));
        Self { value, origin }
    }
}

/// What every command knows.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) store: Setting<PathBuf>,
    pub(crate) threads: Setting<usize>,
    pub(crate) memory: Setting<Option<String>>,
    pub(crate) base_url: Setting<String>,
    pub(crate) source: Setting<String>,
    pub(crate) concurrency: Setting<usize>,
    pub(crate) token_file: Setting<Option<PathBuf>>,
    pub(crate) credentials: Setting<Option<PathBuf>>,
    pub(crate) retry_delay: Setting<Option<String>>,
    pub(crate) prices: Setting<Prices>,
    pub(crate) quiet: bool,
    /// The user's own settings file, whether or not it is there.
    pub(crate) user_file: Option<PathBuf>,
}

/// What flags of a command and a job file say of the settings, when they do.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) store: Option<PathBuf>,
    pub(crate) base_url: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) retry_delay: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    store: Option<PathBuf>,
    threads: Option<usize>,
    memory: Option<String>,
    base_url: Option<String>,
    source: Option<String>,
    concurrency: Option<usize>,
    token_file: Option<PathBuf>,
    credentials: Option<PathBuf>,
    retry_delay: Option<String>,
    prices: Option<PricesTable>,
}

/// The variable that names the store.
pub(crate) const STORE: &str = "FOLLOWGRAPH_STORE";
const THREADS: &str = "FOLLOWGRAPH_THREADS";
const MEMORY: &str = "FOLLOWGRAPH_MEMORY";
const BASE_URL: &str = "FOLLOWGRAPH_BASE_URL";
const SOURCE: &str = "FOLLOWGRAPH_SOURCE";
const CONCURRENCY: &str = "FOLLOWGRAPH_CONCURRENCY";
const TOKEN_FILE: &str = "FOLLOWGRAPH_TOKEN_FILE";
const CREDENTIALS: &str = "FOLLOWGRAPH_CREDENTIALS";
const RETRY_DELAY: &str = "FOLLOWGRAPH_RETRY_DELAY";

impl Settings {
    /// Resolves what was typed, what the command's own flags and its job file say, the
    /// environment and the user's file.
    pub(crate) fn resolve(args: &Args, flags: Said, job: Option<(Said, &Path)>) -> Result<Self> {
        let user_path = user_file();
        let (user, user_text) = match &user_path {
            Some(path) if path.exists() => read_user_file(path)?,
            _ => (UserFile::default(), String::new()),
        };
        let file = user_path.clone().unwrap_or_default();
        let (job, job_path) = job.map_or((Said::default(), PathBuf::new()), |(j, p)| (j, p.into()));
        macro_rules! setting {
            ($flag:expr, $name:literal, $env:expr, $job:expr, $user:expr, $default:expr) => {
                Setting::first(
                    [
                        $flag.map(|v| (v, Origin::Flag($name))),
                        from_env($env)?.map(|v| (v, Origin::Environment($env))),
                        $job.map(|v| (v, Origin::File(job_path.clone()))),
                        $user.map(|v| (v, Origin::File(file.clone()))),
                    ],
                    $default,
                )
            };
        }
        let none: Option<usize> = None;
        let no_text: Option<Option<String>> = None;
        let store = args.store.clone().or(flags.store);
        let default_store = PathBuf::from("followgraph-store");
        let token_file = setting!(
            flags.token_file.map(Some),
            "--token-file",
            TOKEN_FILE,
            job.token_file.map(Some),
            user.token_file.map(Some),
            None
        );
        let credentials = setting!(
            flags.credentials.map(Some),
            "--credentials",
            CREDENTIALS,
            job.credentials.map(Some),
            user.credentials.map(Some),
            None
        );
        let retry_delay = setting!(
            flags.retry_delay.map(Some),
            "--retry-delay",
            RETRY_DELAY,
            job.retry_delay.map(Some),
            user.retry_delay.map(Some),
            None
        );
        let prices = prices(user.prices, &user_text, &file)?;
        let base_url = setting!(
            flags.base_url,
            "--base-url",
            BASE_URL,
            job.base_url,
            user.base_url,
            ingest::DEFAULT_BASE_URL.to_owned()
        );
        ingest::check_base_url(&base_url.value)?;
        Ok(Self {
            store: setting!(store, "--store", STORE, job.store, user.store, default_store),
            threads: setting!(
                args.threads.map(usize::from),
                "--threads",
                THREADS,
                none,
                user.threads,
                std::thread::available_parallelism().map_or(1, usize::from)
            ),
            memory: setting!(
                args.memory.clone().map(Some),
                "--memory",
                MEMORY,
                no_text,
                user.memory.map(Some),
                None
            ),
            base_url,
            source: setting!(
                flags.source,
                "--source",
                SOURCE,
                job.source,
                user.source,
                "x_v2".to_owned()
            ),
            concurrency: setting!(
                flags.concurrency,
                "--concurrency",
                CONCURRENCY,
                job.concurrency,
                user.concurrency,
                8
            ),
            token_file,
            credentials,
            retry_delay,
            prices,
            quiet: args.quiet,
            user_file: user_path,
        })
    }

    /// Tells questions how much of the machine they may take.
    pub(crate) fn limit_questions(&self) -> Result<()> {
        analysis::set_threads(self.threads.value)?;
        if let Some(text) = &self.memory.value {
            analysis::set_memory(bytes(text)?)?;
        }
        Ok(())
    }

    /// Name, value and origin of each setting.
    pub(crate) fn rows(&self) -> Vec<[String; 3]> {
        let row = |name: &str, value: String, origin: &Origin| {
            [name.to_owned(), value, origin.to_string()]
        };
        let path = |path: &Option<PathBuf>| {
            path.as_ref().map_or("-".to_owned(), |path| path.display().to_string())
        };
        let token_file = path(&self.token_file.value);
        let credentials = path(&self.credentials.value);
        let retry_delay = self.retry_delay.value.clone().unwrap_or_else(|| "1s".to_owned());
        let Prices { as_of, user_micro_usd, .. } = &self.prices.value;
        let each = output::dollars(*user_micro_usd);
        let memory =
            self.memory.value.clone().unwrap_or_else(|| "half of the machine's".to_owned());
        let prices = format!("as of {as_of}: {each} for each returned user of x_v2");
        vec![
            row("store", self.store.value.display().to_string(), &self.store.origin),
            row("threads", self.threads.value.to_string(), &self.threads.origin),
            row("memory", memory, &self.memory.origin),
            row("source", self.source.value.clone(), &self.source.origin),
            row("base_url", self.base_url.value.clone(), &self.base_url.origin),
            row("concurrency", self.concurrency.value.to_string(), &self.concurrency.origin),
            row("token_file", token_file, &self.token_file.origin),
            row("credentials", credentials, &self.credentials.origin),
            row("retry_delay", retry_delay, &self.retry_delay.origin),
            row("prices", prices, &self.prices.origin),
        ]
    }
}

/// What the user's file says of prices, or else what they were when this was written.
fn prices(table: Option<PricesTable>, text: &str, file: &Path) -> Result<Setting<Prices>> {
    let said = table.map(|table| table.read(text, file)).transpose()?;
    let said = said.map(|prices| (prices, Origin::File(file.to_owned())));
    Ok(Setting::first([said, None, None, None], Prices::default()))
}

/// A value that an environment variable can hold.
trait FromVariable: Sized {
    fn from_text(text: String) -> Option<Self>;
}

impl FromVariable for String {
    fn from_text(text: String) -> Option<Self> {
        Some(text)
    }
}

impl FromVariable for PathBuf {
    fn from_text(text: String) -> Option<Self> {
        Some(text.into())
    }
}

impl FromVariable for Option<PathBuf> {
    fn from_text(text: String) -> Option<Self> {
        Some(Some(text.into()))
    }
}

impl FromVariable for Option<String> {
    fn from_text(text: String) -> Option<Self> {
        Some(Some(text))
    }
}

impl FromVariable for usize {
    fn from_text(text: String) -> Option<Self> {
        text.parse().ok().filter(|n| *n > 0)
    }
}

/// Reads a variable; an empty one counts as not set.
fn from_env<T: FromVariable>(name: &'static str) -> Result<Option<T>> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => match T::from_text(text.clone()) {
            Some(value) => Ok(Some(value)),
            None => {
                Err(Usage::new(format!("{name} is `{text}`, which is no positive number")).into())
            }
        },
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Usage::new(format!("{name} is not UTF-8")).into()),
    }
}

/// `$XDG_CONFIG_HOME/followgraph/config.toml`, or the same below `~/.config`.
fn user_file() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    base.map(|base| base.join("followgraph").join("config.toml"))
}

/// A size as people write it: `512MiB`, `8 GB`, `1000000`.
fn bytes(text: &str) -> Result<u64> {
    let size: ByteSize = text.parse().map_err(|_| {
        Usage::new(format!("memory: `{text}` is not a size"))
            .hint("write it with a unit, as 512MiB or 8GiB")
    })?;
    Ok(size.as_u64())
}

fn read_user_file(path: &Path) -> Result<(UserFile, String)> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings file {}", path.display()))?;
    let file = toml::from_str(&text).map_err(|e| {
        // Not the error's own text, which quotes the line: somebody may keep a secret there.
        let before = e.span().map_or("", |span| &text[..span.start]);
        let line = before.lines().count().max(1);
        let message = e.message().lines().next().unwrap_or_default();
        Usage::new(format!("{}:{line}: {message}", path.display()))
    })?;
    Ok((file, text))
}
