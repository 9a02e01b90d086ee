//! A kill at any moment of publishing leaves the whole run or none.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::util::{on, published, run, scratch, succeed};

/// Moments at which the program is killed, spread evenly over the time it needs.
const MOMENTS: u32 = 40;

fn start(store: &Path, input: &str, args: &[&str]) -> Child {
    let mut command = on(store);
    command.args(["import", "-", "--quiet"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    std::thread::spawn(move || {
        // The reader is killed; that the pipe breaks is the point.
        let _ = stdin.write_all(input.as_bytes());
    });
    child
}

/// Kills the program at many moments; `check` looks at what is left each time.
fn kill_at_many_moments(input: &str, args: &[&str], check: impl Fn(&Path)) {
    let folder = scratch();
    // The first run warms the caches; the second one tells how long it takes.
    let mut whole = Duration::ZERO;
    for store in ["first", "second"] {
        let began = Instant::now();
        assert!(start(&folder.path().join(store), input, args).wait().unwrap().success());
        whole = began.elapsed();
    }
    let mut killed = 0;
    for moment in 0..MOMENTS {
        let store = folder.path().join(moment.to_string());
        let mut child = start(&store, input, args);
        std::thread::sleep(whole * moment / MOMENTS);
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if store.exists() {
            check(&store);
        }
    }
    assert!(killed > MOMENTS / 4, "only {killed} of {MOMENTS} kills came before the end");
}

fn ids(count: u64) -> String {
    let ids: Vec<_> = (0..count).map(|i| (i * 7_919 + 3).to_string()).collect();
    ids.join("\n")
}

#[test]
fn a_run_is_there_whole_or_not_at_all() {
    kill_at_many_moments(&ids(300_000), &["--account", "5"], |store| {
        let runs = published(store);
        assert!(runs.len() <= 1, "{runs:?}");
        let listed = succeed(on(store).args(["runs", "--format", "jsonl"]));
        assert_eq!(listed.lines().count(), runs.len());
        if !runs.is_empty() {
            assert!(listed.contains(r#""rows":300000"#), "{listed}");
            succeed(on(store).arg("verify"));
        }
    });
}

/// Waits until the program writes its run out, or has done so, or has ended.
fn wait_for_writing(child: &mut Child, store: &Path) {
    let begun = || {
        let staged = std::fs::read_dir(store.join(".staging")).into_iter().flatten();
        let list = |entry: std::fs::DirEntry| entry.path().join("0/run/list=followers").exists();
        !published(store).is_empty() || staged.flatten().any(list)
    };
    while child.try_wait().unwrap().is_none() && !begun() {
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Kills the program a little later each time, counted from the moment at which its run
/// begins to be written out: between parts, tables, manifest and rename.
#[test]
fn a_kill_while_a_run_is_being_written_out_leaves_no_half_of_it() {
    let folder = scratch();
    let input = ids(120_000);
    let whole = folder.path().join("whole");
    let mut child = start(&whole, &input, &["--account", "5"]);
    wait_for_writing(&mut child, &whole);
    let began = Instant::now();
    while published(&whole).is_empty() {
        assert!(began.elapsed() < Duration::from_mins(1), "it is never published");
        std::thread::sleep(Duration::from_micros(100));
    }
    let writing = began.elapsed();
    child.wait().unwrap();
    let (mut before, mut after) = (0, 0);
    for moment in 0..180_u32 {
        // On a busy machine the usual time may not do.
        if moment >= 60 && after > 0 {
            break;
        }
        let store = folder.path().join(moment.to_string());
        let mut child = start(&store, &input, &["--account", "5"]);
        wait_for_writing(&mut child, &store);
        // From the beginning of the writing to well past its usual end.
        std::thread::sleep(writing * moment / 30);
        child.kill().unwrap();
        child.wait().unwrap();
        if published(&store).is_empty() {
            before += 1;
        } else {
            after += 1;
            succeed(on(&store).arg("verify"));
        }
    }
    assert!(before > 0 && after > 0, "{before} kills before the rename, {after} after");
}

#[test]
fn of_many_runs_each_one_is_whole() {
    let mut table = String::from("day,id\n");
    for day in 1..=28 {
        for id in 0..2_000 {
            let _ = writeln!(table, "2026-02-{day:02},{}", id * day);
        }
    }
    let args = ["--account", "5", "--member-column", "id", "--time-column", "day"];
    kill_at_many_moments(&table, &args, |store| {
        succeed(on(store).arg("verify"));
    });
}

#[test]
fn the_next_writer_clears_what_a_killed_one_left() {
    let folder = scratch();
    let input = ids(300_000);
    let mut child = start(folder.path(), &input, &["--account", "5"]);
    let staging = folder.path().join(".staging");
    let patience = Instant::now();
    while !std::fs::read_dir(&staging).is_ok_and(|mut entries| entries.next().is_some()) {
        assert!(patience.elapsed() < Duration::from_secs(30), "nothing was staged");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 1, "the kill left its staging");
    let done = start(folder.path(), "1\n2\n", &["--account", "5"]).wait().unwrap();
    assert!(done.success());
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
    let listed = run(on(folder.path()).args(["runs", "--format", "jsonl"])).stdout;
    assert!(listed.contains(r#""rows":2"#), "{listed}");
}
