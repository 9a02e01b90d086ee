//! What an answer means, for both generations of the X API: one pure function.
//!
//! Status first, then the parsed body, then what sort of text it is. The web addresses in
//! `type` have changed hosts over the years, so only their last part counts.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use snapshot::State;

use super::wire::lenient;
use super::{SourceError, Trouble};
use crate::pace::{Window, tightest};

/// Which generation of the X API answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// v1.1: errors have numeric codes.
    V1,
    /// v2: errors are problems with a type.
    V2,
}

/// Tells what a client should do about an answer; `None` if it holds what was asked for.
/// The detail is all that the answer says; whoever shows it takes secrets out, then cuts it.
pub fn classify(
    generation: Generation,
    status: u16,
    windows: &[Window],
    body: &[u8],
) -> Option<SourceError> {
    // Look-ups of v1.1 are lists; errors are not.
    let listed = body.trim_ascii_start().starts_with(b"[");
    if (200..300).contains(&status) && generation == Generation::V1 && listed {
        return None;
    }
    let body = Body::read(body);
    let trouble = match status {
        200..=299 if generation == Generation::V1 => body.refusal_of_v1(windows)?,
        200..=299 => body.refusal()?,
        400 if body.has_code(&[BAD_AUTHENTICATION]) => Trouble::Credentials,
        401 => unauthorized(generation, &body),
        402 => Trouble::Quota,
        403 => forbidden(&body),
        404 => not_found(&body),
        408 | 500.. => Trouble::Transient,
        429 => too_many(&body, windows),
        _ => Trouble::Bug,
    };
    let detail = body.detail(status, trouble);
    Some(SourceError { trouble, detail, windows: windows.to_vec() })
}

const BAD_AUTHENTICATION: u32 = 215;
const SUSPENDED: u32 = 63;
const CLOCK_OFF: u32 = 135;
const RATE_LIMITED: u32 = 88;
const OUR_FAULT: [u32; 7] = [32, 64, 89, 215, 220, 326, 453];
const NO_USERS: [u32; 3] = [17, 34, 50];

/// What v1.1 says, without a code and beside the path of the request, of a list that may
/// not be seen.
const NOT_AUTHORIZED: &str = "Not authorized.";

/// Any other 401 is taken for trouble with the credentials, whatever it looks like.
fn unauthorized(generation: Generation, body: &Body) -> Trouble {
    let said = body.error.as_ref().and_then(Value::as_str);
    let coded = body.problems().any(|problem| problem.code.is_some());
    let refused = generation == Generation::V1
        && said == Some(NOT_AUTHORIZED)
        && body.errors.is_empty()
        && !coded;
    match body.target() {
        Some(state) => Trouble::Target(state),
        None if refused => Trouble::Target(State::NotAuthorized),
        None => Trouble::Credentials,
    }
}

fn forbidden(body: &Body) -> Trouble {
    if body.has_code(&[SUSPENDED]) {
        Trouble::Target(State::Suspended)
    } else if let Some(state) = body.target() {
        Trouble::Target(state)
    } else if body.is_quota() {
        Trouble::Quota
    } else if body.is_json {
        Trouble::Credentials
    } else {
        // Not the API but something before it, such as a gateway that dislikes the hour.
        Trouble::Transient
    }
}

fn not_found(body: &Body) -> Trouble {
    match body.target() {
        Some(state) => Trouble::Target(state),
        None if body.has_code(&NO_USERS) => Trouble::Target(State::Missing),
        None => Trouble::Bug,
    }
}

/// A used-up month is reported with the status of a used-up window, and waiting for the
/// window would go on for ever.
fn too_many(body: &Body, windows: &[Window]) -> Trouble {
    if body.is_quota() {
        return Trouble::Quota;
    }
    Trouble::Window { until: tightest(windows).map(|w| w.reset) }
}

/// Whether the network refused a signature because of its time.
pub(super) fn says_clock_is_off(body: &[u8]) -> bool {
    Body::read(body).has_code(&[CLOCK_OFF])
}

/// Whatever of an error's body matters, of either generation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(skip)]
    is_json: bool,
    data: Option<IgnoredAny>,
    meta: Option<IgnoredAny>,
    #[serde(deserialize_with = "lenient")]
    errors: Vec<Problem>,
    error: Option<Value>,
    #[serde(flatten)]
    problem: Problem,
}

/// One problem; v1.1 fills `code` and `message`, v2 the others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    #[serde(deserialize_with = "lenient")]
    code: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(deserialize_with = "lenient")]
    title: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    detail: Option<String>,
    #[serde(deserialize_with = "lenient")]
    reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    resource_id: Option<String>,
    value: Option<Value>,
}

impl Body {
    fn read(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(body) => Self { is_json: true, ..body },
            Err(_) => Self::default(),
        }
    }

    fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.errors.iter().chain(std::iter::once(&self.problem))
    }

    fn has_code(&self, codes: &[u32]) -> bool {
        self.problems().any(|p| p.code.is_some_and(|code| codes.contains(&code)))
    }

    fn target(&self) -> Option<State> {
        self.problems().find_map(Problem::state)
    }

    fn is_quota(&self) -> bool {
        self.problems().any(Problem::is_quota)
    }

    /// A successful status that carries no data but reasons why.
    fn refusal(&self) -> Option<Trouble> {
        if !self.is_json {
            return Some(Trouble::Transient);
        }
        if self.data.is_some() || (self.errors.is_empty() && self.meta.is_some()) {
            return None;
        }
        Some(self.target().map_or(Trouble::Transient, Trouble::Target))
    }

    /// A successful status of v1.1 whose body is an error's.
    fn refusal_of_v1(&self, windows: &[Window]) -> Option<Trouble> {
        if !self.is_json {
            return Some(Trouble::Transient);
        }
        if self.errors.is_empty() && self.error.is_none() {
            return None;
        }
        Some(if self.has_code(&[SUSPENDED]) {
            Trouble::Target(State::Suspended)
        } else if self.has_code(&NO_USERS) {
            Trouble::Target(State::Missing)
        } else if self.has_code(&[RATE_LIMITED]) {
            Trouble::Window { until: tightest(windows).map(|w| w.reset) }
        } else if self.has_code(&OUR_FAULT) {
            Trouble::Credentials
        } else {
            Trouble::Transient
        })
    }

    /// What the answer says of itself.
    fn detail(&self, status: u16, trouble: Trouble) -> String {
        let said = self.problems().find_map(Problem::said);
        let said = said.or(self.error.as_ref().and_then(Value::as_str));
        let fallback = match trouble {
            Trouble::Bug if status == 404 => "the address answers to nothing",
            _ if !self.is_json => "no explanation that can be read",
            _ => "no explanation",
        };
        let code = self.problems().find_map(|p| p.code);
        let code = code.map_or(String::new(), |code| format!(", code {code}"));
        format!("HTTP {status}{code}: {}", said.unwrap_or(fallback))
    }
}

impl Problem {
    /// Whom it is about, if it says so.
    pub(super) fn about(&self) -> Option<&str> {
        self.resource_id.as_deref().or(self.value.as_ref().and_then(Value::as_str))
    }

    /// What it says about the account that was asked for.
    pub(super) fn state(&self) -> Option<State> {
        match (self.kind()?, self.title.as_deref()) {
            ("not-authorized-for-resource", _) => Some(State::Protected),
            ("resource-not-found", Some("Forbidden")) => Some(State::Suspended),
            ("resource-not-found", _) => Some(State::Missing),
            _ => None,
        }
    }

    fn is_quota(&self) -> bool {
        let words = [self.kind(), self.title.as_deref(), self.reason.as_deref()];
        words.into_iter().flatten().any(|word| {
            matches!(word, "usage-capped" | "credits" | "spend-cap-reached")
                || ["CreditsDepleted", "SpendCapReached", "UsageCapExceeded"].contains(&word)
        })
    }

    fn kind(&self) -> Option<&str> {
        self.kind.as_deref()?.trim_end_matches('/').rsplit(['/', '#']).next()
    }

    fn said(&self) -> Option<&str> {
        self.detail.as_deref().or(self.message.as_deref()).or(self.title.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Generation::{V1, V2};
    use Trouble::{Bug, Credentials, Quota, Target, Transient};

    fn check(generation: Generation, status: u16, body: &str, expected: Option<Trouble>) {
        let got = classify(generation, status, &[], body.as_bytes());
        assert_eq!(got.map(|e| e.trouble), expected, "{status} {body}");
    }

    fn coded(code: u32) -> String {
        format!(r#"{{"errors":[{{"code":{code},"message":"Said so."}}]}}"#)
    }

    #[test]
    fn a_refused_list_of_v1_is_about_the_account_and_not_about_us() {
        let body = r#"{"request":"\/1.1\/followers\/ids.json","error":"Not authorized."}"#;
        check(V1, 401, body, Some(Target(State::NotAuthorized)));
        check(V1, 401, r#"{"error":"Not authorized."}"#, Some(Target(State::NotAuthorized)));
        check(V2, 401, body, Some(Credentials));
    }

    #[test]
    fn a_401_that_says_anything_else_is_about_the_credentials() {
        for body in [
            r#"{"request":"\/1.1\/followers\/ids.json","error":"Invalid or expired token"}"#,
            r#"{"error":"Not authorized.","code":89}"#,
            r#"{"error":"Not authorized.","errors":[{"message":"Said so."}]}"#,
            r#"{"error":7}"#,
            "Not authorized.",
            "",
        ] {
            check(V1, 401, body, Some(Credentials));
        }
    }

    #[test]
    fn a_401_with_a_code_is_about_the_credentials() {
        for code in [89, 32, 135] {
            check(V1, 401, &coded(code), Some(Credentials));
        }
        let body = r#"{"title":"Unauthorized","type":"about:blank","status":401}"#;
        check(V2, 401, body, Some(Credentials));
    }

    #[test]
    fn a_400_is_missing_credentials_or_our_mistake() {
        check(V1, 400, &coded(215), Some(Credentials));
        let body = r#"{"errors":[{"parameters":{"next_token":["x"]},"message":"The query parameter [next_token] is not one of"}],
            "title":"Invalid Request","type":"https://api.twitter.com/2/problems/invalid-request"}"#;
        check(V2, 400, body, Some(Bug));
    }

    #[test]
    fn a_403_is_the_target_only_if_it_says_so() {
        check(V1, 403, &coded(63), Some(Target(State::Suspended)));
        for code in [64, 326, 220, 453] {
            check(V1, 403, &coded(code), Some(Credentials));
        }
        let body = r#"{"title":"Client Forbidden","reason":"client-not-enrolled","type":"https://api.twitter.com/2/problems/client-forbidden"}"#;
        check(V2, 403, body, Some(Credentials));
        check(V2, 403, "<html>Attention required</html>", Some(Transient));
        let protected = r#"{"title":"Authorization Error","type":"https://api.x.com/2/problems/not-authorized-for-resource"}"#;
        check(V2, 403, protected, Some(Target(State::Protected)));
    }

    #[test]
    fn a_404_is_an_account_or_an_address() {
        for code in [34, 50, 17] {
            check(V1, 404, &coded(code), Some(Target(State::Missing)));
        }
        let body = r#"{"title":"Not Found Error","type":"https://developer.x.com/en/docs#resource-not-found"}"#;
        check(V2, 404, body, Some(Target(State::Missing)));
        check(V2, 404, "", Some(Bug));
    }

    #[test]
    fn money_and_caps_are_never_waited_for() {
        let credits =
            r#"{"title":"CreditsDepleted","type":"https://api.x.com/2/problems/credits"}"#;
        check(V2, 402, credits, Some(Quota));
        check(V2, 402, "", Some(Quota));
        check(V2, 403, r#"{"title":"SpendCapReached"}"#, Some(Quota));
        let capped = r#"{"title":"UsageCapExceeded","type":"https://api.twitter.com/2/problems/usage-capped"}"#;
        check(V2, 429, capped, Some(Quota));
    }

    #[test]
    fn a_429_waits_for_the_window_that_is_used_up() {
        let window = |remaining, reset| Window {
            family: crate::pace::Family::QuarterHour,
            limit: None,
            remaining,
            reset: jiff::Timestamp::from_second(reset).unwrap(),
        };
        let until =
            |windows: &[Window], body: &str| match classify(V2, 429, windows, body.as_bytes()) {
                Some(SourceError { trouble: Trouble::Window { until }, .. }) => {
                    until.map(jiff::Timestamp::as_second)
                }
                other => panic!("{other:?}"),
            };
        let body = r#"{"title":"Too Many Requests","type":"about:blank","status":429}"#;
        assert_eq!(until(&[window(0, 900)], body), Some(900));
        // The day's window is used up, the quarter hour's is not.
        assert_eq!(until(&[window(7, 900), window(0, 86400)], &coded(88)), Some(86400));
        assert_eq!(until(&[], ""), None);
    }

    #[test]
    fn a_server_in_trouble_is_asked_again() {
        for status in [500, 502, 503, 504, 520, 408] {
            check(V1, status, &coded(130), Some(Transient));
            check(V2, status, "<html>over capacity</html>", Some(Transient));
        }
    }

    #[test]
    fn a_200_without_data_says_why() {
        let errors = |title: &str, kind: &str| {
            format!(
                r#"{{"errors":[{{"title":"{title}","type":"https://api.twitter.com/2/problems/{kind}","resource_id":"7"}}]}}"#
            )
        };
        let not_found = "resource-not-found";
        let protected = errors("Authorization Error", "not-authorized-for-resource");
        check(V2, 200, &protected, Some(Target(State::Protected)));
        check(V2, 200, &errors("Forbidden", not_found), Some(Target(State::Suspended)));
        check(V2, 200, &errors("Not Found Error", not_found), Some(Target(State::Missing)));
        check(V2, 200, &errors("Odd", "something-new"), Some(Transient));
    }

    #[test]
    fn a_200_with_data_or_an_empty_page_is_an_answer() {
        check(V2, 200, r#"{"data":[],"meta":{"result_count":0}}"#, None);
        check(V2, 200, r#"{"meta":{"result_count":0,"previous_token":"X"}}"#, None);
        check(V2, 200, r#"{"data":[{"id":"1"}],"errors":[{"title":"Forbidden"}]}"#, None);
        check(V1, 200, r#"{"ids":[]}"#, None);
        check(V2, 200, "<html>hello</html>", Some(Transient));
    }

    #[test]
    fn a_damaged_field_does_not_hide_the_rest_of_a_refusal() {
        check(
            V1,
            403,
            r#"{"errors":[{"code":63,"message":["odd"]}],"title":7}"#,
            Some(Target(State::Suspended)),
        );
        check(V2, 403, r#"{"errors":"odd","title":"SpendCapReached"}"#, Some(Quota));
        check(V2, 403, r#"{"errors":"odd"}"#, Some(Credentials));
    }

    #[test]
    fn a_clock_that_is_off_is_recognized() {
        assert!(says_clock_is_off(coded(135).as_bytes()));
        assert!(!says_clock_is_off(coded(89).as_bytes()) && !says_clock_is_off(b"<html>135"));
    }

    #[test]
    fn what_sends_us_elsewhere_is_a_mistake_of_ours() {
        for status in [301, 302, 304, 307, 308] {
            check(V2, status, "", Some(Bug));
        }
    }

    #[test]
    fn details_are_the_networks_own_words() {
        let detail = classify(V1, 401, &[], coded(89).as_bytes()).unwrap().detail;
        assert_eq!(detail, "HTTP 401, code 89: Said so.");
    }
}
