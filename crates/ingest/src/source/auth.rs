//! How a request proves who asks: what each sort of credential puts into the header, and
//! how tokens are obtained and renewed.
//!
//! Header values are marked as sensitive, so the HTTP library's own logs show none. No
//! logger is installed, and what an answer to these requests says is never quoted where it
//! may hold a new token.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::http::Http;
use super::{SourceError, Trouble};
use crate::Token;
use crate::credential::{Granted, Kind, TokenFile, Tokens};

/// A token that ends this soon is renewed before it is used.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// What was sent, as far as it decides what a refusal means.
pub(super) struct Proof {
    pub(super) header: HeaderValue,
    /// The user's token, which may have ended.
    access: Option<Token>,
}

impl Http {
    /// The header for a GET of `url` with these parameters.
    pub(super) async fn prove(
        &self,
        url: &str,
        query: &[(String, String)],
    ) -> Result<Proof, SourceError> {
        let bearer = |token: &Token| format!("Bearer {}", token.secret());
        let (text, access) = match self.secret().kind() {
            Kind::Bearer(token) => (bearer(token), None),
            Kind::App { pair, bearer: held } => {
                let mut held = held.lock().await;
                if held.is_none() {
                    let form = [("grant_type", "client_credentials")];
                    let granted = self.trade("/oauth2/token", Some(&pair.basic()), &form).await?;
                    *held = Some(granted.access);
                }
                (held.as_ref().map(bearer).unwrap_or_default(), None)
            }
            Kind::Signed(keys) => {
                let header = keys.header(url, query, self.now().as_second());
                (header.ok_or_else(|| refused("there are no random bytes for a nonce"))?, None)
            }
            Kind::Refreshed(file) => {
                let mut tokens = file.tokens.lock().await;
                let ends = tokens.expires_at.is_some_and(|at| at <= self.now() + RENEW_AHEAD);
                if ends || tokens.unsaved.is_some() {
                    self.renew(file, &mut tokens).await?;
                }
                (bearer(&tokens.access), Some(tokens.access.clone()))
            }
        };
        let mut header = HeaderValue::from_str(&text)
            .map_err(|_| refused("the credential cannot be sent in a header"))?;
        header.set_sensitive(true);
        Ok(Proof { header, access })
    }

    /// Whether a 401 is worth asking again, with a new token or by the right clock.
    pub(super) async fn mend(&self, proof: &Proof, body: &[u8]) -> Result<bool, SourceError> {
        match self.secret().kind() {
            Kind::Signed(_) => Ok(super::classify::says_clock_is_off(body)),
            Kind::Refreshed(file) => {
                let mut tokens = file.tokens.lock().await;
                // Another request may have renewed it meanwhile.
                if proof.access.as_ref() == Some(&tokens.access) {
                    self.renew(file, &mut tokens).await?;
                }
                Ok(true)
            }
            Kind::Bearer(_) | Kind::App { .. } => Ok(false),
        }
    }

    async fn renew(&self, file: &TokenFile, tokens: &mut Tokens) -> Result<(), SourceError> {
        if tokens.unsaved.is_none() && file.changed_elsewhere(tokens) {
            // Another process, or its owner, has put newer ones there.
            self.secret().keep_quiet_about(&tokens.access);
            self.secret().keep_quiet_about(&tokens.refresh);
            return Ok(());
        }
        let granted = if let Some(granted) = tokens.unsaved.take() {
            granted
        } else {
            let refresh = tokens.refresh.clone();
            let mut form =
                vec![("grant_type", "refresh_token"), ("refresh_token", refresh.secret())];
            let basic = file.client().map(crate::credential::KeyPair::basic);
            if basic.is_none() {
                form.push(("client_id", file.client_id()));
            }
            self.trade("/2/oauth2/token", basic.as_deref(), &form).await?
        };
        file.keep(tokens, granted).map_err(|e| self.presentable(refused(e.to_string())))
    }

    /// Asks for a token.
    async fn trade(
        &self,
        path: &str,
        basic: Option<&str>,
        form: &[(&str, &str)],
    ) -> Result<Granted, SourceError> {
        let reply = self.post(path, basic, form).await?;
        // Whatever it is, it must not be quoted before it is known what to leave out.
        let token = serde_json::from_slice::<WireToken>(&reply.body).ok();
        let mut secrets = Vec::new();
        for text in token.iter().flat_map(|t| [&t.access_token, &t.refresh_token]) {
            secrets.push(text.as_deref().and_then(Token::quiet));
            secrets.iter().flatten().for_each(|secret| self.secret().keep_quiet_about(secret));
        }
        let good = (200..300).contains(&reply.status);
        if let Some(error) = self.refusal(&reply).filter(|_| !good) {
            let trouble = match reply.status {
                400 | 401 => Trouble::Credentials,
                _ => error.trouble,
            };
            let detail = format!("no token was given: {}", error.detail);
            // Its windows are not those of the call that waits for the token.
            return Err(SourceError { trouble, detail, windows: Vec::new() });
        }
        let (Some(token), [access, refresh]) = (token, &mut secrets[..]) else {
            return Err(passing("the answer to a request for a token holds none"));
        };
        let is_bearer =
            token.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !is_bearer {
            return Err(refused("the network gave a token that is not a bearer token"));
        }
        let access = access
            .take()
            .ok_or_else(|| passing("the answer to a request for a token holds none"))?;
        let lives = token.expires_in.and_then(|secs| i64::try_from(secs).ok());
        let expires_at: Option<Timestamp> =
            lives.and_then(|secs| self.now().checked_add(SignedDuration::from_secs(secs)).ok());
        Ok(Granted { access, refresh: refresh.take(), expires_at })
    }
}

#[derive(Deserialize)]
struct WireToken {
    token_type: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

fn refused(detail: impl Into<String>) -> SourceError {
    let detail = detail.into();
    SourceError { trouble: Trouble::Credentials, detail, windows: Vec::new() }
}

fn passing(detail: &str) -> SourceError {
    SourceError { trouble: Trouble::Transient, detail: detail.into(), windows: Vec::new() }
}
