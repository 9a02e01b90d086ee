//! Every file of the fuzz corpus, whole, cut off and damaged, goes through its reader.

use std::path::{Path, PathBuf};

use ingest::fuzzing::{Check, TARGETS};

/// Variants of a file that are tried, at most, of each sort. An import writes stores, which
/// takes its time.
fn variants_max(target: &str) -> usize {
    if target == "import" { 6 } else { 200 }
}

fn replay(target: &str) {
    let check = TARGETS.iter().find(|(name, _)| *name == target).unwrap().1;
    let files = corpus(target);
    assert!(!files.is_empty(), "there is no corpus for {target}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        try_one(check, &bytes, &file, "as it is");
        let step = (bytes.len() / variants_max(target)).max(1);
        for at in (0..bytes.len()).step_by(step) {
            try_one(check, &bytes[..at], &file, &format!("cut at {at}"));
            for (bits, what) in [(0x01, "lowest"), (0x20, "case"), (0x80, "highest")] {
                let mut damaged = bytes.clone();
                damaged[at] ^= bits;
                try_one(check, &damaged, &file, &format!("with the {what} bit of {at} flipped"));
            }
        }
    }
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/fuzz").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

fn try_one(check: Check, bytes: &[u8], file: &Path, how: &str) {
    let tried = std::panic::catch_unwind(|| check(bytes));
    assert!(tried.is_ok(), "{} {how}", file.display());
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().path());
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<_> = names.map(stem).collect();
        names.sort();
        names
    };
    let mut targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    assert_eq!(names(&folder.join("../../data/fuzz")), targets);
    assert_eq!(names(&folder.join("fuzz/fuzz_targets")), targets);
}

macro_rules! replayed {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*
    };
}

replayed!(v1_page v2_page lookup classify http_date cursor journal job credentials import);
