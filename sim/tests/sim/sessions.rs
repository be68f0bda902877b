//! What is recorded is played again, to the bit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Frame, Layout, PixelFormat};
use lorgnette_device::clock::ManualClock;
use lorgnette_device::microphone::{AudioChunk, CHUNK_LEN};
use lorgnette_runtime::conversation::AnswerOptions;
use lorgnette_runtime::live::{Earshot, Engine, Event, Listening, ListeningOptions, Report, Session, replay};
use lorgnette_runtime::mode::Mode;
use lorgnette_sim::ErrorKind;
use lorgnette_sim::glasses::Light;
use lorgnette_sim::record::{self, Recorder, list};
use lorgnette_sim::source::Scenes;

use crate::client::Served;
use crate::model::model;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_start(Duration::from_millis(ms))
}

/// A shelf, and a question about it.
fn events() -> Vec<(Timestamp, Event)> {
    let scenes = Scenes::bundled().unwrap();
    let spoken = scenes.spoken("shelf").unwrap();
    let mut events = Vec::new();
    for (i, samples) in spoken.samples.chunks(CHUNK_LEN).chain([&[0.0; CHUNK_LEN][..]; 40]).enumerate() {
        let i = i as u64;
        if i.is_multiple_of(5) {
            let mut frame = Frame::default();
            let jpeg = scenes.scene("shelf").unwrap().shot.jpeg().to_vec();
            let layout = Layout::packed(PixelFormat::Mjpg, 1, 1).unwrap();
            frame.fill(layout, at(20 * i), i / 5, &jpeg).unwrap();
            frame.set_dropped(u64::from(i == 10));
            events.push((at(20 * i), Event::Frame(frame)));
        }
        let mut chunk = Box::new([0.0; CHUNK_LEN]);
        chunk[..samples.len()].copy_from_slice(samples);
        let chunk = AudioChunk { samples: chunk, captured: at(20 * i), sequence: i, overruns: 0 };
        events.push((at(20 * i + 20), Event::Sound(chunk)));
    }
    events.push((at(5_000), Event::Mode(Mode::Thinking { budget: 3 })));
    events.push((at(5_000), Event::Text("and this?".to_owned())));
    events
}

/// What comes of events.
fn reports(events: Vec<(Timestamp, Event)>) -> Vec<String> {
    let options = AnswerOptions { max_tokens: 5, ..AnswerOptions::default() };
    let mut engine =
        Engine::new(model(), 512, Vec::new(), options, Arc::new(ManualClock::default())).unwrap();
    let listening = Listening::new(ListeningOptions::default(), Box::new(Earshot::default()));
    let mut session = Session::new(listening, Mode::Instant, engine.cancel());
    let mut reports = Vec::new();
    replay(&mut session, &mut engine, events, &mut |now, report: Report| {
        reports.push(format!("{now} {report:?}"));
    });
    reports
}

fn record(folder: &Path) -> record::About {
    let mut recorder = Recorder::begin(folder, at(0)).unwrap();
    for (now, event) in events() {
        recorder.event(&event, now).unwrap();
    }
    recorder.finish(at(5_000)).unwrap()
}

#[test]
fn a_session_played_again_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    assert_eq!(record(&path).name, "first");
    let session = record::Session::open(&path).unwrap();
    let again = session.events().unwrap();
    assert_eq!(format!("{again:?}"), format!("{:?}", events()), "to the bit");
    let (first, second) = (reports(events()), reports(again));
    assert_eq!(first, second);
    assert!(first.iter().filter(|report| report.contains("Answered")).count() >= 2, "{first:?}");
    assert_eq!(std::fs::read_dir(path.join("frames")).unwrap().count(), 1, "the same picture is kept once");
}

#[test]
fn glasses_look_at_a_session_and_listen_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    record(&path);
    let sound = record::Session::open(&path).unwrap().into_sound();
    let heard: Vec<f32> = events()
        .iter()
        .filter_map(
            |(_, event)| if let Event::Sound(chunk) = event { Some(chunk.samples.to_vec()) } else { None },
        )
        .flatten()
        .collect();
    assert!(sound == heard);
    let mut light = record::Session::open(&path).unwrap().into_light();
    assert!(light.frame(at(100_000), 0).is_some());
    assert!(light.frame(at(101_000), 1).is_some());
    assert!(light.frame(at(200_000), 2).is_none(), "it is over");
}

#[test]
fn a_session_that_is_damaged_or_there_already_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    record(&path);
    assert_eq!(Recorder::begin(&path, at(0)).err().unwrap().kind(), ErrorKind::Io);
    let lines = std::fs::read_to_string(path.join("events.jsonl")).unwrap();
    let first = lines.lines().next().unwrap();
    for damaged in [
        "no json".to_owned(),
        format!("{}\n{first}", first.replace("\"file\":0", "\"file\":9")),
        format!("{}\n{first}", first.replace("\"t\":0", "\"t\":9")),
    ] {
        std::fs::write(path.join("events.jsonl"), damaged).unwrap();
        let error = record::Session::open(&path).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::NotFound), "{error}");
    }
    assert_eq!(
        record::Session::open(&folder.path().join("second")).err().unwrap().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_simulator_records_with_the_light_on() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    let served = Served::start("127.0.0.1:0", &sessions).await;
    served.input("[{\"show\":\"shelf\"},{\"camera\":false}]").await;
    assert_eq!(served.get("/api/state").await.json()["light"], false);
    served.input("{\"record\":true}").await;
    assert_eq!(served.get("/api/state").await.json()["light"], true);
    assert!(list(&sessions).is_empty(), "what is not over has no name yet");
    served.input("[{\"camera\":true},{\"type\":\"What is this?\"}]").await;
    served.await_event(|event| event["event"] == "timeline").await;
    served.input("{\"record\":false}").await;
    let recordings = served.get("/api/recordings").await.json();
    assert_eq!(recordings[0]["turns"], 1, "{recordings}");
    let session = record::Session::open(&sessions.join(recordings[0]["name"].as_str().unwrap())).unwrap();
    assert!(session.happened().any(|happened| happened["text"] == "Nordic Seeds, 39 g"));
    let told = session.events().unwrap();
    assert!(told.iter().any(|(_, event)| matches!(event, Event::Text(text) if text == "What is this?")));
}
