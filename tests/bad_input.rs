//! Every bad input has a clear message that names the place and the way out, and nothing
//! half-published appears.

use std::path::Path;
use std::process::{Command, Stdio};

use simulator::{ServerConfig, World, WorldConfig};

use crate::util::{Done, Network, data, on, published, run, scratch};

/// Imports a file of this name and content; answers what came of it and how many runs there
/// are afterwards.
fn import(name: &str, content: &[u8], args: &[&str]) -> (Done, usize) {
    let folder = scratch();
    let (file, store) = (folder.path().join(name), folder.path().join("store"));
    std::fs::write(&file, content).unwrap();
    let done = run(on(&store).current_dir(folder.path()).args(["import", name]).args(args));
    (done, published(&store).len())
}

/// The import fails, publishes nothing, and says all of these.
#[track_caller]
fn refuse(name: &str, content: &[u8], args: &[&str], says: &[&str]) {
    let (done, runs) = import(name, content, args);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert_eq!(runs, 0, "nothing is published");
    assert_eq!(done.stdout, "");
    for words in says {
        assert!(done.stderr.contains(words), "`{words}` is not in\n{}", done.stderr);
    }
}

/// The import succeeds, publishes one run, and remarks on all of these.
#[track_caller]
fn remark(name: &str, content: &[u8], args: &[&str], says: &[&str]) {
    let (done, runs) = import(name, content, args);
    assert_eq!((done.code, runs), (Some(0), 1), "{}", done.stderr);
    for words in says {
        assert!(done.stderr.contains(words), "`{words}` is not in\n{}", done.stderr);
    }
}

const LIST: &[&str] = &["--account", "5"];
const TABLE: &[&str] = &["--account-column", "account", "--member-column", "member"];

#[test]
fn an_id_above_63_bits_names_file_and_line() {
    refuse("ids.txt", b"1\n9223372036854775808\n", LIST, &["ids.txt:2: ", "2^63 - 1"]);
    refuse("t.csv", b"account,member\n1,2\n18446744073709551616,3\n", TABLE, &["t.csv:3: "]);
}

#[test]
fn a_negative_id_names_file_and_line() {
    refuse("ids.txt", b"1\n2\n-7\n", LIST, &["ids.txt:3: ", "`-7` is negative"]);
    refuse("g.txt", b"# graph\n1 2\n1\t-2\n", &["--edges"], &["g.txt:3: ", "negative"]);
}

#[test]
fn a_float_id_is_recognised_as_damage() {
    let says = ["1.43E+18", "a spreadsheet or a float"];
    refuse("ids.txt", b"1\n1.43E+18\n", LIST, &["ids.txt:2: ", says[0], says[1]]);
    refuse("t.csv", b"account,member\n1,1.43E+18\n", TABLE, &["t.csv:2: ", says[0], says[1]]);
}

#[test]
fn text_ids_are_refused_with_a_way_on() {
    // The shape of a real file of follows between members of a parliament; invented handles.
    let lines = b"\"Source\"\t\"Target\"\n\"annamuster\"\t\"BenBeispiel\"\n";
    refuse("network.tsv", lines, &["--edges"], &["network.tsv:1: ", "hint: "]);
    let columns = ["--account-column", "Source", "--member-column", "Target"];
    let says = ["network.tsv:2: ", "`annamuster` is not a numeric id", "hint: "];
    refuse("network.tsv", lines, &columns, &says);
}

#[test]
fn a_truncated_archive_names_file_and_the_line_reached() {
    let whole = std::fs::read(data("konect-ego-twitter/out.ego-twitter.gz")).unwrap();
    let says = ["g.gz:", "ends in the middle", "hint: the file is not whole"];
    refuse("g.gz", &whole[..whole.len() / 2], &["--edges"], &says);
    let whole = std::fs::read(data("github-followers/snapshots.csv.zst")).unwrap();
    let columns =
        ["--account", "5", "--member-column", "follower_id", "--time-column", "snapshot_time"];
    refuse("s.csv.zst", &whole[..whole.len() / 2], &columns, &["s.csv.zst:", "ends in the middle"]);
}

#[test]
fn a_table_without_the_named_column_lists_those_it_has() {
    let table = b"user,follower\n1,2\n";
    refuse("t.csv", table, TABLE, &["t.csv:1: ", "`account`", "user", "follower"]);
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_rows_in_silence() {
    let table = b"id,bio\n1,\"never closed\n2,b\n3,c\n";
    let columns = ["--account", "5", "--member-column", "id"];
    refuse("t.csv", table, &columns, &["t.csv:2: ", "not closed", "hint: "]);
    let table = b"id,bio\n1,\"two\nlines\"\n2,b\n";
    remark("t.csv", table, &columns, &[]);
}

#[test]
fn an_empty_list_is_refused_unless_it_is_meant() {
    refuse("ids.txt", b"", LIST, &["ids.txt", "--allow-empty"]);
    refuse("ids.txt", b"# nobody\n\n", LIST, &["ids.txt", "--allow-empty"]);
    remark("ids.txt", b"", &["--account", "5", "--allow-empty"], &[]);
}

#[test]
fn a_repeated_row_is_kept_once_and_counted() {
    remark("ids.txt", b"7\n8\n7\n7\n", LIST, &["ids.txt:3", "2"]);
}

#[test]
fn an_account_in_its_own_list_is_kept_and_remarked() {
    remark("ids.txt", b"7\n5\n", LIST, &["ids.txt:2", "own"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = scratch();
    let done =
        run(on(&folder.path().join("store")).args(["import", "no-such-file", "--account", "5"]));
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("no-such-file"), "{}", done.stderr);
    assert!(!folder.path().join("store").exists(), "not even a store appears");
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    let folder = scratch();
    let store = folder.path().join("store");
    std::fs::write(folder.path().join("ids"), "1\n").unwrap();
    let import =
        |store: &Path| run(on(store).arg("import").arg(folder.path().join("ids")).args(LIST));
    assert_eq!(import(&store).code, Some(0));
    let manifest = store.join(&published(&store)[0]).join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let done = run(on(&store).arg("runs"));
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert!(done.stderr.contains("has format 2") && done.stderr.contains("hint: install"));
}

/// Runs a shell script in which `$FOLLOWGRAPH` is the program and `$DIR` a scratch folder.
fn shell(script: &str) -> (Done, tempfile::TempDir) {
    let folder = scratch();
    let mut command = Command::new("sh");
    command.args(["-euc", script]).env("DIR", folder.path()).stdin(Stdio::null());
    command.env("FOLLOWGRAPH", env!("CARGO_BIN_EXE_followgraph")).env_remove("FOLLOWGRAPH_STORE");
    (run(&mut command), folder)
}

/// A mount namespace of its own, in which a small file system can be mounted: root needs no
/// more, anybody else a user namespace too.
const NAMESPACE: &str = "test $(id -u) = 0 || own='--user --map-root-user'
    exec unshare ${own:-} --mount sh -euc";

#[test]
fn a_store_without_write_permission_says_what_to_do() {
    let script = "mkdir \"$DIR/store\"
        mount -t tmpfs -o ro none \"$DIR/store\"
        echo 7 | \"$FOLLOWGRAPH\" --store \"$DIR/store\" import - --account 5";
    let (done, folder) = shell(&format!("{NAMESPACE} '{script}'"));
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("cannot write to the store"), "{}", done.stderr);
    assert!(done.stderr.contains("hint: choose a folder you may write to"), "{}", done.stderr);
    assert!(published(&folder.path().join("store")).is_empty());
}

#[test]
fn a_full_disk_publishes_nothing_and_says_so() {
    // Random ids, so that they do not compress into the little room there is.
    let script = r#"mkdir "$DIR/store"
        mount -t tmpfs -o size=1m none "$DIR/store"
        code=0
        seq 400000 | awk "{ printf \"%.0f\n\", rand() * 9e15 }" |
            "$FOLLOWGRAPH" --store "$DIR/store" import - --account 5 || code=$?
        ls -A "$DIR/store"
        exit $code"#;
    let (done, _folder) = shell(&format!("{NAMESPACE} '{script}'"));
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("No space left on device"), "{}", done.stderr);
    assert!(done.stderr.contains("hint: nothing was published"), "{}", done.stderr);
    assert_eq!(done.stdout, ".staging\n", "no run appears");
}

#[test]
fn a_disk_that_fills_up_during_a_crawl_costs_no_page() {
    let config = WorldConfig { users: 6_000, largest_audience: 4_000, ..WorldConfig::default() };
    let network = Network::start(World::new(config), ServerConfig::default());
    let accounts = network.with_world(|world| world.watched().to_vec());
    let accounts: Vec<_> = accounts.iter().map(i64::to_string).collect();
    // Room for about half of the pages; then for all of them, and for the run.
    let script = r#"mkdir "$DIR/store"
        mount -t tmpfs -o size=120k none "$DIR/store"
        snapshot() { "$FOLLOWGRAPH" --store "$DIR/store" snapshot --page-size 100 $ACCOUNTS; }
        code=0; snapshot || code=$?
        echo "first: $code"; ls "$DIR/store"
        mount -o remount,size=8m "$DIR/store"
        code=0; snapshot || code=$?
        echo "second: $code"; ls "$DIR/store""#;
    let folder = scratch();
    let mut command = Command::new("sh");
    command.args(["-euc", &format!("{NAMESPACE} '{script}'")]).env("DIR", folder.path());
    command
        .env("FOLLOWGRAPH", env!("CARGO_BIN_EXE_followgraph"))
        .env("ACCOUNTS", accounts.join(" "));
    command.env("FOLLOWGRAPH_BASE_URL", network.base_url());
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    let done = run(&mut command);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let said: Vec<_> = done.stdout.lines().collect();
    assert_eq!(said[0], "first: 1", "no run appears: {}\n{}", done.stdout, done.stderr);
    assert!(said.contains(&"second: 0") && said.last().unwrap().starts_with("run="), "{said:?}");
    assert!(done.stderr.contains("No space left on device"), "{}", done.stderr);
    assert!(
        done.stderr.contains("make room on the disk and run the same command"),
        "{}",
        done.stderr
    );
    let requests = network.requests();
    let mut pages: Vec<_> = requests.iter().map(|r| &r.path_and_query).collect();
    let all = pages.len();
    assert!(all > 30, "{all} pages prove little");
    pages.sort_unstable();
    pages.dedup();
    assert_eq!(pages.len(), all, "what could not be kept was not bought");
}

#[test]
fn a_disk_that_fills_up_between_many_runs_publishes_none_of_them() {
    let script = r#"mkdir "$DIR/store"
        mount -t tmpfs -o size=1m none "$DIR/store"
        code=0
        seq 2000000 | awk "BEGIN { print \"day,id\" }
            NR % 50 == 0 { printf \"2026-01-%02d,%.0f\n\", NR / 80000 + 1, rand() * 9e15 }" |
            "$FOLLOWGRAPH" --store "$DIR/store" import - --account 5 \
                --member-column id --time-column day || code=$?
        ls -A "$DIR/store"
        exit $code"#;
    let (done, _folder) = shell(&format!("{NAMESPACE} '{script}'"));
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("No space left on device"), "{}", done.stderr);
    assert_eq!(done.stdout, ".staging\n", "no run appears");
}
