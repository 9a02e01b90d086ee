//! The figures on the page `TIME.md`, which tests compute anew.

/// Each row is in the table under a heading, with the same words, and figures that are off by
/// no more than a twentieth: logarithms differ from platform to platform.
#[track_caller]
pub(crate) fn check(heading: &str, rows: &[String]) {
    let page = include_str!("../../TIME.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading));
    let lines: Vec<&str> = section.unwrap_or_default().lines().collect();
    let missing: Vec<&String> =
        rows.iter().filter(|row| !lines.iter().any(|line| is_same(line, row))).collect();
    let text = missing.iter().map(|row| row.as_str()).collect::<Vec<_>>().join("\n");
    assert!(missing.is_empty(), "{heading} does not have\n{text}");
}

fn is_same(line: &str, row: &str) -> bool {
    let (line, row): (Vec<&str>, Vec<&str>) =
        (line.split_whitespace().collect(), row.split_whitespace().collect());
    let near = |(a, b): (&&str, &&str)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 0.05 * a.abs().max(b.abs()) + 0.001,
        _ => a == b,
    };
    line.len() == row.len() && line.iter().zip(&row).all(near)
}
