//! The microphones of cpal against a PulseAudio of their own, which plays known sound into a microphone that is not
//! there: cpal, alsa-lib, its plugin and the server are the real ones.
//!
//! Needs the programs and the plugin that `make test-packages` installs; without them the tests say so and pass.

#![cfg(all(target_os = "linux", feature = "cpal"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/random.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod random;
mod server;
#[path = "../common/signal.rs"]
mod signal;
#[path = "../microphone/suite.rs"]
mod suite;

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_device::microphone::cpal::{CpalDriver, SampleType, devices};
use lorgnette_device::microphone::{AudioChunk, Event, Format, LiveMicrophone, Microphone};

use server::{Server, with_server};

/// Longer than anything here takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a recording is played until it arrives whole.
const PLAYS: usize = 6;

fn driver() -> CpalDriver {
    CpalDriver::new(Arc::new(MonotonicClock))
}

/// What comes first of what is `wanted`, past everything else: a busy server may be slow enough to be taken for dead.
fn until<T>(microphone: &mut LiveMicrophone<CpalDriver>, wanted: impl Fn(Event) -> Option<T>) -> T {
    let deadline = MonotonicClock.now() + PATIENCE;
    while MonotonicClock.now() < deadline {
        if let Some(found) = wanted(microphone.next(deadline)) {
            return found;
        }
    }
    panic!("it does not come")
}

fn chunk(microphone: &mut LiveMicrophone<CpalDriver>) -> AudioChunk {
    until(microphone, |event| if let Event::Chunk(chunk) = event { Some(chunk) } else { None })
}

/// Plays the known recording, and holds every tenth of a second of what arrives to it. On a busy machine the server
/// may leave gaps of its own, so it is played again until it has arrived whole once.
fn hears_it_whole(server: &Server, format: Format, samples: SampleType) {
    // Blocks so long that few are lost on a machine that runs other tests as well.
    let driver = driver().format(format, samples).block(Duration::from_millis(100));
    let mut microphone = driver.microphone().unwrap();
    let mut correlations = Vec::new();
    while correlations.len() < PLAYS {
        correlations.push(play_and_hear(server, &mut microphone));
        if correlations.last().is_some_and(|&worst| worst > 0.95) {
            return;
        }
    }
    panic!("correlations {correlations:?}");
}

/// The lowest correlation of a tenth of a second of the recording with what was heard of it.
fn play_and_hear(server: &Server, microphone: &mut LiveMicrophone<CpalDriver>) -> f64 {
    chunk(microphone);
    let mut playing = server.play(&signal::recording());
    let mut heard: Vec<f32> = Vec::new();
    let mut left = 50;
    while left > 0 {
        heard.extend(*chunk(microphone).samples);
        // The player is done a little before the last of its sound is heard.
        left -= u32::from(playing.is_over());
    }
    signal::worst_correlation(&heard)
}

#[test]
fn floats_in_stereo_at_48_khz_arrive_whole() {
    with_server("floats_in_stereo_at_48_khz_arrive_whole", |server| {
        hears_it_whole(server, Format { rate: 48_000, channels: 2 }, SampleType::F32);
    });
}

#[test]
fn integers_in_mono_at_16_khz_arrive_whole() {
    with_server("integers_in_mono_at_16_khz_arrive_whole", |server| {
        hears_it_whole(server, Format { rate: 16_000, channels: 1 }, SampleType::I16);
    });
}

#[test]
fn it_complies() {
    with_server("it_complies", |_| {
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
        let mut microphone = driver().microphone().unwrap();
        chunk(&mut microphone);
        suite::complies(&mut microphone, &clock);
    });
}

#[test]
fn the_default_microphone_is_listed_with_its_formats_and_can_be_chosen() {
    with_server("the_default_microphone_is_listed_with_its_formats_and_can_be_chosen", |_| {
        let devices = devices().unwrap();
        let default = devices.iter().find(|device| device.is_default).unwrap();
        let formats = default.formats.as_ref().unwrap();
        let stereo = formats.iter().find(|it| it.channels == 2 && it.samples == SampleType::I16).unwrap();
        assert!(stereo.rates.contains(&16_000) && stereo.rates.contains(&48_000));

        let mut chosen = driver().device("private").microphone().unwrap();
        assert_eq!(chosen.input().unwrap().device, "private");
        chunk(&mut chosen);
        let missing = driver().device("no such microphone").microphone().err().unwrap();
        assert_eq!(missing.kind(), lorgnette_device::ErrorKind::NotFound);
        assert_eq!(missing.device(), Some("no such microphone"));
    });
}

#[test]
fn a_server_that_dies_is_told_and_listened_to_again_and_a_mute_survives_it() {
    with_server("a_server_that_dies_is_told_and_listened_to_again_and_a_mute_survives_it", |server| {
        let mut microphone = driver().microphone().unwrap();
        let before = chunk(&mut microphone);
        server.kill();
        until(&mut microphone, |event| matches!(event, Event::Lost(_)).then_some(()));
        assert_eq!(microphone.input(), None);
        microphone.mute().mute();
        until(&mut microphone, |event| matches!(event, Event::Muted).then_some(()));
        server.start();
        until(&mut microphone, |event| matches!(event, Event::Reopened(_)).then_some(()));
        let deadline = MonotonicClock.now() + Duration::from_millis(500);
        while MonotonicClock.now() < deadline {
            assert!(!matches!(microphone.next(deadline), Event::Chunk(_)), "the new server is muted as well");
        }
        microphone.mute().unmute();
        until(&mut microphone, |event| matches!(event, Event::Unmuted).then_some(()));
        let after = chunk(&mut microphone);
        assert!(after.sequence > before.sequence && after.captured > before.captured);
    });
}

#[test]
fn a_source_that_goes_away_is_no_end_of_sound() {
    with_server("a_source_that_goes_away_is_no_end_of_sound", |server| {
        let mut microphone = driver().microphone().unwrap();
        chunk(&mut microphone);
        server.control(&["unload-module", "module-remap-source"]);
        // The server moves the stream to another source, or ends it and it is opened again there.
        (0..100).for_each(|_| drop(chunk(&mut microphone)));
    });
}
