//! Rules about the source itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        rust_files(&root().join(folder), &mut files);
    }
    files
}

#[test]
fn every_module_says_what_it_is() {
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no header", file.display());
    }
}

#[test]
fn no_module_grows_past_what_can_be_read_in_one_sitting() {
    for file in sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 700, "{} has {lines} lines", file.display());
    }
}

#[test]
fn only_one_module_prints() {
    for file in sources() {
        let name = file.strip_prefix(root()).unwrap();
        // Tests and benches print what they found.
        let is_tried = |name: &std::ffi::OsStr| name == "tests" || name == "benches";
        if name.components().any(|c| is_tried(c.as_os_str())) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text = code.collect::<Vec<_>>().join("\n");
        let only_there = ["println!", "print!(", "io::stdout()", "io::stderr()"];
        let nowhere = ["dbg!", "todo!", "unimplemented!"];
        let printer = name == Path::new("crates/cli/output.rs");
        let words = nowhere.iter().chain(only_there.iter().filter(|_| !printer));
        for word in words {
            assert!(!text.contains(word), "{} has {word}", name.display());
        }
    }
}

/// Direct dependencies of each package, without those for tests.
fn dependencies() -> Vec<(String, BTreeSet<String>)> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = |package: &serde_json::Value| {
        let normal = package["dependencies"].as_array().unwrap().iter();
        let normal = normal.filter(|d| d["kind"].is_null());
        let names = normal.map(|d| d["name"].as_str().unwrap().to_owned()).collect();
        (package["name"].as_str().unwrap().to_owned(), names)
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn dependencies_point_one_way() {
    let allowed = |package: &str| -> &[&str] {
        match package {
            "followgraph-ingest" | "followgraph-analysis" => &["followgraph-snapshot"],
            "followgraph-report" => &["followgraph-snapshot", "followgraph-analysis"],
            "followgraph" => &[
                "followgraph-snapshot",
                "followgraph-ingest",
                "followgraph-analysis",
                "followgraph-report",
                "followgraph-simulator",
            ],
            _ => &[],
        }
    };
    for (package, dependencies) in dependencies() {
        let ours = dependencies.iter().filter(|d| d.starts_with("followgraph"));
        for dependency in ours {
            assert!(
                allowed(&package).contains(&dependency.as_str()),
                "{package} depends on {dependency}"
            );
        }
    }
}

#[test]
fn each_heavy_library_has_one_home() {
    let homes = [
        ("reqwest", &["followgraph-ingest"][..]),
        ("polars-core", &["followgraph-analysis"]),
        ("polars-io", &["followgraph-analysis"]),
        ("petgraph", &["followgraph-analysis"]),
        ("rayon", &["followgraph-analysis"]),
        ("parquet", &["followgraph-snapshot"]),
        ("plotters", &["followgraph-report"]),
        ("askama", &["followgraph-report"]),
        ("anyhow", &["followgraph"]),
        ("clap", &["followgraph"]),
        ("axum", &["followgraph-simulator"]),
        // The command line owns the runtime that the two network crates run on.
        ("tokio", &["followgraph-ingest", "followgraph-simulator", "followgraph"]),
    ];
    for (package, dependencies) in dependencies() {
        for (library, homes) in homes {
            assert!(
                !dependencies.contains(library) || homes.contains(&package.as_str()),
                "{package} depends on {library}"
            );
        }
    }
}
