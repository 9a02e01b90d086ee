//! A secret, such as a bearer token: read from a safe place, shown nowhere.

use std::fmt;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Error, ErrorKind};

/// A bearer token, or another secret of a credential. It can be sent and cannot be shown: both of its printed forms are
/// `Token(REDACTED)`, and it cannot be serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token that is at hand, as the simulator's is.
    ///
    /// # Errors
    /// If it cannot be a token.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Error> {
        Self::parse(text.as_ref(), "the given text")
    }

    /// Takes the first of these environment variables that is set and not empty.
    ///
    /// # Errors
    /// If one is set to something that cannot be a token.
    pub fn from_env(names: &[&str]) -> Result<Option<Self>, Error> {
        for name in names {
            match std::env::var(name) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => return Self::parse(&text, &format!("the variable {name}")).map(Some),
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(not_a_token(&format!("the variable {name}")));
                }
            }
        }
        Ok(None)
    }

    /// Reads a file that holds nothing but the token and that nobody else may read.
    ///
    /// # Errors
    /// If the file cannot be read, may be read by others, or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        // Somebody who names the token itself, and not its file, must not read it again.
        if !path.exists() && path.components().count() == 1 && path.as_os_str().len() > 24 {
            let what = "there is no token file of that name, which is not shown: it may be a token";
            return Err(Error::new(ErrorKind::Credentials, what)
                .hint("name a file that holds the token, or set the variable"));
        }
        refuse_shared(path, "token file")?;
        let text = std::fs::read(path).map_err(|e| Error::io("read the token file", path, e))?;
        let place = format!("the token file {}", path.display());
        match std::str::from_utf8(&text) {
            Ok(text) => Self::parse(text, &place),
            // The cause would quote the bytes.
            Err(_) => Err(not_a_token(&place)),
        }
    }

    fn parse(text: &str, place: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(not_a_token(place));
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret, for the one header that carries it.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Takes one that came from a network or a larger file; `None` if it cannot be one.
    pub(crate) fn quiet(text: &str) -> Option<Self> {
        Self::parse(text, "").ok()
    }

    /// Every way in which the secret may stand in a text: as it is, as inside a quoted
    /// string, percent-encoded once or twice, or without the percent signs that bearer
    /// tokens are handed out with.
    pub(crate) fn forms(&self) -> Vec<String> {
        let plain = percent_decode_str(&self.0).decode_utf8_lossy().into_owned();
        let once = encode(&self.0);
        let mut forms = vec![encode(&once), once, encode(&plain), plain, self.0.clone()];
        forms.extend(forms.clone().iter().map(|form| form.escape_debug().to_string()));
        forms.extend(forms.clone().iter().map(|form| form.replace('/', "\\/")));
        forms
    }

    /// Takes the secret out of a text, however it is written there.
    #[cfg(test)]
    pub(crate) fn scrub(&self, text: &str) -> String {
        scrub(text, self.forms())
    }

    /// A token for tests, with the percent signs that real ones have.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self("test-token%2F%3D".to_owned())
    }
}

/// Takes all of these out of a text, the longest first, so that nothing is left of one that
/// begins like another.
pub(crate) fn scrub(text: &str, mut forms: Vec<String>) -> String {
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    let forms = forms.iter().filter(|form| !form.is_empty());
    forms.fold(text.to_owned(), |text, form| text.replace(form.as_str(), "REDACTED"))
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
pub(crate) fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

fn not_a_token(place: &str) -> Error {
    Error::new(ErrorKind::Credentials, format!("{place} does not hold a bearer token"))
        .hint("it must hold the token alone, on one line, without `Bearer` before it")
}

#[cfg(unix)]
pub(crate) fn refuse_shared(path: &Path, what: &str) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let about =
        std::fs::metadata(path).map_err(|e| Error::io(&format!("read the {what}"), path, e))?;
    let mode = about.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let path = path.display();
    let message = format!("the {what} {path} is open to other users (mode {mode:03o})");
    Err(Error::new(ErrorKind::Credentials, message).hint(format!("chmod 600 {path}")))
}

#[cfg(not(unix))]
pub(crate) fn refuse_shared(_path: &Path, _what: &str) -> Result<(), Error> {
    Ok(())
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(REDACTED)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(REDACTED)")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn file(text: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_token_prints_as_redacted() {
        let token = Token("sesame".to_owned());
        assert_eq!(format!("{token} {token:?} {:?}", Some(&token)).matches("sesame").count(), 0);
        assert_eq!(token.to_string(), "Token(REDACTED)");
    }

    #[test]
    fn a_token_is_taken_out_of_a_text_in_every_form() {
        let token = Token::of_test();
        let text = r#"a test-token%2F%3D, "test-token/=" and nothing else"#;
        assert_eq!(token.scrub(text), r#"a REDACTED, "REDACTED" and nothing else"#);
    }

    #[test]
    fn a_private_file_is_read_without_its_line_end() {
        let (_folder, path) = file(b"AAAA%2Fbb%3D\n", 0o600);
        assert_eq!(Token::from_file(&path).unwrap().secret(), "AAAA%2Fbb%3D");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_way_out() {
        for mode in [0o640, 0o604, 0o660] {
            let (_folder, path) = file(b"sesame", mode);
            let error = Token::from_file(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.way_out().unwrap().starts_with("chmod 600 "), "{error:?}");
        }
    }

    #[test]
    fn a_token_where_a_file_belongs_is_not_quoted() {
        let error =
            Token::from_file(Path::new("AAAAAAAAAAAAAAAAAAAAAsesame%2Fdemo%3D")).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.way_out()).contains("sesame"));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_quoted() {
        for bad in [b"".as_slice(), b"two words", b"two\nlines", b"\xffsesame"] {
            let (_folder, path) = file(bad, 0o600);
            let error = Token::from_file(&path).unwrap_err();
            let shown = format!("{error:?}");
            assert!(!shown.contains("sesame") && !shown.contains("words"), "{shown}");
        }
    }
}
