//! The microphones of cpal against a sound card of the kernel: snd-aloop, which hears on one side what is played on the
//! other. For the guest of `tests/vm`, or after `modprobe snd-aloop`.

#![cfg(all(target_os = "linux", feature = "cpal"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/random.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod random;
#[path = "common/signal.rs"]
mod signal;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use alsa::pcm::{Access, Format as AlsaFormat, HwParams, PCM};
use alsa::{Direction, ValueOr};
use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_device::microphone::cpal::{CpalDriver, SampleType, devices};
use lorgnette_device::microphone::{Event, Format, Microphone};

const FORMAT: Format = Format { rate: 48_000, channels: 2 };

/// The number of the kernel's loopback card.
fn card() -> usize {
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap();
    let line = cards.lines().find(|line| line.contains("[Loopback")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Plays the known recording, and a second of silence.
fn play(card: usize) {
    let pcm = PCM::new(&format!("hw:{card},0,0"), Direction::Playback, false).unwrap();
    let params = HwParams::any(&pcm).unwrap();
    params.set_access(Access::RWInterleaved).unwrap();
    params.set_format(AlsaFormat::s16()).unwrap();
    params.set_channels(FORMAT.channels.into()).unwrap();
    params.set_rate(FORMAT.rate, ValueOr::Nearest).unwrap();
    // Half a second: an emulated machine comes late now and then.
    params.set_buffer_time_near(500_000, ValueOr::Nearest).unwrap();
    pcm.hw_params(&params).unwrap();
    let mut frames: Vec<i16> =
        signal::recording().iter().map(|&s| (s * 32_767.0) as i16).flat_map(|s| [s, s]).collect();
    frames.extend([0; 2 * signal::RATE]);
    let io = pcm.io_i16().unwrap();
    let mut rest = &frames[..];
    while !rest.is_empty() {
        let written = io.writei(rest).unwrap();
        rest = &rest[written * usize::from(FORMAT.channels)..];
    }
    pcm.drain().unwrap();
}

#[test]
#[ignore = "needs the loopback card of the kernel"]
fn what_the_kernel_plays_is_heard_whole() {
    let card = card();
    let id = format!("alsa:hw:CARD={card},DEV=1");
    let listed = devices().unwrap().into_iter().any(|device| device.id == id && device.formats.is_ok());
    assert!(listed, "{id} is not listed");

    let driver = CpalDriver::new(Arc::new(MonotonicClock)).device(id).format(FORMAT, SampleType::I16);
    let mut microphone = driver.block(Duration::from_millis(100)).microphone().unwrap();
    let player = thread::spawn(move || play(card));
    let mut heard: Vec<f32> = Vec::new();
    while !player.is_finished() {
        match microphone.next(MonotonicClock.now() + Duration::from_secs(30)) {
            Event::Chunk(chunk) => heard.extend(*chunk.samples),
            other => assert!(matches!(other, Event::Lost(_) | Event::Reopened(_)), "{other:?}"),
        }
    }
    player.join().unwrap();
    let worst = signal::worst_correlation(&heard);
    assert!(worst > 0.95, "correlation {worst}");
}
