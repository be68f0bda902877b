//! What can break: the loop goes on, or ends, and says so.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::{ManualClock, MonotonicClock};
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, Finish, LanguageModel};
use lorgnette_runtime::live::{
    Action, Cancel, Done, EVENTS, Engine, Event, Job, Presence, Report, Worker, replay, talk, write_perfetto,
};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::model::chat_template::{Part, Role};
use tokio::sync::mpsc;

use crate::common::mmproj::{parts, write};
use crate::common::models::converted;
use crate::machine::answered;
use crate::script::{Script, answers, at, engine, names, session, traces};

const TURN: [&str; 5] = ["Listening", "Heard", "Piece", "Answered", "Turn"];

#[test]
fn sound_that_stutters_is_answered_all_the_same_and_said() {
    let mut script = Script::default().speech(900).silence(400);
    let mut lost = 0;
    script.events.retain_mut(|(time, event)| {
        let Event::Sound(chunk) = event else { return true };
        chunk.overruns = lost;
        // Every third chunk of the question, and then two at once.
        let is_lost = time.since_start().as_millis() % 60 == 0 && *time < at(800);
        lost += u64::from(is_lost);
        !is_lost
    });
    let (reports, engine) = script.play();
    let told = reports.iter().filter(|report| matches!(report, Report::SoundLost)).count() as u64;
    assert!(lost > 5 && told == lost, "{told} of {lost}");
    assert_eq!(names(&reports).last().map(String::as_str), Some("Turn"));
    assert_eq!((answers(&reports).len(), engine.history().len()), (1, 2));
}

#[test]
fn a_clock_that_jumps_changes_no_answer() {
    let script = || Script::default().view(9).speech(700).silence(400).view(9).speech(700).silence(400);
    let (straight, _) = script().play();
    let hour = Duration::from_secs(3_600);
    let mut jumping = script();
    for (number, (time, _)) in jumping.events.iter_mut().enumerate() {
        // Within a question, so that what the wearer sees is not old.
        match number {
            20..30 => *time = *time + hour,
            70..80 => *time = Timestamp::default(),
            _ => {}
        }
    }
    let (reports, _) = jumping.play();
    assert_eq!((answers(&straight).len(), answers(&reports)), (2, answers(&straight)));
    let traces: Vec<_> = traces(&reports).into_iter().cloned().collect();
    let mut out = Vec::new();
    write_perfetto(&traces, &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let longest =
        document["traceEvents"].as_array().unwrap().iter().filter_map(|event| event["dur"].as_u64());
    assert!(longest.max().unwrap() <= hour.as_micros() as u64 * 2, "time does not run backwards in a trace");
}

#[test]
fn a_picture_from_before_a_jump_is_not_what_the_wearer_sees() {
    let mut script = Script::default().view(9).speech(500).silence(300);
    script.events.iter_mut().skip(1).for_each(|(time, _)| *time = *time + Duration::from_secs(3_600));
    let (_, engine) = script.play();
    assert!(matches!(engine.history()[0].content[..], [Part::Audio(_)]));
}

#[test]
fn frames_that_stop_leave_a_talk_without_pictures() {
    let script = Script::default().view(9).speech(500).silence(900).speech(500).silence(900);
    let (reports, engine) = script.then(Event::Camera(Presence::Lost)).speech(500).silence(300).play();
    let has_picture = |message: usize| matches!(engine.history()[message].content[0], Part::Image(_));
    assert_eq!([0, 2, 4].map(has_picture), [true, false, false]);
    assert_eq!(answers(&reports).len(), 3);
}

#[test]
fn a_model_that_yields_only_end_of_text_has_answered() {
    let (reports, _) = Script::default().then(Event::Text("what is it?".to_owned())).play();
    let Some(Report::Answered(answered)) =
        reports.iter().find(|report| matches!(report, Report::Answered(_)))
    else {
        panic!("{reports:?}")
    };
    let (mut metadata, tensors) = parts(&converted("SmolVLM2-tiny-Video-Instruct"));
    metadata.set("tokenizer.ggml.eos_token_id", answered.answer.tokens[0]);
    let model = Arc::new(LanguageModel::load(Cpu, &write(&(metadata, tensors))).unwrap());
    for mode in [Mode::Instant, Mode::Thinking { budget: 8 }] {
        let options = AnswerOptions { max_tokens: 6, ..AnswerOptions::default() };
        let clock = Arc::new(ManualClock::default());
        let mut engine = Engine::new(Arc::clone(&model), 500, Vec::new(), options, clock).unwrap();
        let mut session = session(engine.cancel());
        session.set_mode(mode);
        let questions = ["what is it?", "and now?"].map(|text| (at(0), Event::Text(text.to_owned())));
        let mut finishes = Vec::new();
        replay(&mut session, &mut engine, questions, &mut |_, report| {
            if let Report::Answered(answered) = report {
                finishes.push((answered.answer.finish, answered.answer.text.is_empty()));
            }
        });
        assert_eq!(finishes.len(), 2, "{mode:?}");
        if mode == Mode::Instant {
            assert_eq!(finishes[0], (Finish::End, true));
        }
    }
}

#[test]
fn a_full_context_forgets_the_oldest_turns_for_good() {
    let script = (0..60).fold(Script::default().view(9), |script, _| script.speech(500).silence(300));
    let (reports, engine) = script.play();
    assert_eq!(answers(&reports).len(), 60);
    assert!(engine.history().len() < 60, "{} messages are kept", engine.history().len());
    assert_eq!(engine.history()[0].role, Role::User);
    let forgotten =
        |report: &Report| matches!(report, Report::Answered(it) if it.answer.forgotten_messages > 0);
    assert!(reports.iter().filter(|report| forgotten(report)).count() >= 2);
    assert!(!reports.iter().any(|report| matches!(report, Report::Failed(_))), "{reports:?}");
}

/// An engine, in which every job of a kind breaks down once.
pub(crate) struct Fragile {
    engine: Engine<Cpu>,
    breaks: fn(&Job) -> bool,
    broke: usize,
    most: usize,
}

impl Fragile {
    pub(crate) fn new(engine: Engine<Cpu>, breaks: fn(&Job) -> bool, most: usize) -> Self {
        Self { engine, breaks, broke: 0, most }
    }
}

impl Worker for Fragile {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        if self.broke < self.most && (self.breaks)(&job) {
            self.broke += 1;
            panic!("a kernel that is wrong");
        }
        self.engine.run(job, on);
    }
}

#[test]
fn a_panic_in_the_engine_is_told_and_the_talk_goes_on() {
    let breaks: [fn(&Job) -> bool; 3] = [
        |job| matches!(job, Job::Begin(_)),
        |job| matches!(job, Job::Hear(_)),
        |job| matches!(job, Job::Answer(..)),
    ];
    for breaks in breaks {
        let engine = engine();
        let mut session = session(engine.cancel());
        let mut engine = Fragile::new(engine, breaks, 1);
        let script = Script::default().view(9).speech(700).silence(400).view(9).speech(700).silence(400);
        let mut reports = Vec::new();
        replay(&mut session, &mut engine, script.events, &mut |_, report| reports.push(report));
        let told: Vec<_> = reports
            .iter()
            .filter_map(|report| if let Report::Failed(error) = report { Some(error) } else { None })
            .collect();
        assert_eq!(told.len(), 1, "{reports:?}");
        assert_eq!(told[0].kind(), ErrorKind::Broken);
        assert!(told[0].to_string().contains("a kernel that is wrong"));
        assert_eq!(traces(&reports).len(), 2);
        assert!(names(&reports).ends_with(&TURN.map(str::to_owned)), "{:?}", names(&reports));
    }
}

#[test]
fn a_panic_on_the_thread_of_the_engine_does_not_hang_the_talk() {
    let engine = engine();
    let session = session(engine.cancel());
    let engine = Fragile::new(engine, |job| matches!(job, Job::Answer(..)), usize::MAX);
    let (sender, events) = mpsc::channel(EVENTS);
    let script = Script::default().speech(500).silence(400).then(Event::Finish);
    let senses = sender.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reports = runtime.block_on(async {
        let mut reports = Vec::new();
        let mut on = |report| reports.push(report);
        let send = async move {
            for (_, event) in script.events {
                senses.send(event).await.unwrap();
            }
        };
        let talk = talk(session, engine, Arc::new(MonotonicClock), sender, events, &mut on);
        let (talked, ()) = tokio::join!(talk, send);
        talked.unwrap();
        reports
    });
    assert_eq!(names(&reports), ["Listening", "Heard", "Failed", "Turn", "Ended"]);
}

#[test]
fn who_wants_no_more_of_the_last_answer_ends_the_talk() {
    let mut session = session(Cancel::default());
    let script = Script::default().then(Event::Text("what is it?".to_owned()));
    let script = script.then(Event::Finish).then(Event::Cancel);
    let mut told = Vec::new();
    for (time, event) in script.events {
        told.extend(session.on(event, time));
    }
    let ends = told.iter().filter(|action| format!("{action:?}") == "Tell(Ended)").count();
    assert_eq!(ends, 1, "{told:?}");
}

#[test]
fn questions_in_a_hurry_all_have_an_end_though_the_engine_is_behind() {
    let mut session = session(Cancel::default());
    let text = || Event::Text("what is it?".to_owned());
    let done = |id| Event::Engine(Done::Answered(id, answered(Some(Mode::Instant))));
    let mut told = Vec::new();
    for event in [text(), text(), text(), done(1), done(2), done(3)] {
        told.extend(session.on(event, at(0)).into_iter().filter_map(|action| match action {
            Action::Tell(report) => Some(report),
            Action::Do(_) => None,
        }));
    }
    assert_eq!(traces(&told).iter().map(|trace| trace.turn).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(answers(&told).len(), 3);
}
