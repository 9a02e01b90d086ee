//! `followgraph config show`: every setting, its value, and where it comes from.

use anyhow::Result;

use crate::args::{Config, ConfigCommand};
use crate::exit::Exit;
use crate::output::{self, Align};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &Config) -> Result<Exit> {
    let ConfigCommand::Show = command.command;
    let headings = [("setting", Align::Left), ("value", Align::Left), ("origin", Align::Left)];
    let mut rows: Vec<_> = settings.rows().into_iter().map(Vec::from).collect();
    // Whether there is a token can be said; what it is cannot.
    let variable = ingest::TOKEN_VARIABLE;
    let (token, origin) = if std::env::var_os(variable).is_some_and(|v| !v.is_empty()) {
        ("(set, not shown)", format!("environment {variable}"))
    } else if settings.token_file.value.is_some() {
        ("(in token_file)", settings.token_file.origin.to_string())
    } else {
        ("(not set)", "default".to_owned())
    };
    let token = vec!["token".to_owned(), token.to_owned(), origin];
    rows.push(token);
    output::print(output::table(&headings, rows))?;
    if let Some(path) = &settings.user_file {
        let there = if path.exists() { "" } else { " (not there)" };
        output::remark(format!("settings file: {}{there}", path.display()));
    }
    Ok(Exit::Done)
}
