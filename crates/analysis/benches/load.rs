//! How fast, and in how much memory, do edges become a graph?
//!
//! ```sh
//! cargo bench -p followgraph-analysis --bench load -- edges.parquet src dst
//! cargo bench -p followgraph-analysis --bench load -- store                   # its latest run
//! ```
//!
//! Prints one line of JSON: wall and CPU seconds of this process, how much its resident
//! memory grew at most, what the graph takes in the end, and counts to check it by. Of a
//! store, the mutual pairs are found from the sorted lists alone, too, and must be as many.

use std::path::{Path, PathBuf};
use std::time::Instant;

use analysis::FollowGraph;
use snapshot::Store;

fn main() {
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Ok(threads) = std::env::var("FOLLOWGRAPH_THREADS") {
        analysis::set_threads(threads.parse().unwrap()).unwrap();
    }
    let before = status("VmRSS:");
    let start = Instant::now();
    let graph = match &arguments[..] {
        [store] => {
            let run = Store::open(Path::new(store)).unwrap().find("latest").unwrap();
            FollowGraph::from_run(&run).unwrap()
        }
        [.., _, _] => {
            let (to, from) = (arguments.pop().unwrap(), arguments.pop().unwrap());
            let files: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
            FollowGraph::open(&files, [&from, &to]).unwrap()
        }
        [] => panic!("name a store, or files and two of their columns"),
    };
    let wall = start.elapsed().as_secs_f64();
    let (cpu, peak) = (cpu_seconds(), status("VmHWM:") - before);
    let held = (8 * graph.edges() + 24 * graph.accounts()) as u64;
    let start = Instant::now();
    let returned = graph.reciprocity();
    let reciprocity = start.elapsed().as_secs_f64();
    println!(
        "{{\"wall\":{wall:.3},\"cpu\":{cpu:.3},\"peak_mib\":{:.1},\"held_mib\":{:.1},\
         \"ratio\":{:.3},\"edges\":{},\"accounts\":{},\"pairs\":{},\"reciprocity\":{reciprocity:.3}}}",
        peak as f64 / 1024.0,
        held as f64 / f64::from(1 << 20),
        peak as f64 * 1024.0 / held as f64,
        graph.edges(),
        graph.accounts(),
        returned.mutual_pairs(),
    );
}

/// A number of KiB that Linux tells of this process.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|kib| kib.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Seconds that this process has spent on all cores, in user and in system mode.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
