//! How numbers, times and names of others are written for people.

use jiff::Timestamp;

/// The most characters of a name that are shown.
const NAME_MAX: usize = 48;

/// Digits in groups of three: `12,345`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With its sign, which for a loss is a minus and not a hyphen: `+12`, `−3`, `0`.
pub(crate) fn signed(n: i64) -> String {
    let sign = match n {
        0 => "",
        1.. => "+",
        _ => "−",
    };
    format!("{sign}{}", grouped(n.unsigned_abs()))
}

/// A number and what it counts: `1 list`, `1,204 lists`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A share in percent: two digits behind the point where it is small.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share.abs();
    let sign = if share < 0.0 { "−" } else { "" };
    let places = if percent > 0.0 && percent < 0.995 { 2 } else { 1 };
    format!("{sign}{percent:.places$} %")
}

/// A share of what grew or shrank, with its sign.
pub(crate) fn signed_percent(share: f64) -> String {
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{}", percent(share))
}

/// A power of ten as people write it: `3·10⁻⁸`; plain where it is not small.
pub(crate) fn probability(log10: f64) -> String {
    if log10 > -3.0 {
        return format!("{:.3}", 10_f64.powf(log10));
    }
    let exponent = log10.floor();
    let (digits, exponent) = match 10_f64.powf(log10 - exponent) {
        digits if digits >= 9.95 => (1.0, exponent + 1.0),
        digits => (digits, exponent),
    };
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(digit),
    };
    let exponent: String = format!("{exponent:.0}").chars().map(raised).collect();
    format!("{digits:.1}·10{exponent}")
}

/// An amount of money: `$12.34`, and as many digits as a part of a cent needs.
pub(crate) fn dollars(micro_usd: i64) -> String {
    let (whole, rest) =
        (micro_usd.unsigned_abs() / 1_000_000, micro_usd.unsigned_abs() % 1_000_000);
    let digits = format!("{rest:06}");
    let cents = digits.trim_end_matches('0');
    format!("{}${}.{cents:0<2}", if micro_usd < 0 { "−" } else { "" }, grouped(whole))
}

/// A moment to the minute: `2026-11-24 17:05 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A time span in the unit in which it has one or two digits: `6.9 days`.
pub(crate) fn span(seconds: f64) -> String {
    let units = [(86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1.0, "seconds"));
    format!("{:.1} {}", seconds / unit.0, unit.1)
}

/// Text from elsewhere in one line, of a length that can be shown: control characters, which
/// could move a terminal's cursor, and direction marks, which could turn the line around, become
/// visible marks.
pub(crate) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    let show = |c: char| if c.is_control() || turns(c) { '\u{FFFD}' } else { c };
    let mut chars = text.chars().map(show);
    let mut short: String = chars.by_ref().take(NAME_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        let all = [0, 12, 1234, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "12", "1,234", "1,234,567"]);
        assert_eq!([-1234, 0, 5].map(signed), ["−1,234", "0", "+5"]);
        assert_eq!(
            [0.5, 0.001_234, 0.0, -0.25].map(percent),
            ["50.0 %", "0.12 %", "0.0 %", "−25.0 %"]
        );
        assert_eq!(
            [-7.523, -1.0, 0.0, -3.000_1].map(probability),
            ["3.0·10⁻⁸", "0.100", "1.000", "1.0·10⁻³"]
        );
        assert_eq!([12_340_000, 5_000].map(dollars), ["$12.34", "$0.005"]);
        assert_eq!([600_000.0, 5400.0, 2.0].map(span), ["6.9 days", "1.5 hours", "2.0 seconds"]);
    }

    #[test]
    fn names_cannot_turn_the_line_or_fill_the_page() {
        assert_eq!(clean("a\u{1b}[2J\u{202e}b\n\u{9b}"), "a\u{fffd}[2J\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(clean("Zoë 🦊"), "Zoë 🦊");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), NAME_MAX + 1);
    }
}
