//! The scenarios of `sim/scenarios`, and that they give the same twice.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lorgnette_runtime::live::Earshot;
use lorgnette_sim::brain::Script;
use lorgnette_sim::cloud::Cloud;
use lorgnette_sim::scenario::{Outcome, Scenario, Setting, run};
use lorgnette_sim::source::Scenes;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

pub(crate) fn setting() -> Setting {
    let (detector, cloud) = (Box::new(Earshot::default()), Cloud::default());
    Setting { scenes: Scenes::bundled().unwrap(), detector, cloud }
}

fn play(scenario: &Scenario) -> Outcome {
    let script = scenario.script.clone();
    run(scenario, setting(), |clock| Ok(Script::new(script, Duration::ZERO, clock).into_brain())).unwrap()
}

#[test]
fn every_scenario_of_the_folder_passes() {
    let files = files();
    assert!(files.len() >= 10);
    let mut failed = String::new();
    for file in files {
        let report = play(&Scenario::open(&file).unwrap()).report;
        assert!(!report.checks.is_empty(), "{} expects nothing", file.display());
        if !report.passed {
            failed += &report.to_string();
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn the_same_scenario_and_seed_give_the_same_trace_and_another_seed_another() {
    let file = files().into_iter().find(|file| file.ends_with("poor-link.toml")).unwrap();
    let mut scenario = Scenario::open(&file).unwrap();
    let (first, second) = (play(&scenario), play(&scenario));
    assert_eq!(first.report.trace_hash, second.report.trace_hash);
    assert_eq!(first.hud, second.hud);
    assert_eq!(first.report.junit(), second.report.junit());
    scenario.seed += 1;
    assert_ne!(
        play(&scenario).report.trace_hash,
        first.report.trace_hash,
        "what is lost follows from the seed"
    );
}

#[test]
fn what_does_not_come_as_expected_is_reported() {
    let text = r#"
        title = "wrong"
        seconds = 6
        script = ["Yes."]
        [[step]]
        at = 0.5
        type = "really?"
        [[expect.turn]]
        answer = "No"
        [[expect.turn]]
        answer = "Yes"
        [[expect.moment]]
        at = 1
        light = false
        [expect.total]
        answers = 1
        vision_passes = { at_least = 1 }
    "#;
    let report = play(&Scenario::parse(text).unwrap()).report;
    let failed: Vec<_> =
        report.checks.iter().filter(|check| !check.passed).map(|check| check.name.as_str()).collect();
    let expected = ["at 1: light", "turn 1: answer", "turn 2: begins", "total: vision_passes"];
    assert_eq!(failed, expected, "{report}");
    assert!(!report.passed && report.junit().contains("failures=\"4\""));
}

#[test]
fn a_step_that_cannot_be_done_is_an_error() {
    for step in ["show = \"nothing\"", "say = \"nothing\"", "heat = 400", "source = { camera = \"machine\" }"]
    {
        let text = format!("title = \"a\"\n[[step]]\nat = 1\n{step}\n");
        let scenario = Scenario::parse(&text).unwrap();
        let script = |clock| Ok(Script::new(Vec::new(), Duration::ZERO, clock).into_brain());
        assert!(run(&scenario, setting(), script).is_err(), "{step}");
    }
}
