//! Graphs come out with the structure of their format, whatever accounts call themselves.

use super::*;

fn account(id: u64) -> AccountId {
    AccountId::new(i64::try_from(id).unwrap()).unwrap()
}

fn written(format: GraphFormat, names: &[&str], when: &[Presence]) -> String {
    let mut out = Vec::new();
    let mut graph = GraphWriter::new(&mut out, format, "run <1> & \"more\"").unwrap();
    for (id, name) in (1..).zip(names) {
        let username = Some(*name).filter(|name| !name.is_empty());
        graph.node(Node { account: account(id), username, watched: id == 1 }).unwrap();
    }
    if names.len() > 1 {
        graph.edge([account(2), account(1)], when).unwrap();
    }
    graph.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_xml_cannot_say_is_replaced_and_markup_is_text() {
    let hostile = "a\0\u{1}\u{b}\n\u{85}\u{fffe}\u{ffff}\"'<b>&amp;]]>\u{1f98a}";
    for format in [GraphFormat::Gexf, GraphFormat::Graphml] {
        let text = written(format, &[hostile, ""], &[]);
        let allowed = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(|c| allowed(c) && c < '\u{fffe}' || c > '\u{ffff}'), "{text}");
        assert!(text.contains("@a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"));
        assert!(text.contains("&lt;b&gt;&amp;amp;]]&gt;\u{1f98a}"), "{text}");
        assert!(text.contains("run &lt;1&gt; &amp; "), "{text}");
    }
}

#[test]
fn a_label_cannot_leave_its_quotes_in_dot() {
    let text = written(GraphFormat::Dot, &["a\"]; b -> c [label=\"\n\\N\\", ""], &[]);
    let node = "  \"1\" [label=\"@a\\\"]; b -> c [label=\\\"\u{fffd}\\\\N\\\\\"];";
    let lines: Vec<_> = text.lines().collect();
    let edge = "  \"2\" -> \"1\";";
    let second = "  \"2\" [label=\"2\"];";
    let head = ["// run <1> & \"more\"", "digraph followgraph {"];
    assert_eq!(lines, [&head[..], &[node, second, edge, "}"]].concat());
}

#[test]
fn an_edge_of_a_dynamic_graph_says_when_it_was_there() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let when = [
        Presence { from: at("2026-11-02T00:00:00Z"), until: Some(at("2026-11-03T00:00:00Z")) },
        Presence { from: at("2026-11-05T00:00:00.25Z"), until: None },
    ];
    let text = written(GraphFormat::GexfDynamic, &["a", "b"], &when);
    let spells = [
        r#"<spell start="2026-11-02T00:00:00Z" end="2026-11-03T00:00:00Z"/>"#,
        r#"<spell start="2026-11-05T00:00:00.25Z"/>"#,
    ];
    assert!(spells.iter().all(|spell| text.contains(spell)), "{text}");
    assert!(text.contains(r#"mode="dynamic" timeformat="dateTime""#), "{text}");
    let text = written(GraphFormat::Gexf, &["a", "b"], &when);
    assert!(!text.contains("spell") && text.contains(r#"mode="static""#), "{text}");
}

#[test]
fn a_graph_without_edges_or_accounts_is_whole() {
    let text = written(GraphFormat::Gexf, &[], &[]);
    let end = "<nodes>\n  </nodes>\n  <edges>\n  </edges>\n </graph>\n</gexf>\n";
    assert!(text.ends_with(end), "{text}");
    assert!(written(GraphFormat::Graphml, &[], &[]).ends_with(" </graph>\n</graphml>\n"));
    assert!(written(GraphFormat::Dot, &[], &[]).ends_with("{\n}\n"));
}

#[test]
fn a_graph_too_large_to_draw_is_refused_with_a_way_out() {
    let mut out = Vec::new();
    let mut graph = GraphWriter::new(&mut out, GraphFormat::Dot, "").unwrap();
    for id in 1..=DOT_EDGES_MAX {
        graph.edge([account(id), account(0)], &[]).unwrap();
    }
    let refused = graph.edge([account(DOT_EDGES_MAX + 1), account(0)], &[]).unwrap_err();
    assert!(refused.way_out().is_some_and(|hint| hint.contains("GEXF")), "{refused}");
}

#[test]
fn an_account_that_comes_after_the_edges_is_refused() {
    let mut out = Vec::new();
    let mut graph = GraphWriter::new(&mut out, GraphFormat::Gexf, "").unwrap();
    graph.edge([account(1), account(2)], &[]).unwrap();
    let late = Node { account: account(3), username: None, watched: false };
    assert!(graph.node(late).is_err());
}
