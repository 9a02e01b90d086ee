//! What requests are sent with: who asks, and how to prove it. Shown nowhere.
//!
//! Knows nothing of HTTP: how a key is traded for a token, and an old token for a new one,
//! is the source's business. What has been obtained is kept here, so that clones share it
//! and messages can be kept free of it.

pub(crate) mod file;
mod oauth1;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use crate::token::{encode, scrub};
use crate::{Error, Token};

pub(crate) use oauth1::UserKeys;
pub(crate) use tokens::{Granted, TokenFile, Tokens};

/// A credential: the right to ask, with rate windows of its own.
///
/// It can be used and cannot be shown: printing it prints its [id](CredentialId) only.
/// Clones share what one of them has obtained from the network.
#[derive(Clone)]
pub struct Credential {
    id: CredentialId,
    inner: Arc<Inner>,
}

struct Inner {
    kind: Kind,
    /// Secrets that the network has handed out since.
    fresh: Mutex<Vec<Token>>,
}

/// The ways of proving who asks.
pub(crate) enum Kind {
    /// An app's bearer token.
    Bearer(Token),
    /// An app's key and secret, and the bearer token once it has been obtained.
    App { pair: KeyPair, bearer: tokio::sync::Mutex<Option<Token>> },
    /// OAuth 1.0a: every request is signed.
    Signed(UserKeys),
    /// OAuth 2.0: a user's token that lives two hours, and the right to a new one.
    Refreshed(Box<TokenFile>),
}

/// What an app proves itself with.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub(crate) key: Token,
    pub(crate) secret: Token,
}

impl KeyPair {
    /// The value of an `Authorization` header, as both sorts of token are asked for.
    pub(crate) fn basic(&self) -> String {
        let pair = format!("{}:{}", encode(self.key.secret()), encode(self.secret.secret()));
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

/// What a credential is called, and what tells it from others without giving it away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId {
    /// What its owner calls it.
    pub name: String,
    /// Eight hexadecimal digits of a digest. Equal for equal credentials, and far too short
    /// to tell anything of them.
    pub fingerprint: String,
}

impl Credential {
    /// An app's bearer token.
    pub fn bearer(token: Token) -> Self {
        let id = CredentialId::new("app", &[token.secret()]);
        Self::of(id, Kind::Bearer(token))
    }

    /// An app's key and secret, which are traded for a bearer token when it is first needed.
    pub fn app(key: Token, secret: Token) -> Self {
        let id = CredentialId::new("app", &[key.secret(), secret.secret()]);
        let bearer = tokio::sync::Mutex::default();
        Self::of(id, Kind::App { pair: KeyPair { key, secret }, bearer })
    }

    /// A user, by OAuth 1.0a: the app's key and secret, the user's token and its secret.
    pub fn user(key: Token, secret: Token, token: Token, token_secret: Token) -> Self {
        let secrets = [&key, &secret, &token, &token_secret].map(Token::secret);
        let id = CredentialId::new("user", &secrets);
        let consumer = KeyPair { key, secret };
        Self::of(id, Kind::Signed(UserKeys { consumer, token, token_secret }))
    }

    /// A user, by OAuth 2.0: `token_file` holds `{"access_token", "refresh_token",
    /// "expires_at"}` as JSON, and is rewritten whenever the network hands out new tokens.
    /// An app that keeps a secret gives it, too. Only the X API v2 takes such tokens.
    ///
    /// # Errors
    /// If the file cannot be read, may be read by others, or holds something else.
    pub fn refreshed(
        client_id: &str,
        client_secret: Option<Token>,
        token_file: impl Into<PathBuf>,
    ) -> Result<Self, Error> {
        let file = TokenFile::open(client_id, client_secret, token_file.into())?;
        let id = CredentialId::new("user", &[client_id, &file.path().to_string_lossy()]);
        Ok(Self::of(id, Kind::Refreshed(Box::new(file))))
    }

    /// Reads a file of credentials that nobody else may read: TOML, one `[[credential]]`
    /// table for each, with a `name` and one of these sets of keys: `bearer_token`;
    /// `consumer_key` and `consumer_secret`; these two with `access_token` and
    /// `access_token_secret`; `client_id` and `token_file`, perhaps with `client_secret`.
    /// A `token_file` is looked for beside the file.
    ///
    /// # Errors
    /// If something in it is not right; the message names file, line and key, and no value.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, Error> {
        file::read(path)
    }

    /// Gives it another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.id.name = name.into();
        self
    }

    /// What it is called.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Whether it speaks for a user, whose windows and rights differ from an app's.
    pub fn acts_for_user(&self) -> bool {
        matches!(self.kind(), Kind::Signed(_) | Kind::Refreshed(_))
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.inner.kind
    }

    /// Takes note of a secret that the network has just handed out, before anything is done
    /// with it.
    pub(crate) fn keep_quiet_about(&self, secret: &Token) {
        let mut fresh = self.inner.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if !fresh.contains(secret) {
            fresh.push(secret.clone());
        }
    }

    /// Takes its secrets out of a text, those obtained meanwhile as well.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut forms = Vec::new();
        let mut pair = |pair: &KeyPair| {
            let basic = pair.basic();
            forms.extend(basic.strip_prefix("Basic ").map(str::to_owned));
            let raw = format!("{}:{}", pair.key.secret(), pair.secret.secret());
            forms.push(BASE64_STANDARD.encode(raw));
            forms.extend(pair.key.forms().into_iter().chain(pair.secret.forms()));
        };
        match self.kind() {
            Kind::Bearer(token) => forms.extend(token.forms()),
            Kind::App { pair: keys, .. } => pair(keys),
            Kind::Signed(keys) => {
                pair(&keys.consumer);
                forms.extend(keys.token.forms().into_iter().chain(keys.token_secret.forms()));
            }
            Kind::Refreshed(file) => {
                file.client().into_iter().for_each(&mut pair);
                forms.extend(file.first().iter().flat_map(Token::forms));
            }
        }
        let fresh = self.inner.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        forms.extend(fresh.iter().flat_map(Token::forms));
        drop(fresh);
        scrub(text, forms)
    }

    fn of(id: CredentialId, kind: Kind) -> Self {
        Self { id, inner: Arc::new(Inner { kind, fresh: Mutex::default() }) }
    }

    /// A credential for tests.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self::bearer(Token::of_test())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.id).finish()
    }
}

impl CredentialId {
    fn new(name: impl Into<String>, secrets: &[&str]) -> Self {
        let mut digest = Sha256::new_with_prefix("followgraph credential");
        for secret in secrets {
            digest.update([0]);
            digest.update(secret);
        }
        let digest = digest.finalize();
        let short = u32::from_be_bytes(std::array::from_fn(|i| digest[i]));
        Self { name: name.into(), fingerprint: format!("{short:08x}") }
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::new(text).unwrap()
    }

    #[test]
    fn the_documented_pair_gives_the_documented_header() {
        let key = token("xvz1evFS4wEEPTGEFPHBog");
        let secret = token("L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg");
        let expected = "Basic eHZ6MWV2RlM0d0VFUFRHRUZQSEJvZzpMOHFxOVBaeVJnNmllS0dFS2hab2xHQzB2SldMdzhpRUo4OERSZHlPZw==";
        assert_eq!(KeyPair { key, secret }.basic(), expected);
    }

    #[test]
    fn every_secret_is_taken_out_in_every_form() {
        let app = Credential::app(token("key+1"), token("sec/ret"));
        app.keep_quiet_about(&token("fresh%2F%3D"));
        let basic = BASE64_STANDARD.encode("key%2B1:sec%2Fret");
        let text = format!(
            r"key+1 key%2B1 sec/ret sec\/ret sec%2Fret sec%252Fret {basic} fresh%2F%3D fresh/= fresh%252F%253D"
        );
        let shown = app.scrub(&text);
        assert_eq!(shown, ["REDACTED"; 10].join(" "));
        assert!(!format!("{app:?}").contains("key"));
    }

    #[test]
    fn a_credential_knows_whom_it_speaks_for() {
        assert!(!Credential::of_test().acts_for_user());
        let user = Credential::user(token("a"), token("b"), token("c"), token("d"));
        assert!(user.acts_for_user());
        let same = Credential::user(token("a"), token("b"), token("c"), token("d"));
        assert_eq!(user.id(), same.id());
        let other = Credential::user(token("a"), token("b"), token("c"), token("e"));
        assert_ne!(user.id(), other.id());
    }
}
