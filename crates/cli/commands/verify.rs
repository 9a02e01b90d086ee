//! `followgraph verify`: checks everything that can be checked, and names what is wrong.

use anyhow::Result;
use snapshot::Store;

use crate::args::Verify;
use crate::exit::Exit;
use crate::output::{self, counted};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &Verify) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let (mut runs, mut bytes, mut faults) = (0_u64, 0, 0_u64);
    for run in chosen(&store, &command.runs)? {
        runs += 1;
        // A run that cannot be opened is a finding, not the end of the search.
        let (name, found) = match run {
            Ok(run) => (run.id().folder(), run.verify()),
            Err(e) => {
                faults += 1;
                output::print(format!("{e}\n"))?;
                continue;
            }
        };
        bytes += found.bytes;
        faults += found.faults.len() as u64;
        for fault in &found.faults {
            output::print(format!("{name}/{fault}\n"))?;
        }
        if found.faults.is_empty() && !settings.quiet {
            let (files, rows) = (counted(found.files, "file"), counted(found.rows, "row"));
            output::remark(format!("{name}: {files}, {rows}: good"));
        }
    }
    let bytes = indicatif::HumanBytes(bytes);
    let runs = counted(runs, "run");
    if faults > 0 {
        output::remark(format!("{} in {runs}, {bytes} read", counted(faults, "fault")));
        return Ok(Exit::Store);
    }
    output::print(format!("{runs}, {bytes}: everything is as it was written\n"))?;
    Ok(Exit::Done)
}

type Opened = Result<snapshot::Run, snapshot::Error>;

fn chosen(store: &Store, names: &[String]) -> Result<Vec<Opened>> {
    if names.is_empty() {
        return Ok(store.entries()?.into_iter().map(|(_, run)| run).collect());
    }
    // A name that means no run is a mistake of the caller and ends the command.
    let mut runs = Vec::new();
    for name in names {
        match store.find(name) {
            Err(e) if e.kind() == snapshot::ErrorKind::NotFound => return Err(e.into()),
            found => runs.push(found),
        }
    }
    Ok(runs)
}
