//! Microphones without hardware: recordings, and devices that follow a script.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod hostile;
mod live;
mod losses;
#[path = "../common/random.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod random;
mod recorded;
mod resampling;
mod stage;
mod suite;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::ManualClock;
use lorgnette_device::microphone::{AudioChunk, Event, Format, Microphone, Player, Recording};

const MONO_16K: Format = Format { rate: 16_000, channels: 1 };

/// A microphone that hears `samples` as fast as it can, and its clock.
fn hearing(format: Format, samples: Vec<f32>) -> (Player, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let recording = Recording::samples(format, samples).unwrap();
    (Player::new(recording, clock.clone()).unwrap(), clock)
}

/// Longer than any test waits.
const LATE: Timestamp = Timestamp::from_start(Duration::from_secs(1 << 40));

/// All chunks up to the end.
fn chunks(microphone: &mut dyn Microphone) -> Vec<AudioChunk> {
    let mut chunks = Vec::new();
    loop {
        match microphone.next(LATE) {
            Event::Chunk(chunk) => chunks.push(chunk),
            Event::End => return chunks,
            other => panic!("found {other:?}, expected a chunk or the end"),
        }
    }
}

/// The samples of chunks, one after the other.
fn joined(chunks: &[AudioChunk]) -> Vec<f32> {
    chunks.iter().flat_map(|chunk| *chunk.samples).collect()
}

/// `seconds` of a sine at `hz`, half of full scale.
fn sine(hz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let sample = |i: u64| (0.5 * (std::f64::consts::TAU * hz * i as f64 / f64::from(rate)).sin()) as f32;
    (0..(seconds * f64::from(rate)) as u64).map(sample).collect()
}

/// A WAV file of 16-bit samples.
fn write_wav(path: &Path, format: Format, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: format.channels,
        sample_rate: format.rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for &sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}
