//! The encodings that credentials travel in.

use std::fmt::Write;

/// Percent-encoding as RFC 3986 has it: only unreserved characters stay.
pub(super) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The text behind a percent-encoding, in which a plus is a plus.
pub(super) fn unpercent(encoded: &str) -> String {
    let form = format!("t={}", encoded.replace('+', "%2B").replace('&', "%26"));
    let first = form_urlencoded::parse(form.as_bytes()).next();
    first.map(|(_, text)| text.into_owned()).unwrap_or_default()
}

/// Standard base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let letter = char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]);
            encoded.push(if digit <= chunk.len() { letter } else { '=' });
        }
    }
    encoded
}

/// The header value that shows a key and secret.
pub(super) fn basic(key: &str, secret: &str) -> String {
    format!("Basic {}", base64(format!("{}:{}", percent(key), percent(secret)).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_matches_the_documented_example() {
        let told = basic("xvz1evFS4wEEPTGEFPHBog", "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg");
        let expected = "Basic eHZ6MWV2RlM0d0VFUFRHRUZQSEJvZzpMOHFxOVBaeVJnNmllS0dFS2hab2xHQzB2\
                        SldMdzhpRUo4OERSZHlPZw==";
        assert_eq!(told, expected);
    }

    #[test]
    fn percent_encoding_keeps_what_rfc_3986_keeps() {
        assert_eq!(percent("a-._~ +,%é&="), "a-._~%20%2B%2C%25%C3%A9%26%3D");
        assert_eq!(unpercent("a-._~%20%2B+%2C%25%C3%A9&%26="), "a-._~ ++,%é&&=");
    }
}
