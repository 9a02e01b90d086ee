//! How fast, and in how much memory, do edges become a graph?
//!
//! ```sh
//! cargo bench -p followgraph-analysis --bench load -- edges.parquet src dst
//! cargo bench -p followgraph-analysis --bench load -- store                   # its latest run
//! cargo bench -p followgraph-analysis --bench load -- store --mutual pairs.parquet
//! ```
//!
//! Prints one line of JSON: wall and CPU seconds of this process, how much its resident
//! memory grew at most, what the graph takes in the end, and counts to check it by. With
//! `--mutual`, the mutual pairs are found without the graph, and written.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use analysis::{
    FollowGraph, Format, Frame, FrameWriter, MutualEdges, file_mutual_edges, run_mutual_edges,
};
use snapshot::Store;

fn main() {
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let pairs = arguments.iter().position(|argument| argument == "--mutual").map(|at| {
        let pairs = PathBuf::from(&arguments[at + 1]);
        arguments.truncate(at);
        pairs
    });
    if let Ok(threads) = std::env::var("FOLLOWGRAPH_THREADS") {
        analysis::set_threads(threads.parse().unwrap()).unwrap();
    }
    if let Some(pairs) = pairs {
        return mutual(arguments, &pairs);
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

/// From lists or files to a file of pairs.
fn mutual(mut arguments: Vec<String>, pairs: &Path) {
    let before = status("VmRSS:");
    let start = Instant::now();
    let mut file = BufWriter::new(File::create(pairs).unwrap());
    let like = Frame::from(&MutualEdges::default());
    let mut writer = FrameWriter::new(&mut file, Format::Parquet, &like).unwrap();
    let write = |found: MutualEdges| writer.append(Frame::from(&found));
    let count = if let [store] = &arguments[..] {
        let run = Store::open(Path::new(store)).unwrap().find("latest").unwrap();
        run_mutual_edges(&run, write).unwrap()
    } else {
        let (to, from) = (arguments.pop().unwrap(), arguments.pop().unwrap());
        file_mutual_edges(&arguments, [&from, &to], write).unwrap()
    };
    writer.finish().unwrap();
    let wall = start.elapsed().as_secs_f64();
    let (cpu, peak) = (cpu_seconds(), (status("VmHWM:") - before) as f64 / 1024.0);
    println!("{{\"wall\":{wall:.3},\"cpu\":{cpu:.3},\"peak_mib\":{peak:.1},\"pairs\":{count}}}");
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
