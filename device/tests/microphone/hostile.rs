//! Recordings that are not what they say.

use std::path::Path;
use std::sync::Arc;

use lorgnette_device::clock::ManualClock;
use lorgnette_device::microphone::{Event, Format, Microphone, Player, RawFormat, Recording};
use lorgnette_device::{Error, ErrorKind, Result};

use crate::stage::Stage;
use crate::{LATE, MONO_16K, write_wav};

/// Plays a recording to its end, or to what is wrong with it, and counts the chunks.
fn play(recording: Result<Recording>) -> (usize, Result<()>) {
    let microphone = recording.and_then(|it| Player::new(it, Arc::new(ManualClock::default())));
    let mut microphone = match microphone {
        Ok(microphone) => microphone,
        Err(error) => return (0, Err(error)),
    };
    let mut count = 0;
    let mut failed = Ok(());
    loop {
        match microphone.next(LATE) {
            Event::Chunk(chunk) => {
                assert!(chunk.samples.iter().all(|sample| sample.is_finite()));
                count += 1;
            }
            Event::End => return (count, failed),
            Event::Damaged(error) => {
                assert!(failed.is_ok(), "an error is told once");
                failed = Err(error);
            }
            other => panic!("found {other:?}"),
        }
    }
}

fn names(error: &Error, path: &Path) {
    let text = error.to_string();
    assert!(text.starts_with(&path.display().to_string()), "{text}");
}

#[test]
fn a_wav_file_cut_anywhere_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.wav");
    write_wav(&path, MONO_16K, &[1000; 1000]);
    let whole = std::fs::read(&path).unwrap();
    assert!(play(Recording::wav(&path)).1.is_ok());
    for len in (0..whole.len()).step_by(7).chain(0..60) {
        std::fs::write(&path, &whole[..len]).unwrap();
        let error = play(Recording::wav(&path)).1.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{len} bytes: {error}");
        names(&error, &path);
    }
}

#[test]
fn any_byte_of_the_header_may_be_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.wav");
    write_wav(&path, MONO_16K, &[1000; 1000]);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..44 {
        for value in [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            std::fs::write(&path, &bytes).unwrap();
            if let (_, Err(error)) = play(Recording::wav(&path)) {
                names(&error, &path);
            }
        }
    }
}

#[test]
fn what_was_good_is_heard_before_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.wav");
    write_wav(&path, MONO_16K, &[1000; 3200]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..44 + 2 * 1600]).unwrap();
    let (count, failed) = play(Recording::wav(&path));
    assert_eq!((count, failed.unwrap_err().kind()), (5, ErrorKind::Malformed));
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.raw");
    let samples = [vec![0.5f32; 320], vec![f32::NAN], vec![0.5; 320]].concat();
    std::fs::write(&path, samples.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    let (count, failed) = play(Recording::raw(&path, RawFormat::F32(MONO_16K)));
    let error = failed.unwrap_err();
    assert_eq!((count, error.kind()), (1, ErrorKind::Malformed));
    names(&error, &path);
}

#[test]
fn samples_beyond_all_bounds_stay_finite() {
    let loudest = [f32::MAX, f32::MAX, f32::MIN, f32::MIN].repeat(4800);
    let format = Format { rate: 48_000, channels: 2 };
    // play() looks at every sample.
    let (count, failed) = play(Recording::samples(format, loudest.clone()));
    assert!(count > 0 && failed.is_ok());
    assert!(
        Stage::cut(format, &loudest, &[960; 20]).iter().all(|it| it.samples.iter().all(|s| s.is_finite()))
    );
}

#[test]
fn a_raw_file_that_ends_within_a_frame_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.raw");
    let stereo = Format { rate: 16_000, channels: 2 };
    for extra in [1, 2, 3] {
        std::fs::write(&path, vec![0; 4 * 320 + extra]).unwrap();
        let (count, failed) = play(Recording::raw(&path, RawFormat::I16(stereo)));
        assert_eq!((count, failed.unwrap_err().kind()), (1, ErrorKind::Malformed), "{extra}");
    }
}

#[test]
fn formats_that_nothing_can_be_made_of_are_refused() {
    for (rate, channels) in [(0, 1), (999, 1), (384_001, 1), (u32::MAX, 1), (16_000, 0)] {
        let error = Recording::samples(Format { rate, channels }, vec![0.0; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{rate} Hz, {channels} channels");
    }
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let path = Path::new("no/such/file.wav");
    let error = Recording::wav(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    names(&error, path);
}
