//! Recordings as microphones.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::{Clock, ManualClock, MonotonicClock};
use lorgnette_device::microphone::{
    CHUNK_LEN, CHUNK_TIME, Event, Format, Microphone, Player, RawFormat, Recording,
};

use crate::{MONO_16K, chunks, hearing, joined, sine, suite, write_wav};

/// A ramp through all 16-bit values, in steps.
fn ramp(len: usize) -> Vec<i16> {
    (0..len).map(|i| (i as u16).wrapping_mul(7) as i16).collect()
}

fn floats(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|&sample| f32::from(sample) / 32768.0).collect()
}

#[test]
fn wav_raw_and_memory_comply() {
    let samples = ramp(3 * 48_000 * 2);
    let format = Format { rate: 48_000, channels: 2 };
    let folder = tempfile::tempdir().unwrap();
    let (wav, raw) = (folder.path().join("sound.wav"), folder.path().join("sound.raw"));
    write_wav(&wav, format, &samples);
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::fs::write(&raw, bytes).unwrap();
    let recordings = [
        Recording::wav(&wav).unwrap(),
        Recording::raw(&raw, RawFormat::I16(format)).unwrap(),
        Recording::samples(format, floats(&samples)).unwrap(),
    ];
    for recording in recordings {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        suite::complies(&mut Player::new(recording, clock.clone()).unwrap(), &clock);
    }
}

#[test]
fn in_real_time_it_complies_too() {
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
    // Far more than the suite takes, because a busy machine may take longer.
    let recording = Recording::samples(MONO_16K, sine(440.0, 16_000, 60.0)).unwrap();
    suite::complies(&mut Player::new(recording, clock.clone()).unwrap(), &clock);
}

#[test]
fn real_time_and_no_time_give_the_same_chunks() {
    let format = Format { rate: 44_100, channels: 1 };
    let played = |clock: Arc<dyn Clock>| {
        let start = clock.now();
        let recording = Recording::samples(format, sine(440.0, 44_100, 0.3)).unwrap();
        let chunks = chunks(&mut Player::new(recording, clock).unwrap());
        let first = chunks[0].captured;
        assert!(first >= start);
        chunks.into_iter().map(|it| (it.captured.since(first), it.sequence, it.samples)).collect::<Vec<_>>()
    };
    let fast = played(Arc::new(ManualClock::default()));
    assert_eq!(fast.len(), 15);
    assert!(played(Arc::new(MonotonicClock)) == fast);
}

#[test]
fn every_container_holds_the_same_sound() {
    let folder = tempfile::tempdir().unwrap();
    let samples = ramp(1600);
    let of = |recording: Recording| {
        let clock = Arc::new(ManualClock::default());
        joined(&chunks(&mut Player::new(recording, clock).unwrap()))
    };
    let expected = floats(&samples);

    let wav = folder.path().join("i16.wav");
    write_wav(&wav, MONO_16K, &samples);
    assert_eq!(of(Recording::wav(&wav).unwrap()), expected);

    for (name, bits) in [("i24.wav", 24), ("i32.wav", 32)] {
        let path = folder.path().join(name);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        samples.iter().for_each(|&s| writer.write_sample(i32::from(s) << (bits - 16)).unwrap());
        writer.finalize().unwrap();
        assert_eq!(of(Recording::wav(&path).unwrap()), expected, "{name}");
    }

    let raw = folder.path().join("f32.raw");
    std::fs::write(&raw, expected.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    assert_eq!(of(Recording::raw(&raw, RawFormat::F32(MONO_16K)).unwrap()), expected);
}

#[test]
fn channels_are_averaged() {
    let stereo = [0.5, -0.25].repeat(640);
    let (mut microphone, _) = hearing(Format { rate: 16_000, channels: 2 }, stereo);
    let heard = joined(&chunks(&mut microphone));
    assert_eq!(heard, vec![0.125; 640]);
}

#[test]
fn chunks_are_timed_from_the_first_call_to_the_sample() {
    let (mut microphone, clock) = hearing(Format { rate: 44_100, channels: 1 }, sine(440.0, 44_100, 2.0));
    clock.advance(Duration::from_secs(7));
    let start = clock.now();
    for (i, chunk) in chunks(&mut microphone).iter().enumerate() {
        let expected = start + CHUNK_TIME * i as u32;
        let off = chunk.captured.since(expected).max(expected.since(chunk.captured));
        assert!(off < Duration::from_micros(2), "chunk {i}: found {}, expected {expected}", chunk.captured);
    }
}

#[test]
fn a_recording_takes_as_long_as_it_lasts() {
    let (mut microphone, clock) = hearing(MONO_16K, sine(440.0, 16_000, 1.0));
    assert_eq!(chunks(&mut microphone).len(), 50);
    assert_eq!(clock.now(), Timestamp::from_start(Duration::from_secs(1)));
}

#[test]
fn silence_fills_up_the_last_chunk() {
    let (mut microphone, _) = hearing(MONO_16K, vec![0.5; CHUNK_LEN + 1]);
    let heard = joined(&chunks(&mut microphone));
    assert_eq!(heard.len(), 2 * CHUNK_LEN);
    assert!(
        heard[..=CHUNK_LEN].iter().all(|&s| s == 0.5) && heard[CHUNK_LEN + 1..].iter().all(|&s| s == 0.0)
    );
}

#[test]
fn the_end_is_told_again_and_again() {
    let (mut microphone, _) = hearing(MONO_16K, Vec::new());
    for _ in 0..3 {
        assert!(matches!(microphone.next(Timestamp::default()), Event::End));
    }
}

#[test]
fn what_is_played_while_it_is_muted_is_not_heard_later() {
    // Loud for a second, then silent.
    let samples = [vec![1.0; 48_000], vec![0.0; 48_000]].concat();
    let (mut microphone, clock) = hearing(Format { rate: 48_000, channels: 1 }, samples);
    microphone.mute().mute();
    assert!(matches!(microphone.next(clock.now()), Event::Muted));
    let second = Timestamp::from_start(Duration::from_secs(1));
    assert!(matches!(microphone.next(second), Event::Timeout));
    assert_eq!(clock.now(), second);
    microphone.mute().unmute();
    assert!(matches!(microphone.next(second), Event::Unmuted));
    let heard = chunks(&mut microphone);
    assert_eq!(heard.len(), 50);
    assert!(joined(&heard).iter().all(|&sample| sample == 0.0), "not even the filter remembers");
}
