//! Whole sessions at the prompt: commands in; output and exit codes out.

use std::path::Path;

use crate::util::transcript;

#[test]
fn the_readme_is_true() {
    transcript::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
}

#[test]
fn every_session_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let mut sessions = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        transcript::check(&entry.unwrap().path());
        sessions += 1;
    }
    assert!(sessions > 0);
}
