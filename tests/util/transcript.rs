//! Transcripts: Markdown files whose `console` blocks are run and compared.
//!
//! A line `$ command` is given to `sh` in a scratch folder that the whole file shares; what
//! follows is what it prints, standard error after standard output, and `? 3` where it exits
//! with 3. `[..]` stands for any text within a line.

use std::path::Path;
use std::process::Command;

/// Runs every block of a file and compares.
#[track_caller]
pub(crate) fn check(file: &Path) {
    let text = std::fs::read_to_string(file).expect("the transcript is there");
    let folder = super::scratch();
    let blocks = blocks(&text);
    assert!(!blocks.is_empty(), "{} shows no session", file.display());
    for block in blocks {
        for step in steps(&block) {
            let printed = execute(&step.command, folder.path());
            assert!(
                matches(&step.expected, &printed),
                "in {}\n$ {}\n--- expected\n{}\n--- printed\n{printed}",
                file.display(),
                step.command,
                step.expected,
            );
        }
    }
}

struct Step {
    command: String,
    expected: String,
}

fn blocks(text: &str) -> Vec<String> {
    let parts = text.split("```console\n").skip(1);
    parts.map(|p| p.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A command may go on over lines that begin with `> `.
fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), expected: String::new() });
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if step.expected.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                }
                _ => {
                    step.expected.push_str(line);
                    step.expected.push('\n');
                }
            }
        }
    }
    steps
}

fn execute(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_followgraph"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let done = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .envs([("PATH", path.as_str()), ("HOME", "/nonexistent"), ("LC_ALL", "C.UTF-8")])
        .output()
        .expect("sh starts");
    let mut printed = String::from_utf8_lossy(&done.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&done.stderr));
    match done.status.code() {
        Some(0) => printed,
        code => format!("{printed}? {}\n", code.unwrap_or(-1)),
    }
}

fn matches(expected: &str, printed: &str) -> bool {
    let trim = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    let (expected, printed) = (trim(expected), trim(printed));
    expected.len() == printed.len()
        && expected.iter().zip(&printed).all(|(pattern, line)| line_matches(pattern, line))
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn a_pattern_stands_for_any_text_within_a_line() {
    assert!(line_matches("a [..] c", "a b b c"));
    assert!(line_matches("[..]", ""));
    assert!(!line_matches("a [..] c", "a b d"));
    assert!(!line_matches("a", "a b"));
}
