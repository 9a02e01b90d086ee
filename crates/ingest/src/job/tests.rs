//! Job files as people write them, and the mistakes in them.

use jiff::civil::date;
use snapshot::AccountId;

use super::*;

fn parse(text: &str) -> Result<Job, Error> {
    Job::parse(text, Path::new("jobs/daily.toml"))
}

fn check_error(text: &str, expected: &str) {
    let error = parse(text).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), crate::ErrorKind::Usage);
}

#[test]
fn a_job_says_who_and_how() {
    let job = parse(
        r#"
        store = "snapshots"
        source = "x_v1"
        base_url = "http://127.0.0.1:8080"
        token_file = "/etc/token"
        lists = ["followers", "following"]
        concurrency = 3
        page_size = 500

        [[accounts]]
        who = ["@Alice", 967155179614240768, "9007199254740993"]

        [[accounts]]
        who = ["@bob"]
        lists = ["following"]
        "#,
    )
    .unwrap();
    assert_eq!(job.store, Some("jobs/snapshots".into()));
    assert_eq!(job.token_file, Some("/etc/token".into()));
    assert_eq!(job.source, Some(SourceKind::XV1));
    assert_eq!((job.concurrency, job.page_size), (Some(3), Some(500)));
    let shown: Vec<_> =
        job.targets().iter().map(|t| format!("{} {}", t.account, t.lists.len())).collect();
    let expected = ["@Alice 2", "967155179614240768 2", "9007199254740993 2", "@bob 1"];
    assert_eq!(shown, expected);
    assert_eq!(job.targets()[3].lists, [List::Following]);
}

#[test]
fn mistakes_are_shown_with_their_line() {
    check_error(
        "store = \"s\"\nspeed = 3\naccounts = []",
        "jobs/daily.toml:2: unknown field `speed`, expected one of `name`, `store`, `source`, `base_url`, `token_file`, `credentials`, `lists`, `mode`, `complete_every`, `every`, `profiles`, `concurrency`, `page_size`, `budget`, `prices`, `accounts`",
    );
    check_error(
        "accounts = [\n{ who = [\"@ok\", \"alice\"] }]",
        "jobs/daily.toml:2: `alice` is not a numeric id",
    );
    check_error(
        "[[accounts]]\nwho = [-5]",
        "jobs/daily.toml:2: `-5` is negative; ids are whole numbers from 0 to 9223372036854775807",
    );
    check_error(
        "lists = [\"fans\"]\naccounts = []",
        "jobs/daily.toml:1: `fans` is neither `followers` nor `following`",
    );
    check_error(
        "\n\nconcurrency = 0\naccounts = []",
        "jobs/daily.toml:3: `concurrency` is 0, which is no number it can be",
    );
    check_error("[[accounts]]\nlists = []", "jobs/daily.toml:1: the group names nobody");
    check_error(
        "source = \"x\"\naccounts = []",
        "jobs/daily.toml:1: `x` is neither `x_v2` nor `x_v1`",
    );
    check_error(
        "accounts = []\nbase_url = \"https://me:sesame@api.x.com\"",
        "jobs/daily.toml:2: the base URL holds a user name or a password",
    );
}

#[test]
fn a_list_of_accounts_is_one_a_line() {
    let read = |text: &str| match read_accounts(text, "standard input") {
        Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(e) => e.to_string(),
    };
    let list = "\u{feff}# mine\r\n@alice # a friend\r\n\r\n  12\r\n#@bob\n@carol";
    assert_eq!(read(list), "@alice 12 @carol");
    assert_eq!(read(""), "");
    assert_eq!(read("12\n\nalice # who?\n"), "standard input:3: `alice` is not a numeric id");
    assert_eq!(read("1 2"), "standard input:1: `1 2` is not a numeric id");
}

#[test]
fn accounts_come_from_a_file_beside_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    let list = folder.path().join("accounts.txt");
    std::fs::write(&path, "[[accounts]]\nfile = \"accounts.txt\"\n").unwrap();
    std::fs::write(&list, "\u{feff}@alice # a friend\n\n# nobody\n12\r\n").unwrap();
    let shown: Vec<_> =
        Job::read(&path).unwrap().targets().iter().map(|t| t.account.to_string()).collect();
    assert_eq!(shown, ["@alice", "12"]);

    std::fs::write(&list, "@alice\n1.43E+18\n").unwrap();
    let error = Job::read(&path).unwrap_err().to_string();
    assert!(error.contains("accounts.txt:2: `1.43E+18` is a rounded number"), "{error}");

    std::fs::remove_file(&list).unwrap();
    let error = Job::read(&path).unwrap_err().to_string();
    assert!(error.contains("job.toml:2: cannot read "), "{error}");
}

#[test]
fn the_example_is_a_job_with_every_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("accounts.txt"), "@bob\n12\n").unwrap();
    let path = folder.path().join("job.toml");
    std::fs::write(&path, include_str!("example.toml")).unwrap();
    let job = Job::read(&path).unwrap();
    assert_eq!(job.credentials, Some(folder.path().join("credentials.toml")));
    assert_eq!(job.profiles, Some(false));
    assert_eq!(job.budget.cost_micro_usd_max, Some(25_000_000));
    assert_eq!(job.budget.requests_max, Some(5000));
    assert_eq!(job.budget.time_max, Some(std::time::Duration::from_hours(6)));
    let prices = job.prices.clone().unwrap();
    assert_eq!((prices.user_micro_usd, prices.own_user_micro_usd), (10_000, 1_000));
    assert_eq!(prices.as_of, date(2026, 4, 20));
    assert_eq!(prices.own_accounts, [AccountId::new(967_155_179_614_240_768).unwrap()].into());
    let days = |days: i64| SignedDuration::from_hours(days * 24);
    let every: Vec<_> = job.groups.iter().map(|group| group.every).collect();
    assert_eq!(every, [Some(days(7)), Some(days(1)), Some(days(1))]);
    let modes: Vec<_> = job.targets().iter().map(|target| target.mode).collect();
    let two_weeks = Mode::Auto { complete_every: days(14) };
    assert_eq!(modes, [Mode::Complete, Mode::Complete, two_weeks, two_weeks]);
    assert_eq!(job.groups[0].identity, "rivals");

    assert!(job.wants_stdin());
    let job = job.with_stdin("@carol # a friend\n").unwrap();
    assert!(!job.wants_stdin());
    let carol = &job.groups[2].targets[0];
    assert_eq!((carol.account.to_string().as_str(), carol.mode), ("@carol", Mode::AUTO));
    assert_eq!(carol.lists, [List::Followers, List::Following]);
}

#[test]
fn a_group_is_known_by_what_is_written_in_it_wherever_it_stands() {
    let identities = |text: &str| {
        let job = parse(text).unwrap();
        job.groups.into_iter().map(|group| group.identity).collect::<Vec<_>>()
    };
    let (a, b) =
        ("[[accounts]]\nwho = [1, \"@B\"]\n", "[[accounts]]\nwho = [2]\nmode = \"head\"\n");
    let there = identities(&format!("{a}{b}"));
    let mut back = identities(&format!("{b}{a}"));
    back.reverse();
    assert_eq!(there, back);
    assert_ne!(there[0], there[1]);
    // How often it is due does not make another group of it.
    assert_eq!(identities("[[accounts]]\nevery = \"1d\"\nwho = [\"@b\", 1]"), there[..1]);
    let twice = identities(&format!("{a}{a}"));
    assert_eq!(twice, [there[0].clone(), format!("{}-2", there[0])]);
}

#[test]
fn every_mistake_in_the_new_keys_says_the_way_out() {
    let check = |text: &str, expected: &str, hint: &str| {
        let error = parse(text).unwrap_err();
        assert_eq!(error.to_string(), format!("jobs/daily.toml:{expected}"));
        assert!(error.way_out().is_some_and(|way| way.contains(hint)), "{error:?}");
    };
    check("mode = \"all\"\naccounts = []", "1: `all` is no mode", "`head`");
    check("accounts = []\nevery = \"soon\"", "2: `soon` is no duration", "15 min");
    check(
        "accounts = []\nevery = \"1 month\"",
        "2: `1 month` has months or years, which are not all equally long",
        "2 weeks",
    );
    check(
        "accounts = []\n[budget]\nmax_time = \"0s\"",
        "3: `0s` is not longer than nothing",
        "90s",
    );
    check(
        "accounts = []\n[budget]\nmax_cost_usd = -1",
        "3: `max_cost_usd` is -1, which is no amount of money",
        "12.50",
    );
    check(
        "accounts = []\n[budget]\nmax_requests = 0",
        "3: `max_requests` is 0, which is no number it can be",
        "from 1",
    );
    check(
        "accounts = []\n[prices]\nas_of = 2026-04-20T10:00:00Z",
        "3: `as_of` is 2026-04-20T10:00:00Z, which is not a date alone",
        "2026-04-20",
    );
    check(
        "accounts = []\n[prices]\nown_accounts = [\"@me\"]",
        "3: `@me` stands where a numeric id belongs",
        "ids",
    );
    check("[[accounts]]\nname = \"a b\"\nwho = [1]", "2: `a b` is no name for a group", "letters");
    check(
        "[[accounts]]\nname = \"a\"\nwho = [1]\n[[accounts]]\nname = \"a\"\nwho = [2]",
        "5: another group is named `a`, too",
        "of its own",
    );
    check(
        "[[accounts]]\nwho = [1]\ncomplete_every = \"1d\"",
        "3: `complete_every` says nothing where the mode is not `auto`",
        "auto",
    );
    check("[[accounts]]\nstdin = false", "1: the group names nobody", "stdin = true");
}

#[test]
fn what_comes_from_standard_input_is_named_in_mistakes() {
    let job = parse("[[accounts]]\nstdin = true").unwrap();
    assert!(job.targets().is_empty());
    let error = job.with_stdin("@ok\nnobody\n").unwrap_err();
    assert_eq!(error.to_string(), "standard input:2: `nobody` is not a numeric id");
}
