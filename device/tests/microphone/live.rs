//! Microphones that listen now: what is heard, and when.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{AudioChunk, CHUNK_TIME, Event, Format, LiveMicrophone, Microphone};
use lorgnette_device::{ErrorKind, Timestamp};

use crate::stage::Stage;
use crate::{LATE, suite};

pub(crate) const STEREO_48K: Format = Format { rate: 48_000, channels: 2 };

pub(crate) fn chunk(microphone: &mut LiveMicrophone<Stage>) -> AudioChunk {
    match microphone.next(LATE) {
        Event::Chunk(chunk) => chunk,
        other => panic!("found {other:?}, expected a chunk"),
    }
}

/// The next event that is not a chunk.
pub(crate) fn event(microphone: &mut LiveMicrophone<Stage>) -> Event {
    let not_chunk = |event: &Event| !matches!(event, Event::Chunk(_));
    (0..1000).map(|_| microphone.next(LATE)).find(not_chunk).unwrap()
}

/// Lets the microphone wait for so long, in which nothing happens.
pub(crate) fn nothing_for(time: Duration, microphone: &mut LiveMicrophone<Stage>, stage: &Stage) {
    let event = microphone.next(stage.now() + time);
    assert!(matches!(event, Event::Timeout), "found {event:?}");
}

#[test]
fn a_live_microphone_complies() {
    for format in [STEREO_48K, Format { rate: 16_000, channels: 1 }, Format { rate: 44_100, channels: 6 }] {
        let stage = Stage::new(format);
        let clock: Arc<dyn Clock> = Arc::new(stage.clone());
        suite::complies(&mut stage.microphone(), &clock);
    }
}

#[test]
fn muting_does_not_make_a_device_silent() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    microphone.mute().mute();
    assert!(matches!(microphone.next(LATE), Event::Muted));
    nothing_for(Duration::from_secs(60), &mut microphone, &stage);
}

#[test]
fn what_is_muted_needs_no_fetching_and_is_no_loss() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let mute = microphone.mute();
    mute.mute();
    stage.sleep_until(stage.now() + Duration::from_secs(10));
    mute.unmute();
    assert!(matches!(event(&mut microphone), Event::Muted));
    assert!(matches!(event(&mut microphone), Event::Unmuted));
    assert_eq!(chunk(&mut microphone).overruns, 0);
}

#[test]
fn a_muted_microphone_stays_muted_through_a_change_of_device() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let mute = microphone.mute();
    mute.mute();
    assert!(matches!(event(&mut microphone), Event::Muted));
    stage.signals().lost(ErrorKind::Gone);
    assert!(matches!(event(&mut microphone), Event::Lost(_)));
    assert!(matches!(event(&mut microphone), Event::Reopened(_)));
    assert!(mute.is_muted() && microphone.mute().is_muted());
    nothing_for(Duration::from_secs(1), &mut microphone, &stage);
    mute.unmute();
    assert!(matches!(event(&mut microphone), Event::Unmuted));
    chunk(&mut microphone);
}

#[test]
fn no_sample_from_before_unmuting_is_heard_though_its_block_comes_after() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    let mute = microphone.mute();
    mute.mute();
    assert!(matches!(event(&mut microphone), Event::Muted));
    stage.state().value = 1.0;
    // The block of this moment is half recorded, and loud.
    stage.sleep_until(stage.now() + Duration::from_millis(105));
    mute.unmute();
    assert!(matches!(event(&mut microphone), Event::Unmuted));
    let unmuted = stage.now();
    stage.sleep_until(stage.now() + Duration::from_millis(5));
    stage.state().value = 0.0;
    let first = chunk(&mut microphone);
    // Five milliseconds of that block were recorded after unmuting.
    let loud = first.samples.iter().filter(|sample| sample.abs() > 0.5).count();
    assert_eq!(first.captured, unmuted);
    assert!((78..=82).contains(&loud), "{loud} samples");
}

#[test]
fn sound_that_nobody_fetched_is_counted_and_chunks_do_not_span_the_gap() {
    let stage = Stage::new(STEREO_48K);
    let mut microphone = stage.microphone();
    assert_eq!(chunk(&mut microphone).overruns, 0);
    // The ring holds two seconds.
    stage.sleep_until(stage.now() + Duration::from_millis(2500));
    stage.state().value = 0.75;
    let mut chunks = Vec::new();
    while chunks.len() < 150 {
        chunks.push(chunk(&mut microphone));
    }
    let gap = chunks.iter().position(|chunk| chunk.overruns > 0).unwrap();
    assert!((98..=101).contains(&gap), "{gap}");
    assert!((49..=52).contains(&chunks[gap].overruns), "{} blocks of 10 ms", chunks[gap].overruns);
    assert!(chunks[gap].captured.since(chunks[gap - 1].captured) >= Duration::from_millis(490));
    for chunk in &chunks {
        let value = chunk.samples[160];
        assert!(chunk.samples[..].iter().all(|s| (s - value).abs() < 0.35), "a chunk spans the gap");
    }
    assert_eq!(chunks[149].sequence, 150);
}

#[test]
fn a_device_whose_clock_is_fast_is_followed_without_chunks_out_of_order() {
    // The device gives 1 % more samples than its format says, with stamps that jump about.
    let stage = Stage::new(Format { rate: 16_000, channels: 1 });
    stage.state().playing = false;
    let mut microphone = stage.microphone();
    let mut last: Option<AudioChunk> = None;
    for block in 0..6000u32 {
        let jitter = Duration::from_millis(u64::from(block * 7 % 10));
        let captured = Timestamp::from_start(CHUNK_TIME * block / 2) + jitter;
        stage.push(&[0.0; 162][..if block % 2 == 0 { 162 } else { 161 }], captured);
        while let Event::Chunk(chunk) = microphone.next(stage.now()) {
            if let Some(last) = &last {
                assert!(chunk.captured > last.captured);
            }
            let real = captured.since(chunk.captured);
            assert!(real < Duration::from_millis(40), "{block}: {real:?} behind");
            last = Some(chunk);
        }
    }
}

#[test]
fn chunks_stay_in_order_whatever_times_a_device_tells() {
    let stage = Stage::new(Format { rate: 16_000, channels: 1 });
    stage.state().playing = false;
    let mut microphone = stage.microphone();
    let mut last = None;
    for block in 0..2000u64 {
        // Blocks of a millisecond, the first of them told to be from far ahead.
        let captured =
            Timestamp::from_start(Duration::from_millis(block + if block < 100 { 5000 } else { 0 }));
        stage.push(&[0.0; 16], captured);
        if block == 1000 {
            // A new stretch begins.
            stage.signals().overrun();
        }
        while let Event::Chunk(chunk) = microphone.next(stage.now()) {
            assert!(Some(chunk.captured) > last, "{} comes after {last:?}", chunk.captured);
            last = Some(chunk.captured);
        }
    }
}
