//! `followgraph explain`: every observation of a member, and what follows from it.

use std::fmt::Write as _;

use analysis::Frame;
use analysis::history::{Explained, Explanation, Observed, Sight, explain};
use analysis::when::Between;
use analysis::when::DEPENDABLE;
use anyhow::Result;
use snapshot::{Began, Ended, List, Store};

use super::history::{account, names, up_to_date};
use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, counted, grouped, minute};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Explain) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let member = account(&store, &command.member)?;
    let of = command.account.as_ref().map(|name| account(&store, name)).transpose()?;
    let history = up_to_date(settings, &store)?;
    let all = explain(&store, &history, List::from(command.list), member, of)?;
    let screen = || {
        let names = names(&store)?;
        if all.is_empty() {
            return Ok(format!(
                "no list of {} has ever had {}\n",
                List::from(command.list),
                names.label(member)
            ));
        }
        let told = all.iter().map(|one| told(one, &names));
        Ok(told.collect::<Vec<_>>().join("\n"))
    };
    output::deliver(&command.output, screen, || Ok(Frame::explanations(&all)))?;
    Ok(Exit::Done)
}

fn told(one: &Explanation, names: &Names) -> String {
    let mut text = format!(
        "{} in the {} of {}\n",
        names.label(one.member),
        one.list,
        names.label(one.account)
    );
    for spell in &one.spells {
        text.push('\n');
        text.push_str(&spell_told(one, spell));
    }
    let headings = [
        ("run", Align::Left),
        ("read", Align::Left),
        ("sight", Align::Left),
        ("position", Align::Right),
        ("page", Align::Right),
    ];
    let row = |observed: &Observed| {
        let (position, page) = match observed.sight {
            Sight::Seen { position, page } => {
                (grouped(position.into()), page.map(|(page, _)| page))
            }
            _ => (String::new(), None),
        };
        vec![
            observed.crawl.run.to_string(),
            observed.crawl.state.to_string(),
            observed.sight.name().replace('_', " "),
            position,
            page.map_or_else(String::new, |page| grouped(page.into())),
        ]
    };
    let _ = write!(text, "\n{}", output::table(&headings, one.crawls.iter().map(row)));
    text
}

fn between(when: Option<Between>) -> String {
    when.map_or_else(String::new, |when| {
        format!(", between {} and {}", minute(when.earliest), minute(when.latest))
    })
}

fn spell_told(one: &Explanation, explained: &Explained) -> String {
    let spell = &explained.spell;
    let run = |number: u32| one.crawls[number as usize].crawl.run;
    let mut text =
        format!("seen from run {} to run {}\n", run(spell.first_seen), run(spell.last_seen));
    let shown = &one.crawls[spell.first_seen as usize].crawl;
    let why = match spell.began {
        Began::FirstLook => "was there when a crawl first looked".to_owned(),
        Began::New => "is new".to_owned(),
        Began::Refollowed => "followed anew".to_owned(),
        Began::Reappeared => "was hidden, and its old follow still stood".to_owned(),
        Began::Returned => {
            "is back; nothing tells whether it followed anew or was hidden".to_owned()
        }
    };
    let _ = writeln!(text, "  {why}{}", between(explained.began));
    if let Some(absent) = spell.absent_before {
        let _ = writeln!(text, "  absent from run {} before it", run(absent));
    }
    if let Some((with, head)) = shown.compared_with.zip(shown.head) {
        let _ = writeln!(
            text,
            "  order: the first {} of that run are newer than run {}",
            counted(head.into(), "position"),
            run(with)
        );
    } else if shown.order != DEPENDABLE {
        let _ = writeln!(text, "  order tells nothing: {}", shown.order.replace('_', " "));
    }
    if let (Some(after), Some(before)) = (spell.followed_after, spell.followed_before) {
        let _ = writeln!(text, "  followed between {} and {}", minute(after), minute(before));
    }
    let end = match (spell.ended, spell.absent_after) {
        (Ended::Absent, Some(absent)) => {
            format!("gone by run {}{}", run(absent), between(explained.ended))
        }
        (Ended::Moved, _) => format!("left and followed anew{}", between(explained.ended)),
        _ => "nothing proves that it is gone".to_owned(),
    };
    let _ = writeln!(text, "  {end}");
    for look_up in &explained.look_ups {
        let _ = writeln!(
            text,
            "  looked up {}: {}",
            minute(look_up.looked_up_at),
            look_up.outcome.name().replace('_', " ")
        );
    }
    if let Some(verdict) = explained.verdict.filter(|verdict| verdict.looked_up_at.is_some()) {
        let _ = writeln!(text, "  verdict: {} ({})", verdict.fate.name(), verdict.standing.name());
    }
    text
}
