//! Turns: how they begin, go on, are answered and broken off.

use std::sync::Arc;

use lorgnette_device::clock::MonotonicClock;
use lorgnette_runtime::conversation::{AnswerOptions, Finish};
use lorgnette_runtime::live::{Button, EVENTS, Engine, Event, Presence, Report, Stage, talk, write_perfetto};
use lorgnette_runtime::model::chat_template::{Part, Role};
use tokio::sync::mpsc;

use crate::script::{BLOCK, Script, answers, at, model, names, session, traces};

#[test]
fn a_spoken_question_about_a_view_is_answered() {
    let (reports, engine) = Script::default().view(9).silence(100).speech(700).silence(400).play();
    assert_eq!(names(&reports), ["Listening", "Heard", "Piece", "Answered", "Turn"]);
    let [question, answer] = engine.history() else { panic!("{:?}", engine.history()) };
    assert!(matches!(question.content[..], [Part::Image(_), Part::Audio(_)]));
    assert_eq!((question.role, answer.role), (Role::User, Role::Assistant));
    assert_eq!(answer.content, [Part::Text(answers(&reports).concat())]);
}

#[test]
fn the_same_events_give_the_same_reports() {
    let script = || {
        let first = Script::default().view(9).speech(500).silence(180).speech(300).silence(600);
        first.view(200).speech(900).silence(300).then(Event::Text("and this?".to_owned()))
    };
    let (first, second) = (script().play().0, script().play().0);
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    assert_eq!(answers(&first).len(), 3);
}

#[test]
fn after_the_question_at_most_one_block_and_the_suffix_are_computed() {
    let mut suffixes = Vec::new();
    for milliseconds in [400, 1_200, 2_400] {
        let (reports, _) = Script::default().view(9).speech(milliseconds).silence(400).play();
        let trace = traces(&reports)[0];
        let Some(Report::Answered(answered)) =
            reports.iter().find(|report| matches!(report, Report::Answered(_)))
        else {
            panic!("{reports:?}")
        };
        let answer = &answered.answer;
        assert_eq!((answer.vision_passes, answer.audio_passes), (0, 0));
        let blocks = trace.spans.iter().filter(|span| span.stage == Stage::Hear).map(|span| span.count);
        assert!(answer.prefilled_audio_tokens <= model().audio().unwrap().tokens(BLOCK as usize * 160));
        let samples = trace.count(Stage::Voice, at(0));
        assert_eq!(blocks.sum::<usize>(), (samples / 160).div_ceil(BLOCK as usize));
        suffixes.push(answer.prefilled_tokens - answer.prefilled_audio_tokens);
    }
    assert!(suffixes.iter().all(|suffix| *suffix == suffixes[0]), "{suffixes:?}");
}

#[test]
fn a_second_question_on_an_unchanged_view_runs_no_vision_pass() {
    let (reports, _) = Script::default()
        .view(9)
        .speech(500)
        .silence(300)
        .view(9)
        .speech(500)
        .silence(300)
        .view(200)
        .speech(500)
        .silence(300)
        .play();
    let passes: Vec<_> = traces(&reports).iter().map(|trace| trace.count(Stage::See, at(0))).collect();
    assert_eq!(passes, [1, 0, 1]);
}

#[test]
fn an_answer_that_came_too_early_is_dropped() {
    let (reports, engine) = Script::default().speech(500).silence(180).speech(500).silence(400).play();
    assert_eq!(names(&reports), ["Listening", "Heard", "Piece", "Answered", "Turn"]);
    let (alone, _) = Script::default().speech(500).silence(400).play();
    assert_eq!((answers(&reports).len(), answers(&alone).len()), (1, 1));
    assert_eq!(engine.history().len(), 2);
}

#[test]
fn a_button_is_held_while_speaking() {
    let script = Script::default().then(Event::Button(Button::Down)).silence(300);
    let (reports, engine) = script.then(Event::Button(Button::Up)).play();
    assert_eq!(names(&reports), ["Listening", "Heard", "Piece", "Answered", "Turn"]);
    assert_eq!(engine.history().len(), 2);
}

#[test]
fn mute_drops_the_turn_and_hears_nothing() {
    let script = Script::default().speech(500).then(Event::Mute(true)).speech(500).silence(300);
    let (reports, engine) = script.then(Event::Mute(false)).silence(300).play();
    assert_eq!(names(&reports), ["Listening", "Dropped", "Turn"]);
    assert!(engine.history().is_empty());
}

#[test]
fn what_was_said_before_the_microphone_was_lost_is_answered() {
    let script = Script::default().speech(500).then(Event::Microphone(Presence::Lost));
    let (reports, _) = script.then(Event::Microphone(Presence::Back)).speech(400).silence(300).play();
    let expected = ["Listening", "Heard", "Microphone", "Piece", "Answered", "Turn"];
    assert_eq!(names(&reports)[..6], expected);
    assert_eq!(answers(&reports).len(), 2);
}

#[test]
fn without_a_camera_nothing_old_is_shown() {
    let script = Script::default().view(9).then(Event::Camera(Presence::Lost)).speech(500).silence(300);
    let (_, engine) = script.play();
    assert!(matches!(engine.history()[0].content[..], [Part::Audio(_)]));
    let (_, engine) = Script::default().view(9).silence(2_000).speech(500).silence(300).play();
    assert!(
        matches!(engine.history()[0].content[..], [Part::Audio(_)]),
        "a frame of two seconds ago is no view"
    );
}

#[test]
fn many_turns_do_not_fill_the_conversation() {
    let script = (0..30).fold(Script::default().view(9), |script, _| script.speech(500).silence(300));
    let (reports, _) = script.play();
    assert_eq!(answers(&reports).len(), 30);
    assert!(!reports.iter().any(|report| matches!(report, Report::Failed(_))), "{reports:?}");
}

#[test]
fn a_trace_is_read_by_perfetto_and_says_nothing_of_what_was_said() {
    let (reports, _) = Script::default().view(9).speech(700).silence(400).play();
    let traces: Vec<_> = traces(&reports).into_iter().cloned().collect();
    let mut out = Vec::new();
    write_perfetto(&traces, &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let events = document["traceEvents"].as_array().unwrap();
    for name in
        ["capture", "gate", "voice", "see", "hear", "prefill", "decode", "question_end", "first_piece"]
    {
        assert!(events.iter().any(|event| event["name"] == name), "{name} is missing");
    }
    let text = answers(&reports).concat();
    assert!(text.is_empty() || !String::from_utf8(out).unwrap().contains(&text));
}

/// Talks in real time until `script` has been sent, each event when the one before is through or at once.
fn talk_through(script: Script, options: AnswerOptions, until: impl Fn(&Report) -> bool) -> Vec<Report> {
    let engine = Engine::new(model(), 500, Vec::new(), options, Arc::new(MonotonicClock)).unwrap();
    let session = session(engine.cancel());
    let (sender, events) = mpsc::channel(EVENTS);
    let (senses, seen) = (sender.clone(), Arc::new(tokio::sync::Semaphore::new(0)));
    let allowed = Arc::clone(&seen);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut reports = Vec::new();
        let mut on = |report: Report| {
            if until(&report) {
                seen.add_permits(1);
            }
            reports.push(report);
        };
        let send = async move {
            for (_, event) in script.events {
                if matches!(event, Event::Cancel | Event::Shutdown) {
                    allowed.acquire().await.unwrap().forget();
                }
                senses.send(event).await.unwrap();
            }
        };
        let talk = talk(session, engine, Arc::new(MonotonicClock), sender, events, &mut on);
        let (talked, ()) = tokio::join!(talk, send);
        talked.unwrap();
        reports
    })
}

#[test]
fn a_talk_in_real_time_ends_when_all_is_answered() {
    let script = Script::default().view(9).speech(700).silence(200).then(Event::Finish);
    let options = AnswerOptions { max_tokens: 6, ..AnswerOptions::default() };
    let reports = talk_through(script, options, |report| matches!(report, Report::Turn(_)));
    assert_eq!(names(&reports), ["Listening", "Heard", "Piece", "Answered", "Turn", "Ended"]);
}

#[test]
fn an_answer_is_broken_off_and_what_was_said_is_said() {
    let script = Script::default().speech(500).silence(400).then(Event::Cancel).then(Event::Shutdown);
    let options = AnswerOptions { max_tokens: 400, ..AnswerOptions::default() };
    let reports =
        talk_through(script, options, |report| matches!(report, Report::Piece(_) | Report::Turn(_)));
    let Some(Report::Answered(answered)) =
        reports.iter().find(|report| matches!(report, Report::Answered(_)))
    else {
        panic!("{reports:?}")
    };
    assert_eq!(answered.answer.finish, Finish::Cancelled);
    assert!(answered.answer.answer_tokens() < 400);
    assert_eq!(names(&reports).last().map(String::as_str), Some("Ended"));
}
