//! Microphones that listen now: what they do when their device fails, and when they get another.

use std::time::Duration;

use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{Event, Format, Microphone};
use lorgnette_device::{ErrorKind, Timestamp};

use crate::LATE;
use crate::live::{STEREO_48K, chunk, event, nothing_for};
use crate::stage::Stage;

#[test]
fn a_lost_device_is_told_and_opened_again() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let before = chunk(&mut microphone);
    stage.state().format = Format { rate: 16_000, channels: 1 };
    stage.signals().lost(ErrorKind::Gone);
    let Event::Lost(error) = event(&mut microphone) else { panic!("it is not lost") };
    assert_eq!((error.kind(), error.device()), (ErrorKind::Gone, Some("48000 Hz")));
    assert_eq!(microphone.input(), None);
    let Event::Reopened(input) = event(&mut microphone) else { panic!("it is not opened") };
    assert_eq!((input.device.as_str(), input.format.rate), ("16000 Hz", 16_000));
    assert_eq!(microphone.input(), Some(&input));
    let after = chunk(&mut microphone);
    assert_eq!((after.sequence, after.overruns), (before.sequence + 1, 0));
    assert!(after.captured > before.captured);
    assert!(
        after.samples.iter().all(|&sample| sample == 0.25),
        "the new device's rate is taken into account"
    );
}

#[test]
fn a_device_that_stays_away_is_tried_less_and_less_often() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    stage.state().closed = Some(ErrorKind::Gone);
    stage.signals().lost(ErrorKind::Gone);
    assert!(matches!(event(&mut microphone), Event::Lost(_)));
    let lost = stage.now();
    nothing_for(Duration::from_secs(30), &mut microphone, &stage);
    let milliseconds = |at: &Timestamp| at.since(lost).as_millis();
    let attempts: Vec<_> = stage.state().attempts[1..].iter().map(milliseconds).collect();
    assert_eq!(attempts, [0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300, 21_300, 26_300]);

    stage.state().closed = None;
    assert!(matches!(microphone.next(LATE), Event::Reopened(_)));
    chunk(&mut microphone);
}

#[test]
fn a_device_that_falls_silent_is_lost_after_two_seconds() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let last = chunk(&mut microphone);
    stage.state().playing = false;
    let Event::Lost(error) = event(&mut microphone) else { panic!("it is not lost") };
    assert_eq!(error.kind(), ErrorKind::Gone);
    let silent = stage.now().since(last.captured);
    assert!(silent >= Duration::from_secs(2) && silent < Duration::from_millis(2200), "{silent:?}");
}

#[test]
fn a_device_that_opens_and_gives_nothing_is_waited_for_longer_and_tried_less_and_less_often() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    chunk(&mut microphone);
    stage.state().playing = false;
    stage.signals().lost(ErrorKind::Gone);
    let mut pauses = Vec::new();
    while pauses.len() < 5 {
        let Event::Lost(_) = event(&mut microphone) else { panic!("it is not lost") };
        let lost = stage.now();
        let Event::Reopened(_) = event(&mut microphone) else { panic!("it is not opened") };
        pauses.push(stage.now().since(lost).as_millis());
        nothing_for(Duration::from_millis(4900), &mut microphone, &stage);
    }
    assert_eq!(pauses, [0, 100, 200, 400, 800]);
    stage.state().playing = true;
    chunk(&mut microphone);
    stage.signals().lost(ErrorKind::Gone);
    assert!(matches!(event(&mut microphone), Event::Lost(_)));
    let lost = stage.now();
    assert!(matches!(event(&mut microphone), Event::Reopened(_)));
    assert_eq!(stage.now(), lost);
}

#[test]
fn overruns_of_the_device_are_counted_across_devices() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    stage.signals().overrun();
    stage.signals().overrun();
    while chunk(&mut microphone).overruns < 2 {}
    stage.signals().lost(ErrorKind::Io);
    assert!(matches!(event(&mut microphone), Event::Lost(error) if error.kind() == ErrorKind::Io));
    assert!(matches!(event(&mut microphone), Event::Reopened(_)));
    stage.signals().overrun();
    while chunk(&mut microphone).overruns < 3 {}
}

#[test]
fn a_stream_that_the_system_moved_goes_on() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let before = chunk(&mut microphone);
    stage.signals().rerouted();
    assert!(matches!(event(&mut microphone), Event::Rerouted));
    assert_eq!(chunk(&mut microphone).sequence, before.sequence + 1);
    assert_eq!(stage.state().attempts.len(), 1);
}

#[test]
fn no_chunk_spans_the_move_of_a_stream() {
    let stage = Stage::new(Format { rate: 16_000, channels: 1 });
    let mut microphone = stage.microphone();
    chunk(&mut microphone);
    // Half a chunk of the old device.
    nothing_for(Duration::from_millis(11), &mut microphone, &stage);
    stage.state().value = 0.75;
    stage.signals().rerouted();
    assert!(matches!(event(&mut microphone), Event::Rerouted));
    assert!(chunk(&mut microphone).samples.iter().all(|&sample| sample == 0.75));
}
