//! Frames as they are read: by programs as CSV, JSON, JSONL and Parquet, by people as cells,
//! and by writers of programs on the schema page.

use std::collections::HashMap;

use analysis::engine::Memory;
use analysis::frame::{Direction, Kind};
use analysis::graph::{Leiden, PageRank, Wanted};
use analysis::{
    By, Cells, DiffPart, Fate, FollowGraph, Format, Frame, FrameWriter, Losses, MutualEdges,
    Observation, Reciprocity, Standing, Verdict, diff, mutuals, overlap, overlap_each,
    overlap_estimated, overlap_strongest,
};
use jiff::Timestamp;
use snapshot::{AccountId, Coverage, Crawl, Cut, List, State, Table, Values};

fn list(account: u32, list: List, ids: &[i64]) -> Observation {
    let ids = ids.iter().map(|id| AccountId::new(*id).unwrap());
    Observation::complete(account.into(), list, ids).unwrap()
}

fn followers(account: u32, ids: &[i64]) -> Observation {
    list(account, List::Followers, ids)
}

/// One gained id above 2^53, two lost ones.
fn changes() -> Frame {
    let big = 9_007_199_254_740_993;
    let diff = diff(&followers(7, &[3, 2, 1]), &followers(7, &[big, 3]), &Memory).unwrap();
    Frame::from(&diff)
}

fn pair() -> Frame {
    let lists = [followers(1, &[1, 2, 3]), followers(2, &[3, 4]), followers(3, &[])];
    Frame::from(&overlap(&lists, Cells::Skip, &Memory).unwrap())
}

fn written(frame: &Frame, format: Format) -> String {
    let mut out = Vec::new();
    frame.write(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn csv_quotes_ids_and_leaves_missing_values_empty() {
    let expected = r#"account_id,list,member_id,change,position_before,position_after,fate,standing,arrival,earliest,latest
"7","followers","1","lost",2,,,,,"1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"7","followers","2","lost",1,,,,,"1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"7","followers","9007199254740993","gained",,0,,,"new","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"#;
    assert_eq!(written(&changes(), Format::Csv), expected);
}

#[test]
fn json_keeps_ids_as_text_and_names_its_schema() {
    let frame = changes().with_context("after_run", "2026-11-23T07-28-00Z");
    let expected = r#"{"schema_version":1,"kind":"diff","after_run":"2026-11-23T07-28-00Z","rows":[
{"account_id":"7","list":"followers","member_id":"1","change":"lost","position_before":2,"position_after":null,"fate":null,"standing":null,"arrival":null,"earliest":"1970-01-01T00:00:00Z","latest":"1970-01-01T00:00:00Z"},
{"account_id":"7","list":"followers","member_id":"2","change":"lost","position_before":1,"position_after":null,"fate":null,"standing":null,"arrival":null,"earliest":"1970-01-01T00:00:00Z","latest":"1970-01-01T00:00:00Z"},
{"account_id":"7","list":"followers","member_id":"9007199254740993","change":"gained","position_before":null,"position_after":0,"fate":null,"standing":null,"arrival":"new","earliest":"1970-01-01T00:00:00Z","latest":"1970-01-01T00:00:00Z"}
]}
"#;
    assert_eq!(written(&frame, Format::Json), expected);
}

#[test]
fn fates_stand_beside_the_lost_that_were_looked_up() {
    let diffs = [diff(&followers(7, &[3, 2, 1]), &followers(7, &[4, 3]), &Memory).unwrap()];
    let looked_up_at = Some(Timestamp::UNIX_EPOCH);
    let verdict = |member: u32, looked_up_at: Option<Timestamp>| Verdict {
        member: member.into(),
        fate: if looked_up_at.is_some() { Fate::Suspended } else { Fate::Unknown },
        standing: Standing::Provisional,
        looked_up_at,
    };
    let verdicts = vec![verdict(1, looked_up_at), verdict(2, None)];
    let losses = [Losses { account: 7.into(), list: List::Followers, verdicts }];
    let expected = r#"account_id,list,member_id,change,position_before,position_after,fate,standing,arrival,earliest,latest
"7","followers","1","lost",2,,"suspended","provisional",,"1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"7","followers","2","lost",1,,,,,"1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"7","followers","4","gained",,0,,,"new","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"
"#;
    assert_eq!(written(&Frame::diffs_with_fates(&diffs, &losses), Format::Csv), expected);
    let expected = r#"account_id,list,member_id,fate,standing,looked_up_at
"7","followers","1","suspended","provisional","1970-01-01T00:00:00Z"
"7","followers","2","unknown","provisional",
"#;
    assert_eq!(written(&Frame::losses(&losses), Format::Csv), expected);
}

#[test]
fn jsonl_has_one_object_per_line() {
    let text = written(&pair(), Format::Jsonl);
    let first = r#"{"a_id":"1","a_list":"followers","b_id":"2","b_list":"followers","a_size":3,"b_size":2,"intersection":1,"union":4,"jaccard":0.25,"overlap_coefficient":0.5,"a_in_b":0.3333333333333333,"b_in_a":0.5,"exact":true}"#;
    assert_eq!(text.lines().next(), Some(first));
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn pieces_are_written_as_one_frame_is() {
    let whole = changes().with_context("after_run", "2026-11-23T07-28-00Z");
    for format in [Format::Csv, Format::Json, Format::Jsonl, Format::Parquet] {
        for pieces in [0, 1, 3] {
            let (mut at_once, mut in_pieces) = (Vec::new(), Vec::new());
            let mut all = FrameWriter::new(&mut at_once, format, &whole).unwrap();
            let mut some = FrameWriter::new(&mut in_pieces, format, &whole).unwrap();
            some.append(whole.head(0)).unwrap();
            for _ in 0..pieces {
                all.append(whole.clone()).unwrap();
                some.append(whole.head(3)).unwrap();
                some.append(whole.head(0)).unwrap();
            }
            all.finish().unwrap();
            some.finish().unwrap();
            assert_eq!(at_once, in_pieces);
        }
    }
    let mut rows = Vec::new();
    whole.write(Format::Jsonl, &mut rows).unwrap();
    assert_eq!(String::from_utf8(rows).unwrap().lines().count(), 3);
}

#[test]
fn the_strongest_pairs_have_the_columns_of_all_pairs_and_those_in_pieces_are_the_same() {
    let lists = [followers(1, &[1, 2, 3]), followers(2, &[3, 4]), followers(3, &[4, 3])];
    let strongest = overlap_strongest(&lists, 2, By::Jaccard, &Memory).unwrap();
    let expected = r#"a_id,a_list,b_id,b_list,a_size,b_size,intersection,union,jaccard,overlap_coefficient,a_in_b,b_in_a,exact
"2","followers","3","followers",2,2,2,2,1.0,1.0,1.0,1.0,"true"
"1","followers","2","followers",3,2,1,4,0.25,0.5,0.3333333333333333,0.5,"true"
"#;
    assert_eq!(written(&Frame::from(&strongest), Format::Csv), expected);
    let whole = overlap(&lists, Cells::Skip, &Memory).unwrap();
    let mut pieces = Vec::new();
    overlap_each(&lists, &Memory, |pairs| {
        pieces.extend(pairs);
        Ok(())
    })
    .unwrap();
    let pieces = Frame::overlaps(&lists, &pieces);
    assert_eq!(written(&pieces, Format::Csv), written(&Frame::from(&whole), Format::Csv));
}

#[test]
fn an_estimate_of_short_lists_is_written_as_exact() {
    let lists = [followers(1, &[1, 2, 3]), followers(2, &[3, 4])];
    let about = overlap_estimated(&lists, 9, By::Intersection, &Memory).unwrap();
    let expected = r#"{"schema_version":1,"kind":"overlap_estimated","confidence":"0.954","sampled":"3","rows":[
{"a_id":"1","a_list":"followers","b_id":"2","b_list":"followers","a_size":3,"b_size":2,"intersection":1,"intersection_at_least":1,"intersection_at_most":1,"jaccard":0.25,"jaccard_at_least":0.25,"jaccard_at_most":0.25,"overlap_coefficient":0.5,"complete":true}
]}
"#;
    assert_eq!(written(&Frame::from(&about), Format::Json), expected);
}

#[test]
fn parquet_keeps_types_ids_and_missing_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("diff.parquet");
    let mut file = std::fs::File::create(&path).unwrap();
    changes().write(Format::Parquet, &mut file).unwrap();
    let table = Table::read(&path).unwrap();
    let column = |name: &str| &table.columns.iter().find(|c| c.name == name).unwrap().values;
    let ids = vec![Some(1), Some(2), Some(9_007_199_254_740_993)];
    assert_eq!(column("member_id"), &Values::I64(ids));
    assert_eq!(column("position_after"), &Values::I64(vec![None, None, Some(0)]));
    let words = ["lost", "lost", "gained"].map(|word| Some(word.to_owned()));
    assert_eq!(column("change"), &Values::Text(words.to_vec()));
}

#[test]
fn parquet_keeps_times_in_utc_and_ratios() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.parquet");
    let lists = (followers(7, &[1]), list(7, List::Following, &[1, 2]));
    let both = mutuals(&lists.0, &lists.1, &Memory).unwrap();
    let change = diff(&lists.0, &lists.0, &Memory).unwrap();
    let read = |frame: &Frame| {
        frame.write(Format::Parquet, &mut std::fs::File::create(&path).unwrap()).unwrap();
        Table::read(&path).unwrap()
    };
    let column = |table: &Table, name: &str| {
        table.columns.iter().find(|c| c.name == name).unwrap().values.clone()
    };
    let summary = read(&Frame::diff_summary(&[change]));
    for time in ["before_started_at", "before_finished_at", "after_started_at", "after_finished_at"]
    {
        assert_eq!(column(&summary, time), Values::Time(vec![Some(0)]));
    }
    let summary = read(&Frame::mutuals_summary(&[both]));
    assert_eq!(column(&summary, "follow_back_rate"), Values::F64(vec![Some(0.5)]));
}

#[test]
fn empty_frames_are_written_with_their_columns() {
    let none = Frame::diffs(&[]);
    let header = "account_id,list,member_id,change,position_before,position_after,fate,standing,\
                  arrival,earliest,latest\n";
    assert_eq!(written(&none, Format::Csv), header);
    assert_eq!(written(&none, Format::Jsonl), "");
    let json: serde_json::Value = serde_json::from_str(&written(&none, Format::Json)).unwrap();
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(0));
    let mut out = Vec::new();
    none.write(Format::Parquet, &mut out).unwrap();
    assert!(out.starts_with(b"PAR1") && out.ends_with(b"PAR1"));
}

#[test]
fn usernames_stand_beside_their_ids_and_are_no_formulas() {
    let names = [(7_u32, "=HYPERLINK(1)"), (1, "quote\"d"), (2, "-2+3")];
    let names: HashMap<_, _> =
        names.into_iter().map(|(id, name)| (AccountId::from(id), name.to_owned())).collect();
    let frame = changes().with_names(&names);
    let csv = written(&frame, Format::Csv);
    let lines: Vec<_> = csv.lines().collect();
    assert!(lines[0].starts_with("account_id,account_username,list,member_id,member_username,"));
    assert!(lines[1].starts_with(r#""7","'=HYPERLINK(1)","followers","1","quote""d","#));
    assert!(lines[2].starts_with(r#""7","'=HYPERLINK(1)","followers","2","'-2+3","#));
    assert!(lines[3].starts_with(r#""7","'=HYPERLINK(1)","followers","9007199254740993",,"#));
    assert!(written(&frame, Format::Jsonl).contains(r#""account_username":"=HYPERLINK(1)""#));
}

#[test]
fn frames_are_sorted_and_cut() {
    let cells = |frame: &Frame, column: usize| {
        (0..frame.rows()).map(|row| frame.cell(row, column)).collect::<Vec<_>>().join(" ")
    };
    let frame = changes();
    let by_member = frame.sorted(&[("member_id", Direction::Descending)]).unwrap();
    assert_eq!(cells(&by_member, 2), "9007199254740993 2 1");
    let by_position = frame
        .sorted(&[("change", Direction::Descending), ("position_before", Direction::Ascending)])
        .unwrap();
    assert_eq!(cells(&by_position, 2), "2 1 9007199254740993");
    assert_eq!(cells(&by_position.head(1), 2), "2");
    assert_eq!(frame.head(10).rows(), 3);
    let error = frame.sorted(&[("nam", Direction::Ascending)]).unwrap_err();
    assert_eq!(error.to_string(), "a diff frame has no column `nam`");
    assert!(error.way_out().unwrap().contains("position_before"));
}

/// A crawl that found so many members and repeats.
fn crawl(list: List, state: State, ids: u64, duplicates: u64) -> Crawl {
    let observation = Observation::complete(7.into(), list, []).unwrap();
    Crawl { state, ids, duplicates, ..observation.crawl().clone() }
}

#[test]
fn crawls_are_grouped_by_list_state_and_coverage_and_summed() {
    let complete = State::Read(Coverage::Complete);
    let cut = |after_page| State::Read(Coverage::CutShort { after_page, why: Cut::Budget });
    let (followers, following) = (List::Followers, List::Following);
    let crawls = [
        crawl(following, complete, 10, 1),
        crawl(followers, State::Protected, 0, 0),
        crawl(followers, complete, 5, 0),
        crawl(followers, cut(1), 100, 7),
        crawl(followers, complete, 6, 2),
        crawl(followers, cut(2), 200, 0),
        crawl(followers, State::Suspended, 0, 0),
        crawl(followers, State::Protected, 0, 0),
    ];
    let expected = r#"list,state,coverage,lists,members,duplicates
"followers","protected","none",2,0,0
"followers","read","complete",2,11,2
"followers","read","cut_short",2,300,7
"followers","suspended","none",1,0,0
"following","read","complete",1,10,1
"#;
    assert_eq!(written(&Frame::crawls_summary(&crawls), Format::Csv), expected);
}

#[test]
fn who_follows_back_over_a_whole_run_is_written_in_every_format() {
    let returned = Reciprocity { edges: 11, self_loops: 1, reciprocal: 4, unknown: 2 };
    let frame = Frame::from(&returned);
    let json = r#"{"edges":11,"self_loops":1,"reciprocal":4,"mutual_pairs":2,"unknown":2,"ratio":0.4,"ratio_of_known":0.5,"#;
    assert!(written(&frame, Format::Jsonl).starts_with(json));
    assert!(written(&frame, Format::Json).contains(json));
    assert!(written(&frame, Format::Csv).contains("\n11,1,4,2,2,0.4,0.5,"));
    frame.write(Format::Parquet, &mut Vec::new()).unwrap();
}

#[test]
fn a_frame_prints_as_a_table() {
    let expected = "\
account_id  list              member_id  change  position_before  position_after  fate  standing  arrival  earliest              latest
         7  followers                 1  lost                  2                                           1970-01-01T00:00:00Z  1970-01-01T00:00:00Z
         7  followers                 2  lost                  1                                           1970-01-01T00:00:00Z  1970-01-01T00:00:00Z
         7  followers  9007199254740993  gained                                0                  new      1970-01-01T00:00:00Z  1970-01-01T00:00:00Z
";
    assert_eq!(changes().to_string(), expected);
}

#[test]
fn cells_are_for_people() {
    let frame = pair();
    assert_eq!(frame.cell(0, 8), "0.2500");
    assert_eq!(frame.cell(1, 8), "0.0000");
    assert_eq!(frame.cell(1, 11), "", "nobody is contained in the empty list");
    assert!(frame.columns()[0].kind.is_number() && !frame.columns()[1].kind.is_number());
}

#[test]
fn a_disk_that_is_full_is_an_error_with_a_cause() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in [Format::Csv, Format::Json, Format::Jsonl, Format::Parquet] {
        let error = changes().write(format, &mut Full).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the diff frame as "));
        assert!(std::error::Error::source(&error).is_some());
    }
}

/// Each frame has a section on the schema page, with its columns, types and nulls in order.
#[test]
fn the_schema_page_is_true() {
    let page = include_str!("../SCHEMA.md");
    let graph = FollowGraph::from_edges([]).unwrap();
    let nobody = overlap(&[], Cells::Count, &Memory).unwrap();
    let nobody_about = overlap_estimated(&[], 1, By::Jaccard, &Memory).unwrap();
    let frames = [
        Frame::diffs(&[]),
        Frame::id_changes(&DiffPart::default()),
        Frame::id_counts(0, 0, 0),
        Frame::losses(&[]),
        Frame::diff_summary(&[]),
        Frame::mutuals(&[]),
        Frame::mutuals_summary(&[]),
        Frame::from(&MutualEdges::default()),
        Frame::mutual_changes(&[]),
        Frame::mutual_changes_summary(&[]),
        Frame::flows(&[]),
        Frame::flow_members(&[]),
        Frame::overlap_series(&[]),
        Frame::from(&nobody),
        Frame::from(&nobody_about),
        Frame::overlap_cells(&nobody).unwrap(),
        Frame::from(&graph.reciprocity()),
        Frame::from(&graph.summary()),
        Frame::graph_accounts(&graph, &graph.metrics(Wanted::default()).unwrap()),
        Frame::graph_degrees(&graph),
        Frame::edges(&[]),
        Frame::edge_events(&[]),
        Frame::suggestions(&[]),
        Frame::history(&[]),
        Frame::history_events(List::Followers, &[]),
        Frame::history_spells(&[], List::Followers, &[]),
        Frame::history_spikes(&[]),
        Frame::explanations(&[]),
        Frame::short_stays(&[]),
        Frame::growth(&[]),
        Frame::follow_times(AccountId::MIN, List::Followers, &[]),
        Frame::fingerprints(&[]),
        Frame::no_fingerprint_members(),
        Frame::fingerprint_grids(&[]),
        Frame::account_ages(&[]),
        Frame::runs(&[]),
        Frame::crawls(&[]),
        Frame::crawls_summary(&[]),
        Frame::retention(&[]),
    ];
    let mut sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    for frame in frames {
        let heading = format!("`{}`", frame.kind());
        let index = sections.iter().position(|s| s.starts_with(&heading)).expect(&heading);
        let rows = sections.remove(index).lines().filter(|line| line.starts_with("| `"));
        let described: Vec<String> = rows
            .map(|row| row.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>().join(" "))
            .collect();
        let expected: Vec<String> = frame
            .columns()
            .iter()
            .map(|column| {
                let id = if column.kind == Kind::Id { " id" } else { "" };
                let null = if column.nullable { "yes" } else { "no" };
                format!("`{}` {}{id} {null}", column.name, column.kind.parquet_type())
            })
            .collect();
        assert_eq!(described, expected, "{heading}");
    }
    assert!(sections.iter().all(|s| !s.starts_with('`')), "the page describes no other frame");
}

#[test]
fn what_is_known_of_accounts_stands_side_by_side() {
    let id = |raw: u32| AccountId::from(raw);
    // A triangle with one returned follow, somebody who hangs on, and a pair elsewhere.
    let edges = [(1, 2), (2, 1), (2, 3), (3, 1), (4, 1), (8, 9)];
    let graph = FollowGraph::from_edges(edges.map(|(from, to)| (id(from), id(to)))).unwrap();
    let degrees = graph.metrics(Wanted::default()).unwrap();
    let expected = r#"account_id,out_degree,in_degree,mutual,pagerank,core,triangles,clustering,community,weak_component,strong_component
"1",1,3,1,,,,,,,
"2",2,1,1,,,,,,,
"3",1,1,0,,,,,,,
"4",1,0,0,,,,,,,
"8",1,0,0,,,,,,,
"9",0,1,0,,,,,,,
"#;
    assert_eq!(written(&Frame::graph_accounts(&graph, &degrees), Format::Csv), expected);
    let all = Wanted {
        pagerank: Some(PageRank::default()),
        cores: true,
        triangles: true,
        communities: Some(Leiden::default()),
        components: true,
    };
    let frame = Frame::graph_accounts(&graph, &graph.metrics(all).unwrap());
    let rows: Vec<Vec<String>> =
        (0..6).map(|row| (5..11).map(|column| frame.cell(row, column)).collect()).collect();
    let expected = [
        ["2", "1", "0.3333", "0", "0", "0"],
        ["2", "1", "1.0000", "0", "0", "0"],
        ["2", "1", "1.0000", "0", "0", "0"],
        ["1", "0", "", "0", "0", "1"],
        ["1", "0", "", "1", "1", "2"],
        ["1", "0", "", "1", "1", "3"],
    ];
    assert_eq!(rows, expected);
    let json = written(&frame, Format::Json);
    assert!(json.contains(r#""triangles":"1","transitivity":"0.6","average_clustering":"0.38"#));
    let degrees = written(&Frame::graph_degrees(&graph), Format::Csv);
    assert_eq!(
        degrees,
        "list,degree,accounts\n\"following\",0,1\n\"following\",1,4\n\"following\",2,1\n\
         \"followers\",0,2\n\"followers\",1,3\n\"followers\",3,1\n"
    );
}

#[test]
fn a_frame_of_one_row_is_written_like_any_other() {
    let list = |ids: &[u32]| {
        let ids = ids.iter().map(|id| AccountId::from(*id));
        Observation::complete(AccountId::from(7), List::Followers, ids).unwrap()
    };
    let one = diff(&list(&[1]), &list(&[1, 2]), &Memory).unwrap();
    let mutual = Frame::diff_summary(std::slice::from_ref(&one));
    for frame in [Frame::from(&one), mutual] {
        assert_eq!(frame.rows(), 1);
        assert!(!frame.cell(0, 1).is_empty() && !frame.to_string().is_empty());
        for format in [Format::Csv, Format::Json, Format::Jsonl, Format::Parquet] {
            let mut out = Vec::new();
            frame.write(format, &mut out).unwrap();
            assert!(!out.is_empty());
        }
    }
}
