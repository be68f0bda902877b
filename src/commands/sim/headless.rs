use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use lorgnette_device::clock::Clock;
use lorgnette_runtime::live::Earshot;
use lorgnette_sim::brain::Brain;
use lorgnette_sim::scenario::{self, Report, Scenario, Setting};
use serde::Serialize;

use super::Arguments;
use crate::console::{self, Outcome};

#[derive(Serialize)]
struct Reports {
    passed: bool,
    scenarios: Vec<Report>,
}

type Think<'a> = dyn FnMut(&Scenario, Arc<dyn Clock>) -> lorgnette_sim::Result<Brain> + 'a;

/// Plays all scenarios, one after the other.
pub(super) fn run(arguments: &Arguments, think: &mut Think<'_>) -> Outcome {
    let scenes = arguments.scenes()?;
    let mut reports = Reports { passed: true, scenarios: Vec::new() };
    for path in &arguments.scenario {
        let mut scenario = Scenario::open(path)?;
        scenario.seed = arguments.seed.unwrap_or(scenario.seed);
        let (scenes, detector) = (scenes.clone(), Box::new(Earshot::default()));
        let setting = Setting { scenes, detector, cloud: arguments.cloud()? };
        let outcome = scenario::run(&scenario, setting, |clock| think(&scenario, clock))?;
        if let Some(folder) = &arguments.out {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            write(&outcome, folder, &stem)
                .map_err(|error| format!("{}: cannot write: {error}", folder.display()))?;
        }
        reports.passed &= outcome.report.passed;
        reports.scenarios.push(outcome.report);
    }
    console::print(&reports, arguments.json)?;
    if reports.passed { Ok(()) } else { Err("something else came than was expected".into()) }
}

fn write(outcome: &scenario::Outcome, folder: &Path, stem: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let report = &outcome.report;
    std::fs::write(folder.join(format!("{stem}.xml")), report.junit())?;
    std::fs::write(folder.join(format!("{stem}.json")), serde_json::to_vec_pretty(report)?)?;
    std::fs::write(folder.join(format!("{stem}.png")), &outcome.hud)?;
    let mut trace = BufWriter::new(File::create(folder.join(format!("{stem}.trace.json")))?);
    report.write_trace(&mut trace)?;
    trace.flush()?;
    Ok(())
}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scenarios.iter().try_for_each(|report| report.fmt(f))
    }
}
