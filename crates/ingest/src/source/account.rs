//! Accounts as people write them: `@name`, or the numeric id.

use std::fmt;
use std::str::FromStr;

use snapshot::AccountId;

use crate::Error;

/// An account as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccountRef {
    /// By its numeric id.
    Id(AccountId),
    /// By its name, which must be resolved first.
    Name(Username),
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.pad(&id.to_string()),
            Self::Name(name) => f.pad(&name.to_string()),
        }
    }
}

impl FromStr for AccountRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix('@') {
            return name.parse().map(Self::Name);
        }
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) if is_username(text) && text.contains(|c: char| !c.is_ascii_digit()) => {
                let error = Error::usage(format!("`{text}` is not a numeric id"));
                Err(error.hint(format!("names are written with an at sign: @{text}")))
            }
            Err(e) => Err(Error::usage(format!("`{text}` is not an account")).because(e)),
        }
    }
}

/// A name that the network can have given: 1 to 15 letters, digits and underscores.
///
/// Equal names may differ in case.
#[derive(Clone, Debug)]
pub struct Username(String);

impl Username {
    /// The name without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a profile's name is this one.
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Username {}

impl std::hash::Hash for Username {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

impl FromStr for Username {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if is_username(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("`@{}` is not a name there can be", text.escape_debug()))
            .hint("names have 1 to 15 letters, digits and underscores"))
    }
}

fn is_username(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<AccountRef>() {
            Ok(AccountRef::Id(id)) => format!("id {id}"),
            Ok(AccountRef::Name(name)) => format!("name {}", name.as_str()),
            Err(e) => format!("{e}; {}", e.way_out().unwrap_or("-")),
        };
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn an_at_sign_makes_a_name_and_digits_make_an_id() {
        check("@Some_Name1", "name Some_Name1");
        check("@123", "name 123");
        check("123", "id 123");
    }

    #[test]
    fn what_cannot_be_an_account_is_refused_with_a_way_out() {
        check("alice", "`alice` is not a numeric id; names are written with an at sign: @alice");
        check("9223372036854775808", "`9223372036854775808` is not an account; -");
        check("-5", "`-5` is not an account; -");
        let hint = "names have 1 to 15 letters, digits and underscores";
        for bad in ["@", "@a-b", "@sixteen_letters_"] {
            check(bad, &format!("`{bad}` is not a name there can be; {hint}"));
        }
    }

    #[test]
    fn names_are_equal_whatever_their_case() {
        let set: std::collections::HashSet<AccountRef> =
            ["@Alice", "@alice", "@ALICE"].map(|n| n.parse().unwrap()).into();
        assert_eq!(set.len(), 1);
    }
}
