//! How fast, and in how much memory, is a network read into a run?
//!
//! ```sh
//! cargo bench -p followgraph-ingest --bench crawl            # every case, five times
//! cargo bench -p followgraph-ingest --bench crawl -- list-v1 # one case, once
//! ```
//!
//! The path is the real one, [`ingest::run`] with a store on disk, but for the wire: the
//! network is in this process. It writes the bodies that the X API would send, of ids that
//! follow from a seed, and reads them with the parsers that the HTTP sources use.
//!
//! Each case is a process of its own, because the peak of memory cannot be set back. Floors
//! are the simplest loops that do one part of the work alone: parsing the same bodies,
//! appending as many bytes to a file with as many syncs, writing the same rows with a
//! [`RunWriter`](snapshot::RunWriter). Every run is read again, and each id must stand at the
//! position that it was sent at.

mod network;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ingest::source::parsers;
use ingest::{AccountRef, Batch, Silent, Source, Stop};
use jiff::Timestamp;
use network::{Network, Shape, member};
use snapshot::{AccountId, Columns, Coverage, Crawl, State, Store, WriterOptions};

/// Times that each case is run, unless `FOLLOWGRAPH_BENCH_RUNS` says otherwise.
const RUNS: usize = 5;

/// What is measured, by the name of its case.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// The whole path.
    Run,
    /// Making bodies and parsing them.
    Parse,
    /// Appending as many bytes as the journal does, with a sync for each of its records.
    Sync,
    /// Writing the rows and publishing them.
    Write,
}

/// A name, what is measured, and of what.
type Case = (&'static str, Work, fn() -> Shape);

const CASES: [Case; 11] = [
    ("list-v1", Work::Run, Shape::list_v1),
    ("list-v1-parse", Work::Parse, Shape::list_v1),
    ("list-v1-sync", Work::Sync, Shape::list_v1),
    ("list-v1-write", Work::Write, Shape::list_v1),
    ("list-v2", Work::Run, Shape::list_v2),
    ("list-v2-parse", Work::Parse, Shape::list_v2),
    ("list-v2-sync", Work::Sync, Shape::list_v2),
    ("small-v2", Work::Run, Shape::small),
    ("small-v2-parse", Work::Parse, Shape::small),
    ("small-v2-sync", Work::Sync, Shape::small),
    ("small-v2-write", Work::Write, Shape::small),
];

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    match named {
        Some(name) => {
            let case = CASES.iter().find(|(case, ..)| *case == name);
            let (_, work, shape) = case.unwrap_or_else(|| panic!("there is no case {name}"));
            println!("{}", measure(*work, shape()).line());
        }
        None => all(),
    }
}

/// What a case came to.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    ids: u64,
    requests: u64,
    wall: f64,
    cpu: f64,
    /// Seconds in which the network made its bodies, which no real client would spend.
    making: f64,
    /// Seconds in the parser.
    parsing: f64,
    peak_kib: f64,
    files: u64,
    bytes: u64,
}

impl Figures {
    fn line(&self) -> String {
        let Self { ids, requests, wall, cpu, making, parsing, peak_kib, files, bytes } = self;
        format!("{ids} {requests} {wall} {cpu} {making} {parsing} {peak_kib} {files} {bytes}")
    }

    fn read(line: &str) -> Self {
        let numbers: Vec<f64> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let [ids, requests, wall, cpu, making, parsing, peak_kib, files, bytes] = numbers[..]
        else {
            panic!("{line}")
        };
        let [ids, requests, files, bytes] = [ids, requests, files, bytes].map(whole);
        Self { ids, requests, wall, cpu, making, parsing, peak_kib, files, bytes }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// Runs every case in turn, then again, so that a disturbance meets them all alike.
fn all() {
    let runs = std::env::var("FOLLOWGRAPH_BENCH_RUNS").map_or(RUNS, |n| n.parse().unwrap());
    let mut found: Vec<Vec<Figures>> = vec![Vec::new(); CASES.len()];
    for _ in 0..runs {
        for ((name, ..), found) in CASES.iter().zip(&mut found) {
            let output = Command::new(std::env::current_exe().unwrap()).arg(name).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            found.push(Figures::read(&said));
        }
    }
    println!("medians of {runs} runs; least and most of the wall clock in brackets");
    for ((name, ..), found) in CASES.iter().zip(&found) {
        let middle = |of: fn(&Figures) -> f64| {
            let mut numbers: Vec<f64> = found.iter().map(of).collect();
            numbers.sort_by(f64::total_cmp);
            numbers[numbers.len() / 2]
        };
        let walls = found.iter().map(|f| f.wall);
        let (least, most) =
            walls.fold((f64::MAX, 0.0_f64), |(a, b), wall| (a.min(wall), b.max(wall)));
        let (wall, making) = (middle(|f| f.wall), middle(|f| f.making));
        let Figures { ids, requests, files, bytes, .. } = found[0];
        println!(
            "{name:15} {ids:9} ids {requests:6} requests  {wall:7.2} s wall [{least:.2} {most:.2}] \
             {:7.2} s cpu  {making:5.2} s making  {:5.2} s parsing  {:6.2} M ids/s  {:6.1} MiB  \
             {files} files  {bytes} bytes",
            middle(|f| f.cpu),
            middle(|f| f.parsing),
            ids as f64 / (wall - making) / 1e6,
            middle(|f| f.peak_kib) / 1024.0,
        );
    }
}

fn measure(work: Work, shape: Shape) -> Figures {
    let folder = tempfile::tempdir_in(std::env::var("FOLLOWGRAPH_BENCH_FOLDER").unwrap_or_else(
        // Beside the sources: where temporary files go there may be no disk to sync.
        |_| env!("CARGO_TARGET_TMPDIR").to_owned(),
    ));
    let folder = folder.unwrap();
    let cpu = cpu();
    let mut figures = match work {
        Work::Run => run(shape, folder.path()),
        Work::Parse => parse(shape),
        Work::Sync => sync(shape, folder.path()),
        Work::Write => write(shape, folder.path()),
    };
    if figures.cpu == 0.0 {
        figures.cpu = self::cpu() - cpu;
    }
    figures
}

/// Reads everything, then looks at what was published.
fn run(shape: Shape, folder: &Path) -> Figures {
    let store = Store::create(folder).unwrap();
    let network = Arc::new(Network::new(shape));
    let sources: [Arc<dyn Source>; 1] = [Arc::clone(&network) as Arc<dyn Source>];
    let batch = Batch::new(shape.accounts().map(AccountRef::Id), shape.lists);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (stop, began, cpu_before) = (Stop::new(), Instant::now(), cpu());
    let read = ingest::run(&store, &sources, &batch, &Silent, &stop);
    let report = runtime.block_on(read).unwrap();
    let wall = began.elapsed().as_secs_f64();
    let (cpu, peak_kib) = (cpu() - cpu_before, peak_kib());

    let published = report.published.unwrap();
    let (files, bytes) = sizes(&published.folder);
    assert!(files <= 12, "{files} files");
    check(&shape, &store, &published.crawls);
    let [making, parsing] = [network.making(), network.parsing()].map(|t| t.as_secs_f64());
    let (ids, requests) = (shape.ids(), report.requests);
    Figures { ids, requests, wall, cpu, making, parsing, peak_kib, files, bytes }
}

/// Each id stands in the run once, at the position that it was sent at.
fn check(shape: &Shape, store: &Store, crawls: &[Crawl]) {
    assert!(crawls.iter().all(|crawl| crawl.state == State::Read(Coverage::Complete)));
    assert_eq!(crawls.iter().map(|crawl| crawl.ids).sum::<u64>(), shape.ids());
    let run = store.find("latest").unwrap();
    for list in shape.lists {
        let (mut count, mut sum) = (0, 0_i128);
        for chunk in run.list(*list).unwrap().all(Columns { accounts: true, positions: true }) {
            let chunk = chunk.unwrap();
            let rows = chunk.accounts.iter().zip(&chunk.members).zip(&chunk.positions);
            for ((account, id), position) in rows {
                let position = u32::try_from(*position).unwrap();
                let place = shape.place(AccountId::new(*account).unwrap(), *list, position);
                assert_eq!(member(place).get(), *id);
                (count, sum) = (count + 1, sum + i128::from(*id));
            }
        }
        let expected = shape
            .places(*list)
            .fold((0, 0), |(count, sum), place| (count + 1, sum + i128::from(member(place).get())));
        assert_eq!((count, sum), expected);
    }
}

/// Parses every body, with nothing around it.
fn parse(shape: Shape) -> Figures {
    let (mut ids, mut requests, mut sum) = (0, 0, 0_i128);
    let (mut making, mut parsing) = (Duration::ZERO, Duration::ZERO);
    let began = Instant::now();
    for (account, list) in shape.crawls() {
        let mut first = Some(0);
        while let Some(at) = first {
            let start = Instant::now();
            let (body, next) = shape.body(account, list, at);
            let made = Instant::now();
            let page = parsers::page(shape.kind, body.as_bytes(), false, Timestamp::UNIX_EPOCH);
            let page = page.unwrap();
            parsing += made.elapsed();
            making += made - start;
            (ids, requests) = (ids + page.ids.len() as u64, requests + 1);
            sum += page.ids.iter().map(|id| i128::from(id.get())).sum::<i128>();
            assert_eq!(page.next.is_some(), next.is_some());
            first = next;
        }
    }
    let wall = began.elapsed().as_secs_f64();
    let lists = shape.lists.iter().flat_map(|list| shape.places(*list));
    assert_eq!(sum, lists.map(|place| i128::from(member(place).get())).sum::<i128>());
    let [making, parsing] = [making, parsing].map(|time| time.as_secs_f64());
    let peak_kib = peak_kib();
    Figures { ids, requests, wall, making, parsing, peak_kib, ..Figures::default() }
}

/// What a record takes in the journal besides its ids, about.
const HEAD_BYTES: usize = 400;

/// Appends what a journal would hold, with a sync for each of its records: a list's
/// beginning, its pages, its end.
fn sync(shape: Shape, folder: &Path) -> Figures {
    let mut file = File::create(folder.join("journal")).unwrap();
    let mut append = |bytes: &[u8]| {
        file.write_all(bytes).unwrap();
        file.sync_data().unwrap();
        bytes.len() as u64
    };
    let record = vec![0x5a; HEAD_BYTES + 8 * shape.page_size as usize];
    let (mut requests, mut bytes) = (0, 0);
    let began = Instant::now();
    for (account, list) in shape.crawls() {
        bytes += append(&record[..HEAD_BYTES]);
        let length = shape.length(account, list);
        for first in (0..length).step_by(shape.page_size as usize) {
            let ids = (length - first).min(shape.page_size) as usize;
            bytes += append(&record[..HEAD_BYTES + 8 * ids]);
            requests += 1;
        }
        bytes += append(&record[..HEAD_BYTES]);
    }
    let wall = began.elapsed().as_secs_f64();
    let (ids, peak_kib) = (shape.ids(), peak_kib());
    Figures { ids, requests, wall, peak_kib, files: 1, bytes, ..Figures::default() }
}

/// Writes the rows as they would come, and publishes them.
fn write(shape: Shape, folder: &Path) -> Figures {
    let store = Store::create(folder).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let (mut page, mut making) = (Vec::new(), Duration::ZERO);
    let began = Instant::now();
    let mut run = store.begin(now, WriterOptions::default()).unwrap();
    for (account, list) in shape.crawls() {
        let length = shape.length(account, list);
        for first in (0..length).step_by(shape.page_size as usize) {
            let start = Instant::now();
            let positions = first..length.min(first + shape.page_size);
            page.clear();
            page.extend(positions.map(|position| member(shape.place(account, list, position))));
            making += start.elapsed();
            run.rows(list, account, first, &page).unwrap();
        }
        let state = State::Read(Coverage::Complete);
        run.crawl(Crawl::new(account, list, "bench", state, now));
    }
    let published = run.publish().unwrap();
    let (wall, peak_kib) = (began.elapsed().as_secs_f64(), peak_kib());
    let (files, bytes) = sizes(&published.folder);
    check(&shape, &store, &published.crawls);
    let (ids, making) = (shape.ids(), making.as_secs_f64());
    Figures { ids, wall, making, peak_kib, files, bytes, ..Figures::default() }
}

/// How many files a run has, and their bytes.
fn sizes(folder: &Path) -> (u64, u64) {
    let mut found = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        let (files, bytes) = if about.is_dir() { sizes(&entry.path()) } else { (1, about.len()) };
        found = (found.0 + files, found.1 + bytes);
    }
    found
}

/// The most memory this process had at a time, in KiB; 0 where the system does not tell.
fn peak_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|p| p.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

/// CPU seconds of this process, user and system; 0 where the system does not tell. Linux
/// counts them in hundredths.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}
