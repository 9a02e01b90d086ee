//! A file of credentials.
//!
//! Messages name file, line and key. The parser's own text is not used, because it quotes
//! lines and values.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::Credential;
use crate::token::refuse_shared;
use crate::{Error, ErrorKind, Token};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    credential: Vec<Spanned<Entry>>,
}

type Entry = BTreeMap<String, Spanned<String>>;

const KEYS: [&str; 9] = [
    "name",
    "bearer_token",
    "consumer_key",
    "consumer_secret",
    "access_token",
    "access_token_secret",
    "client_id",
    "client_secret",
    "token_file",
];

pub(super) fn read(path: &Path) -> Result<Vec<Credential>, Error> {
    refuse_shared(path, "credentials file")?;
    let text = std::fs::read(path).map_err(|e| Error::io("read the credentials file", path, e))?;
    parse(text, path)
}

/// The same for text that is at hand; `path` is for messages and relative paths.
pub(crate) fn parse(text: Vec<u8>, path: &Path) -> Result<Vec<Credential>, Error> {
    let wrong = |line: usize, what: &str| {
        let place = path.display();
        Error::new(ErrorKind::Credentials, format!("{place}:{line}: {what}"))
    };
    let text = String::from_utf8(text).map_err(|_| wrong(1, "this is not text"))?;
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let file: File = toml::from_str(&text).map_err(|e| {
        wrong(line(e.span().map_or(0, |s| s.start)), "this cannot be read as a credentials file")
            .hint("it has [[credential]] tables, whose keys have texts in quotes")
    })?;
    let mut names = HashSet::new();
    let mut found = Vec::new();
    for entry in file.credential {
        let at = line(entry.span().start);
        let entry = entry.into_inner();
        if let Some((key, value)) = entry.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
            // What does not look like a key may be a secret in the wrong place.
            let plain = key.len() < 30 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let key = if plain { format!("`{key}` is") } else { "this is".to_owned() };
            let what = format!("{key} not a key of a credential");
            return Err(wrong(line(value.span().start), &what)
                .hint(format!("the keys are {}", KEYS.join(", "))));
        }
        let name = entry.get("name").ok_or_else(|| wrong(at, "this credential has no `name`"))?;
        let name_line = line(name.span().start);
        let name = name.get_ref().trim().to_owned();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(wrong(name_line, "`name` cannot be a name"));
        }
        if !names.insert(name.clone()) {
            return Err(wrong(name_line, "`name` is that of another credential, too"));
        }
        let secret = |key: &str| {
            let value = &entry[key];
            Token::quiet(value.get_ref()).ok_or_else(|| {
                wrong(line(value.span().start), &format!("`{key}` cannot be what it should"))
            })
        };
        let keys: Vec<_> = entry.keys().map(String::as_str).filter(|key| *key != "name").collect();
        let credential = match keys[..] {
            ["bearer_token"] => Credential::bearer(secret("bearer_token")?),
            ["consumer_key", "consumer_secret"] => {
                Credential::app(secret("consumer_key")?, secret("consumer_secret")?)
            }
            ["access_token", "access_token_secret", "consumer_key", "consumer_secret"] => {
                Credential::user(
                    secret("consumer_key")?,
                    secret("consumer_secret")?,
                    secret("access_token")?,
                    secret("access_token_secret")?,
                )
            }
            ["client_id", "token_file"] | ["client_id", "client_secret", "token_file"] => {
                let client_secret = match entry.get("client_secret") {
                    Some(_) => Some(secret("client_secret")?),
                    None => None,
                };
                let folder = path.parent().unwrap_or(Path::new(""));
                let file = folder.join(entry["token_file"].get_ref());
                Credential::refreshed(secret("client_id")?.secret(), client_secret, file)?
            }
            _ => {
                let what = "the keys of this credential are not one whole set";
                return Err(wrong(at, what).hint(SETS));
            }
        };
        found.push(credential.named(name));
    }
    Ok(found)
}

const SETS: &str = "give `bearer_token`, or `consumer_key` and `consumer_secret`, or these two \
    with `access_token` and `access_token_secret`, or `client_id` and `token_file`";

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn file(folder: &Path, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn every_sort_of_credential_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = r#"{"access_token":"a","refresh_token":"r","expires_at":1700000000}"#;
        file(folder.path(), "tokens.json", tokens, 0o600);
        let text = r#"
            [[credential]]
            name = "one"
            bearer_token = "sesame"
            [[credential]]
            name = "two"
            consumer_key = "k"
            consumer_secret = "s"
            [[credential]]
            name = "three"
            consumer_key = "k"
            consumer_secret = "s"
            access_token = "t"
            access_token_secret = "u"
            [[credential]]
            name = "four"
            client_id = "c"
            token_file = "tokens.json"
        "#;
        let path = file(folder.path(), "credentials.toml", text, 0o600);
        let found = read(&path).unwrap();
        let names: Vec<_> =
            found.iter().map(|c| (c.id().name.as_str(), c.acts_for_user())).collect();
        assert_eq!(names, [("one", false), ("two", false), ("three", true), ("four", true)]);
        let path = file(folder.path(), "open.toml", text, 0o644);
        assert!(read(&path).unwrap_err().way_out().unwrap().starts_with("chmod 600 "));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_key_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: &str, expected: &str| {
            let path = file(folder.path(), "c.toml", text, 0o600);
            let error = read(&path).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.way_out());
            assert!(!shown.contains("sesame"), "{shown}");
            assert!(error.to_string().ends_with(expected), "{error} is not {expected}");
        };
        let unread = "this cannot be read as a credentials file";
        check(
            "[[credential]]\nname = \"a\"\nbearer_token = sesame",
            &format!("c.toml:3: {unread}"),
        );
        check("[[credential]]\nname = \"a\"\nsesame%2F", &format!("c.toml:3: {unread}"));
        check("sesame = \"sesame\"", &format!("c.toml:1: {unread}"));
        check("[[credential]]\nname = 7", &format!("c.toml:2: {unread}"));
        check(
            "[[credential]]\nbearer_token = \"sesame\"",
            "c.toml:1: this credential has no `name`",
        );
        check(
            "[[credential]]\nname = \"a\"\nbearer = \"sesame\"",
            "c.toml:3: `bearer` is not a key of a credential",
        );
        check(
            "[[credential]]\nname = \"a\"\nSESAME-sesame = \"x\"",
            "c.toml:3: this is not a key of a credential",
        );
        check(
            "[[credential]]\nname = \"a\"\nbearer_token = \"two sesame\"",
            "c.toml:3: `bearer_token` cannot be what it should",
        );
        check(
            "[[credential]]\nname = \"a\"\nconsumer_key = \"sesame\"",
            "c.toml:1: the keys of this credential are not one whole set",
        );
        let one = "[[credential]]\nname = \"a\"\nbearer_token = \"sesame\"\n";
        check(&format!("{one}{one}"), "c.toml:5: `name` is that of another credential, too");
    }
}
