//! `followgraph import`: makes runs out of files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use ingest::import::{AccountColumn, Format, Held, ImportOptions, Imported, Input, Kind};
use snapshot::{AccountId, List, Order, Store};

use crate::args;
use crate::exit::{Exit, Usage};
use crate::output::{self, counted, grouped};
use crate::progress::Shown;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Import) -> Result<Exit> {
    let kind = kind(command)?;
    let mut options = ImportOptions::new(kind);
    options.delimiter = delimiter(command)?;
    options.time = command.time;
    options.coverage = held(command);
    options.order = if command.newest_first { Order::NewestFirst } else { Order::Unknown };
    options.allow_empty = command.allow_empty;
    options.parameters = parameters(command);
    let inputs: Vec<_> = command.files.iter().map(|name| input(name)).collect();
    if let Some(missing) = inputs.iter().find_map(missing) {
        return Err(Usage::new(format!("there is no file {}", missing.display())).into());
    }
    let store = Store::create(&settings.store.value)?;
    let progress = Shown::new(settings.quiet);
    let imported = ingest::import(&store, &inputs, &options, &progress);
    drop(progress);
    conclude(&imported?, settings.quiet)
}

fn kind(command: &args::Import) -> Result<Kind> {
    if command.edges {
        return Ok(Kind::Edges);
    }
    let list = command.list.map(List::from);
    let fixed = command.account.as_deref().map(id).transpose()?;
    let column = command.account_column.clone().map(AccountColumn::Column);
    let account = column.or(fixed.map(AccountColumn::Fixed));
    let format = command.format.map(Format::from);
    match (&command.member_column, account) {
        (Some(member), Some(account)) => Ok(Kind::Table {
            account,
            member: member.clone(),
            time: command.time_column.clone(),
            list: list.unwrap_or(List::Followers),
        }),
        (None, account) => Ok(Kind::Export { format, account, list }),
        (Some(_), None) => Err(Usage::new("whose list is it?")
            .hint("give --account ID; or --account-column and --member-column for a table; or --edges")
            .into()),
    }
}

fn held(command: &args::Import) -> Held {
    match (command.partial, command.complete) {
        (true, _) => Held::Partial,
        (_, true) => Held::Complete,
        _ => Held::AsItSays,
    }
}

fn id(text: &str) -> Result<AccountId> {
    let parsed = text.parse();
    parsed.map_err(|e| Usage::new(format!("--account: {e}")).into())
}

fn delimiter(command: &args::Import) -> Result<Option<u8>> {
    let given = command.delimiter.map(|c| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => Ok(byte),
        _ => Err(Usage::new(format!("`{c}` cannot separate columns; use an ASCII character"))),
    });
    Ok(given.transpose()?)
}

fn input(name: &str) -> Input {
    if name == "-" { Input::Stdin } else { Input::File(name.into()) }
}

fn missing(input: &Input) -> Option<&Path> {
    match input {
        Input::File(path) if !path.exists() => Some(path),
        _ => None,
    }
}

/// What the manifest keeps of how the run was made.
fn parameters(command: &args::Import) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::from([("command".to_owned(), "import".to_owned())]);
    let mut keep = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value.clone());
        }
    };
    keep("files", &Some(command.files.join(" ")));
    keep("account", &command.account);
    keep("account_column", &command.account_column);
    keep("member_column", &command.member_column);
    keep("time_column", &command.time_column);
    keep("complete", &command.complete.then(|| "true".to_owned()));
    keep("partial", &command.partial.then(|| "true".to_owned()));
    parameters
}

fn conclude(imported: &Imported, quiet: bool) -> Result<Exit> {
    for taken in &imported.taken {
        if !quiet || taken.partial > 0 {
            output::remark(taken);
        }
    }
    for note in &imported.notes {
        output::remark(format!("note: {note}"));
    }
    if quiet {
        return Ok(Exit::Done);
    }
    let crawls = || imported.runs.iter().flat_map(|run| &run.crawls);
    let (lists, ids) = (crawls().count() as u64, crawls().map(|c| c.ids).sum());
    let (lists, ids) = (counted(lists, "list"), counted(ids, "id"));
    match imported.runs.as_slice() {
        [] => {}
        [only] => output::print(format!("run {}: {lists}, {ids}\n", only.run))?,
        [first, .., last] => {
            let runs = grouped(imported.runs.len() as u64);
            let (first, last) = (first.run, last.run);
            output::print(format!("{runs} runs, {first} to {last}: {lists}, {ids}\n"))?;
        }
    }
    Ok(Exit::Done)
}
