//! OAuth 2.0 tokens of a user, in a file that outlives them.
//!
//! The network may take the old refresh token back the moment it hands out a new one. So
//! new tokens are on disk, fsynced, before the first of them is used; if they cannot be
//! kept, they are not used, and keeping them is tried again before anything else is.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::KeyPair;
use crate::token::refuse_shared;
use crate::{Error, ErrorKind, Token};

/// Where a user's tokens are kept, and who may ask for new ones.
pub(crate) struct TokenFile {
    client_id: String,
    client: Option<KeyPair>,
    path: PathBuf,
    first: [Token; 2],
    /// Held while tokens are renewed, so that one request does it and others wait.
    pub(crate) tokens: Mutex<Tokens>,
}

/// The tokens as they are now.
pub(crate) struct Tokens {
    pub(crate) access: Token,
    pub(crate) refresh: Token,
    pub(crate) expires_at: Option<Timestamp>,
    /// Handed out and not kept yet.
    pub(crate) unsaved: Option<Granted>,
    /// What else the file holds.
    rest: Map<String, Value>,
}

/// Tokens that the network has handed out.
pub(crate) struct Granted {
    pub(crate) access: Token,
    /// None if the old one stays good.
    pub(crate) refresh: Option<Token>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl TokenFile {
    pub(super) fn open(
        client_id: &str,
        client_secret: Option<Token>,
        path: PathBuf,
    ) -> Result<Self, Error> {
        let key = Token::quiet(client_id)
            .ok_or_else(|| Error::new(ErrorKind::Credentials, "the client id cannot be one"))?;
        let tokens = read(&path)?;
        Ok(Self {
            client_id: client_id.to_owned(),
            client: client_secret.map(|secret| KeyPair { key, secret }),
            first: [tokens.access.clone(), tokens.refresh.clone()],
            tokens: Mutex::new(tokens),
            path,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The pair of an app that keeps a secret.
    pub(crate) fn client(&self) -> Option<&KeyPair> {
        self.client.as_ref()
    }

    /// The tokens that the file held at first.
    pub(super) fn first(&self) -> &[Token; 2] {
        &self.first
    }

    /// Takes over what the file holds if it is not what was read from it.
    pub(crate) fn changed_elsewhere(&self, tokens: &mut Tokens) -> bool {
        match read(&self.path) {
            Ok(found) if found.access != tokens.access => {
                *tokens = found;
                true
            }
            _ => false,
        }
    }

    /// Keeps new tokens, and only then makes them the ones to use.
    ///
    /// # Errors
    /// If they could not be kept; they are tried again by the next call.
    pub(crate) fn keep(&self, tokens: &mut Tokens, granted: Granted) -> Result<(), Error> {
        let refresh = granted.refresh.clone().unwrap_or_else(|| tokens.refresh.clone());
        let mut json = tokens.rest.clone();
        json.insert("access_token".into(), granted.access.secret().into());
        json.insert("refresh_token".into(), refresh.secret().into());
        match granted.expires_at {
            Some(at) => json.insert("expires_at".into(), at.to_string().into()),
            None => json.remove("expires_at"),
        };
        if let Err(cause) = replace(&self.path, &Value::Object(json).to_string()) {
            tokens.unsaved = Some(granted);
            let path = self.path.display();
            let message = format!("the new refresh token could not be kept in {path}: {cause}");
            return Err(Error::new(ErrorKind::Credentials, message)
                .hint("make the folder writable; without the token, log in again"));
        }
        tokens.access = granted.access;
        tokens.refresh = refresh;
        tokens.expires_at = granted.expires_at;
        Ok(())
    }
}

/// The file as it is written by hand or by us.
#[derive(Deserialize)]
struct Stored {
    access_token: String,
    refresh_token: String,
    expires_at: Option<Expiry>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expiry {
    Text(Timestamp),
    Secs(i64),
}

fn read(path: &Path) -> Result<Tokens, Error> {
    refuse_shared(path, "token file")?;
    let text = std::fs::read(path).map_err(|e| Error::io("read the token file", path, e))?;
    // The cause might quote a secret.
    let wrong = || {
        let message = format!("the token file {} does not hold a user's tokens", path.display());
        Error::new(ErrorKind::Credentials, message)
            .hint(r#"it looks like {"access_token": "…", "refresh_token": "…", "expires_at": "2026-01-31T12:00:00Z"}"#)
    };
    let stored: Stored = serde_json::from_slice(&text).map_err(|_| wrong())?;
    let expires_at = match stored.expires_at {
        Some(Expiry::Text(at)) => Some(at),
        Some(Expiry::Secs(secs)) => Some(Timestamp::from_second(secs).map_err(|_| wrong())?),
        None => None,
    };
    Ok(Tokens {
        access: Token::quiet(&stored.access_token).ok_or_else(wrong)?,
        refresh: Token::quiet(&stored.refresh_token).ok_or_else(wrong)?,
        expires_at,
        unsaved: None,
        rest: stored.rest,
    })
}

/// Replaces a file as a whole: a reader, and a crash, find the old one or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
