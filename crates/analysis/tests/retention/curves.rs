//! Curves of lifetimes against those of lifelines, which `tests/python/test_retention.py` computes
//! anew on every run, and against published ones.

use analysis::retention::{Curve, Lifetime, Lifetimes, Method, Settings};

const DAILY: Settings = Settings {
    bin_hours: 24,
    began_within_days: 31,
    from_days: 0,
    at_risk_min: 1,
    replicates: 200,
    seed: 1,
};

fn table(name: &str) -> String {
    let file = format!("{}/../../data/retention/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(file).unwrap()
}

fn fields(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

fn lifetimes(name: &str) -> Lifetimes {
    let text = table(name);
    let lifetime = |row: Vec<&str>| {
        let right = (!row[2].is_empty()).then(|| row[2].parse().unwrap());
        let one = Lifetime::new(row[0].parse().unwrap(), row[1].parse().unwrap(), right).unwrap();
        (one, row[3].parse().unwrap())
    };
    fields(&text).map(lifetime).collect()
}

/// The curve, after comparing survival, and bands where lifelines has them, at every age that
/// it tells.
fn compared(name: &str, precision: f64) -> Curve {
    let curve = lifetimes(name).curve(&DAILY).unwrap();
    let answers = table("answers");
    let mut compared = 0;
    for row in fields(&answers).filter(|row| row[0] == name) {
        let number = |field: &str| field.parse::<f64>().unwrap();
        let share = curve.at(number(row[1])).unwrap();
        assert!((share.highest - share.lowest).abs() < precision, "{row:?} {share:?}");
        assert!((share.highest - number(row[2])).abs() < precision, "{row:?} {share:?}");
        if !row[3].is_empty() {
            assert!((share.lower - number(row[3])).abs() < precision, "{row:?} {share:?}");
            assert!((share.upper - number(row[4])).abs() < precision, "{row:?} {share:?}");
        }
        compared += 1;
    }
    assert!(compared > 30);
    curve
}

#[test]
fn exact_lifetimes_have_the_curve_and_bands_that_lifelines_has() {
    assert_eq!(compared("exact", 1e-6).method, Method::ProductLimit);
}

#[test]
fn intervals_have_the_curve_that_lifelines_has() {
    compared("intervals", 2e-4);
}

#[test]
fn intervals_with_delayed_entry_have_the_curve_of_turnbulls_own_equations() {
    let curve = compared("truncated", 2e-4);
    let Method::Turnbull { slack, .. } = curve.method else { panic!("{:?}", curve.method) };
    assert!(slack < 1e-8);
}

/// Weeks of remission of 21 children treated with 6-mercaptopurine (Freireich et al. 1963), and
/// their curve as printed in textbooks (Kleinbaum and Klein, Survival Analysis, table 2.1).
#[test]
fn remissions_of_leukemia_are_those_of_textbooks() {
    let ended = [(6, 3), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1)];
    let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
    let mut all = Lifetimes::default();
    for (week, number) in ended {
        all.add(Lifetime::new(0, week - 1, Some(week)).unwrap(), number);
    }
    for week in censored {
        all.add(Lifetime::new(0, week, None).unwrap(), 1);
    }
    let curve = all.curve(&DAILY).unwrap();
    let found: Vec<_> =
        curve.steps.iter().map(|s| (s.days, format!("{:.4}", s.survival))).collect();
    let expected = [
        (0.0, "1.0000"),
        (6.0, "0.8571"),
        (7.0, "0.8067"),
        (10.0, "0.7529"),
        (13.0, "0.6902"),
        (16.0, "0.6275"),
        (22.0, "0.5378"),
        (23.0, "0.4482"),
    ];
    assert_eq!(found, expected.map(|(week, share)| (week, share.to_owned())));
    let at_risk: Vec<u64> = curve.steps.iter().map(|step| step.at_risk).collect();
    assert_eq!(at_risk, [21, 17, 15, 12, 11, 7, 6, 0]);
    let median = curve.median().unwrap();
    assert_eq!((median.above, median.at_most), (22.0, Some(23.0)));
    // The textbook's interval is from 13 and without end, by the same inversion.
    assert_eq!((median.lower, median.upper), (12.0, None));
}

#[test]
fn survival_is_told_by_bounds_where_nobody_looked() {
    let one = |left, right| Lifetime::new(0, left, right).unwrap();
    let all: Lifetimes =
        [(one(0, Some(10)), 1), (one(20, Some(30)), 1), (one(40, None), 2)].into_iter().collect();
    let curve = all.curve(&DAILY).unwrap();
    let share = |days| curve.at(days).map(|share| (share.lowest, share.highest));
    let close = |found: Option<(f64, f64)>, expected: (f64, f64)| {
        let (lowest, highest) = found.unwrap();
        assert!((lowest - expected.0).abs() < 1e-6 && (highest - expected.1).abs() < 1e-6);
    };
    close(share(0.0), (1.0, 1.0));
    close(share(5.0), (0.75, 1.0));
    close(share(10.0), (0.75, 0.75));
    close(share(25.0), (0.5, 0.75));
    close(share(40.0), (0.5, 0.5));
    close(share(41.0), (0.0, 0.5));
    assert_eq!(share(-1.0), None);
    let median = curve.median().unwrap();
    assert_eq!((median.above, median.at_most), (20.0, Some(30.0)));
}

#[test]
fn an_end_that_nobody_saw_has_no_median() {
    let all: Lifetimes = [(Lifetime::new(0, 9, None).unwrap(), 5)].into_iter().collect();
    let curve = all.curve(&DAILY).unwrap();
    let median = curve.median().unwrap();
    assert_eq!((median.above, median.at_most, median.upper), (9.0, None, None));
    assert_eq!(Lifetimes::default().curve(&DAILY).unwrap().median(), None);
}

/// Of two early ones one ends at once. Without those, the curve is of the hundred that came
/// later.
#[test]
fn a_curve_can_begin_where_enough_are_under_observation() {
    let one = |entry, age| Lifetime::new(entry, age - 1, Some(age)).unwrap();
    let all: Lifetimes = [(one(0, 1), 2), (one(5, 10), 50), (one(5, 20), 50)].into_iter().collect();
    let whole = all.curve(&DAILY).unwrap();
    assert!(whole.at(10.0).unwrap().highest < 1e-12, "nobody is left after a day");
    let later = all.curve(&Settings { from_days: 5, ..DAILY }).unwrap();
    assert_eq!(later.at(4.0), None);
    assert!((later.at(10.0).unwrap().highest - 0.5).abs() < 1e-12);
    // The same by how many there are.
    let enough = all.curve(&Settings { at_risk_min: 30, ..DAILY }).unwrap();
    assert_eq!(enough, later);
}

#[test]
fn the_same_seed_gives_the_same_bands_on_any_number_of_threads() {
    let all = lifetimes("truncated");
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| all.curve(&DAILY).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(3));
    let other = all.curve(&Settings { seed: 2, ..DAILY }).unwrap();
    assert_ne!(one, other);
    // Another seed is not another answer.
    for (one, other) in one.steps.iter().zip(&other.steps) {
        assert!((one.lower - other.lower).abs() < 0.06, "{one:?} {other:?}");
    }
}

#[test]
fn a_million_of_each_changes_nothing_but_the_bands() {
    let some = lifetimes("truncated");
    let many: Lifetimes = some.iter().map(|(one, number)| (one, 1_000_000 * number)).collect();
    assert_eq!(many.different(), some.different());
    let settings = Settings { replicates: 20, ..DAILY };
    let (some, many) = (some.curve(&settings).unwrap(), many.curve(&settings).unwrap());
    for (some, many) in some.steps.iter().zip(&many.steps) {
        assert!((some.survival - many.survival).abs() < 1e-4);
        assert!(many.upper - many.lower < 0.02, "{many:?}");
    }
}

#[test]
fn bins_that_do_not_divide_a_day_are_refused() {
    let error = Lifetimes::default().curve(&Settings { bin_hours: 5, ..DAILY }).unwrap_err();
    assert_eq!(error.to_string(), "lifetimes cannot be counted in bins of 5 hours");
}
