//! What requests are sent with: who asks, and how to prove it. Shown nowhere.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Token;

/// A credential: the right to ask, with rate windows of its own.
///
/// It can be used and cannot be shown: printing it prints its [id](CredentialId) only.
#[derive(Clone)]
pub struct Credential {
    id: CredentialId,
    token: Token,
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
        Self { id, token }
    }

    /// What it is called.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// Takes its secrets out of a text.
    pub(crate) fn scrub(&self, text: &str) -> String {
        self.token.scrub(text)
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
