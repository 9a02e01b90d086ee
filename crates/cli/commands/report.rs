//! `followgraph report`: everything that two runs tell, as a page to send to somebody.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use report::{Report, Request};
use snapshot::Store;

use super::diff::{chosen, pair_or_one};
use crate::args::{self, ReportForm};
use crate::exit::{Exit, Usage};
use crate::output;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Report) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let asked = &command.pair;
    let (before, after) = pair_or_one(&store, asked.before.as_deref(), &asked.after)?;
    let accounts = chosen(before.as_ref().unwrap_or(&after), &after, &asked.accounts)?;
    let list = asked.list.into();
    let request = Request { before: before.as_ref(), after: &after, accounts, list };
    let report = Report::of(&store, &request)?;
    let to = &command.output;
    match command.format {
        ReportForm::Html => output::page(to, &report.html()?)?,
        ReportForm::Json => output::document(to, &report.json()?)?,
        ReportForm::Md => {
            let markdown = report.markdown()?;
            let folder = charts_beside(to)?;
            if let Some((folder, _)) = &folder {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
                for (name, chart) in &markdown.charts {
                    output::document(&folder.join(name), chart)?;
                }
            }
            let name = folder.as_ref().map(|(_, name)| name.as_str());
            output::document(to, &markdown.text(name))?;
        }
    }
    Ok(Exit::Done)
}

/// The folder for charts beside a file, and its name: `weekly.md` has `weekly-charts`.
fn charts_beside(file: &Path) -> Result<Option<(PathBuf, String)>> {
    if output::is_stdout(file) {
        return Ok(None);
    }
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| Usage::new("--output does not name a file"))?;
    let name = format!("{stem}-charts");
    Ok(Some((file.with_file_name(&name), name)))
}
