//! The bundled model, as the program carries it: what it is asked about the scenes of its own world.

#![cfg(feature = "pico")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::bundled;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event, LanguageModel};
use lorgnette_runtime::mode::{Mode, thinking};
use lorgnette_runtime::model::audio::decode_wav;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision;
use serde::Deserialize;

/// A question about a scene, with its answer. What is recorded is the same question.
#[derive(Deserialize)]
struct Question {
    level: u8,
    picture: Option<PathBuf>,
    recording: Option<PathBuf>,
    text: String,
    kind: String,
    answer: String,
}

/// Of `models/pico/quick`, of what level a question is, how it is asked, of what kind it is, and how many of a hundred
/// have to be answered exactly.
const FLOORS: &[(u8, &str, &str, usize)] = &[
    (1, "spoken", "all", 80),
    (1, "thinking", "all", 94),
    (1, "typed", "able", 100),
    (1, "typed", "absent", 93),
    (1, "typed", "contemplate", 100),
    (1, "typed", "glucose", 93),
    (1, "typed", "hello", 100),
    (1, "typed", "name", 95),
    (1, "typed", "no picture", 100),
    (1, "typed", "not there", 92),
    (1, "typed", "pressure", 90),
    (1, "typed", "pulse", 92),
    (1, "typed", "read", 90),
    (1, "typed", "temperature", 87),
    (1, "typed", "tool", 93),
    (1, "typed", "value", 88),
    (1, "typed", "verdict", 90),
    (2, "thinking", "all", 30),
    (2, "typed", "all", 15),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pico").join(name)
}

fn questions(folder: &Path) -> Vec<Question> {
    serde_json::from_slice(&std::fs::read(folder.join("scenes.json")).unwrap()).unwrap()
}

fn lorgnette(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    // From a folder without any file: the model is in the program.
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn said(arguments: &[&str]) -> String {
    let output = lorgnette(&[&["ask", "--backend", "cpu", "--max-tokens", "64"], arguments].concat());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What `model` says, without its thoughts.
fn answer(model: &Arc<LanguageModel<Cpu>>, parts: Vec<Part>, think: bool) -> String {
    let options = AnswerOptions { max_tokens: 200, ..AnswerOptions::default() };
    let mode = if think { Mode::Thinking { budget: 128 } } else { Mode::Instant };
    let messages = [Message::parts(Role::User, parts)];
    let mut conversation = Conversation::new(Arc::clone(model), 1024).unwrap();
    let on = &mut |_: Event<'_>| ControlFlow::Continue(());
    thinking::answer(&mut conversation, &messages, &options, mode, on).unwrap().answer.text.trim().to_owned()
}

#[test]
fn of_every_kind_of_question_as_many_are_right_as_the_card_says() {
    let towers = bundled::towers().unwrap();
    let model =
        LanguageModel::load(Cpu, &bundled::language().unwrap()).unwrap().with_towers(&towers).unwrap();
    let (model, folder) = (Arc::new(model), folder("quick"));
    let mut found: BTreeMap<(u8, &str, String), (usize, usize)> = BTreeMap::new();
    for question in questions(&folder) {
        let read = |name: &PathBuf| std::fs::read(folder.join(name)).unwrap();
        let picture = question
            .picture
            .as_ref()
            .map(|name| Part::Image(Image::new(vision::decode(&read(name)).unwrap())));
        let typed = Part::Text(question.text);
        let spoken =
            question.recording.as_ref().map(|name| Part::Audio(Sound::new(decode_wav(&read(name)).unwrap())));
        let ways = [
            ("typed", Some(typed.clone()), false),
            ("thinking", Some(typed), true),
            ("spoken", spoken, false),
        ];
        for (way, asked, think) in ways {
            let Some(asked) = asked else { continue };
            let right =
                answer(&model, picture.iter().cloned().chain([asked]).collect(), think) == question.answer;
            let apart = question.level == 1 && way == "typed";
            let kind = if apart { question.kind.clone() } else { "all".to_owned() };
            let (count, of) = found.entry((question.level, way, kind)).or_default();
            (*count, *of) = (*count + usize::from(right), *of + 1);
        }
    }
    let found: Vec<_> =
        found.into_iter().map(|((level, way, kind), (right, of))| (level, way, kind, right, of)).collect();
    assert_eq!(found.len(), FLOORS.len(), "{found:#?}");
    for (level, way, kind, right, of) in &found {
        let floor = FLOORS
            .iter()
            .find(|floor| (floor.0, floor.1, floor.2) == (*level, *way, kind.as_str()))
            .unwrap()
            .3;
        assert!(
            100 * right >= floor * of,
            "L{level} {way}, {kind}: {right} of {of}, expected {floor} %: {found:#?}"
        );
    }
}

#[test]
fn typed_and_spoken_questions_about_the_displays_of_the_program_are_answered() {
    let folder = folder("scenes");
    let displays = ["pressure.png", "thermometer.png", "glucose.png"].map(Path::new);
    let mut wrong = Vec::new();
    for question in questions(&folder) {
        let Some(picture) = question.picture.filter(|picture| displays.contains(&&**picture)) else {
            continue;
        };
        let picture = folder.join(picture);
        let recording = question.recording.map(|name| folder.join(name));
        let spoken = recording.iter().map(|path| vec!["--audio", path.to_str().unwrap()]);
        for asked in std::iter::once(vec![question.text.as_str()]).chain(spoken) {
            let answer = said(&[&["--image", picture.to_str().unwrap()], &asked[..]].concat());
            if answer != question.answer {
                wrong.push(format!("{asked:?}: {answer}, expected {}", question.answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_a_picture_it_greets_and_says_that_it_sees_none() {
    assert!(said(&["Hello"]).starts_with("Hello"));
    assert_eq!(said(&["What is the temperature?"]), "I don't see a picture.");
}

#[test]
fn it_can_be_measured_too() {
    let output = lorgnette(&[
        "bench",
        "--backend",
        "cpu",
        "--prompt",
        "8",
        "--generate",
        "2",
        "--repetitions",
        "1",
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["tests"].as_array().unwrap().iter().any(|row| row["test"] == "tg2"), "{report}");
}

#[test]
fn its_own_rules_say_when_it_thinks_first() {
    let auto = ["ask", "--backend", "cpu", "--max-tokens", "64", "--mode", "auto", "Hello"];
    let told = String::from_utf8(lorgnette(&auto).stderr).unwrap();
    assert!(["answered at once", "thinking first"].iter().any(|route| told.contains(route)), "{told}");
}
