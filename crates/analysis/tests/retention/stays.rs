//! Stays as they are counted: all together, by month, or not at all.

use analysis::retention::{Ended, Retention, RetentionCurves, Settings, Stay};
use analysis::when::Between;
use analysis::{Format, Frame};
use jiff::Timestamp;
use snapshot::List;

const DAILY: Settings = Settings {
    bin_hours: 24,
    began_within_days: 31,
    from_days: 0,
    at_risk_min: 1,
    replicates: 50,
    seed: 1,
};

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

/// Began between the first two, was there at the second and the third, and gone at the fourth.
fn stay(moments: [&str; 4]) -> Stay {
    let [earliest, latest, after, until] = moments.map(at);
    let began = Between { earliest, latest };
    Stay { began, seen_from: latest, ended: Ended::Between { after, until } }
}

fn counted(stays: &[Stay]) -> Retention {
    let mut counted = Retention::new(7.into(), List::Followers, DAILY).unwrap();
    for stay in stays {
        counted.add(stay).unwrap();
    }
    counted
}

fn stays() -> [Stay; 4] {
    [
        stay(["2024-05-01T00:00", "2024-05-02T00:00", "2024-05-20T00:00", "2024-05-21T00:00"]),
        stay(["2024-05-30T00:00", "2024-05-31T23:59", "2024-06-20T00:00", "2024-06-21T00:00"]),
        stay(["2024-05-31T12:00", "2024-06-01T00:00", "2024-06-20T00:00", "2024-06-21T00:00"]),
        stay(["2024-05-01T00:00", "2024-06-02T00:00", "2024-06-20T00:00", "2024-06-21T00:00"]),
    ]
}

fn names(curves: &RetentionCurves) -> Vec<(String, u64)> {
    curves.cohorts.iter().map(|cohort| (cohort.name(), cohort.curve.members)).collect()
}

#[test]
fn a_stay_belongs_to_a_month_only_if_it_began_in_no_other() {
    let curves = counted(&stays()).curves();
    assert_eq!(names(&curves), [("all".to_owned(), 3), ("2024-05".to_owned(), 2)]);
    assert_eq!((curves.undated, curves.vague, curves.short), (1, 1, 0));
}

#[test]
fn parts_counted_apart_are_the_whole() {
    let stays = stays();
    let mut parts = counted(&stays[..2]);
    parts.merge(&counted(&stays[2..])).unwrap();
    assert_eq!(parts.curves(), counted(&stays).curves());
    let other = Retention::new(8.into(), List::Followers, DAILY).unwrap();
    assert!(parts.merge(&other).is_err());
}

#[test]
fn moments_out_of_order_are_not_counted() {
    let mut retention = counted(&[]);
    let backwards =
        stay(["2024-05-02T00:00", "2024-05-01T00:00", "2024-05-20T00:00", "2024-05-21T00:00"]);
    let error = retention.add(&backwards).unwrap_err();
    assert!(error.to_string().contains("2024-05-01T00:00:00Z"), "{error}");
    assert!(error.way_out().is_some());
    assert_eq!(names(&retention.curves()), [("all".to_owned(), 0)]);
}

#[test]
fn curves_are_written_step_by_step() {
    let exactly = |began: &str, ended: &str| {
        let (began, ended) = (at(began), at(ended));
        let within = Between { earliest: began, latest: began };
        let ended = Ended::Between { after: ended, until: ended };
        Stay { began: within, seen_from: began, ended }
    };
    let stays = [
        exactly("2024-05-01T00:00", "2024-05-04T00:00"),
        exactly("2024-05-01T00:00", "2024-05-08T12:00"),
    ];
    let frame = Frame::retention(&[counted(&stays).curves()]);
    let mut out = Vec::new();
    frame.write(Format::Csv, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "account_id,list,cohort,members,days,days_until,survival,lower,upper,at_risk"
    );
    assert_eq!(lines[1], r#""7","followers","all",2,0.0,2.0,1.0,1.0,1.0,2"#);
    assert!(lines[2].starts_with(r#""7","followers","all",2,3.0,7.0,0.5,0.0"#), "{}", lines[2]);
    assert!(lines[2].ends_with(",1"));
    assert_eq!(lines[3], r#""7","followers","all",2,8.0,,0.0,0.0,0.0,0"#);
    assert!(lines[4].starts_with(r#""7","followers","2024-05",2,0.0,"#));
    assert_eq!(lines.len(), 7);
    let mut out = Vec::new();
    frame.write(Format::Json, &mut out).unwrap();
    let json = String::from_utf8(out).unwrap();
    assert!(json.contains(r#""kind":"retention","undated":"0","vague":"0","short":"0","rows""#));
    frame.write(Format::Parquet, &mut Vec::new()).unwrap();
}
