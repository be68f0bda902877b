//! WAV files that are cut, damaged or lie: a typed error or a clip, never a panic or a long wait.

use std::io::Cursor;

use hound::{SampleFormat, WavSpec, WavWriter};
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::model::audio::{Clip, decode_wav};

use crate::common::{Outcome, flipped, is_typed};

const FLIPS: u64 = 3000;
/// Where the fields of a plain header stand.
const FORMAT: usize = 20;
const CHANNELS: usize = 22;
const RATE: usize = 24;
const BYTE_RATE: usize = 28;
const BITS: usize = 34;
const DATA_LEN: usize = 40;
const HEADER: usize = 44;

#[test]
fn a_file_cut_short_is_refused() -> Outcome {
    let file = plain(16_000, 1000)?;
    for len in 0..file.len() {
        let error = decode_wav(&file[..len]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "cut to {len}: {error}");
    }
    Ok(())
}

#[test]
fn flipped_bits_never_panic() -> Outcome {
    let file = plain(22_050, 600)?;
    for seed in 0..FLIPS {
        // Half of the damage goes to the header, where it matters.
        let (header, samples) = file.split_at(HEADER);
        let damaged = match seed % 2 {
            0 => [&flipped(header, seed), samples].concat(),
            _ => flipped(&file, seed),
        };
        if let Err(error) = decode_wav(&damaged) {
            assert!(is_typed(error.kind()), "seed {seed}: {error}");
        }
    }
    Ok(())
}

#[test]
fn a_clip_without_sound_is_refused_with_its_length() -> Outcome {
    for samples in [0, 1, 159] {
        let error = decode_wav(&plain(16_000, samples)?).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains(&format!("found {samples} samples")), "{error}");
    }
    assert_eq!(decode_wav(&plain(16_000, 160)?)?.samples().len(), 160);
    Ok(())
}

#[test]
fn two_hours_are_refused_with_their_length() -> Outcome {
    let mut file = plain(16_000, 0)?;
    let bytes = 2 * 60 * 60 * 16_000 * 2;
    set(&mut file, DATA_LEN, &u32::to_le_bytes(bytes));
    file.resize(HEADER + bytes as usize, 0);
    let error = decode_wav(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("found 7200.0 seconds, expected at most 600"), "{error}");
    Ok(())
}

#[test]
fn samples_that_are_claimed_must_be_there() -> Outcome {
    let mut file = plain(16_000, 1000)?;
    set(&mut file, DATA_LEN, &0xffff_fffe_u32.to_le_bytes());
    let error = decode_wav(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.to_string().contains("expected 4294967294 bytes"), "{error}");
    Ok(())
}

#[test]
fn what_cannot_be_played_is_named() -> Outcome {
    let file = plain(16_000, 1000)?;
    let with = |changes: &[(usize, &[u8])]| {
        let mut file = file.clone();
        changes.iter().for_each(|(at, bytes)| set(&mut file, *at, bytes));
        decode_wav(&file).unwrap_err()
    };
    let a_law = with(&[(FORMAT, &[6, 0])]);
    assert_eq!(a_law.kind(), ErrorKind::Unsupported, "{a_law}");
    let twelve_bits = with(&[(BITS, &[12, 0])]);
    assert_eq!(twelve_bits.kind(), ErrorKind::Malformed, "{twelve_bits}");
    let silent = with(&[(CHANNELS, &[0, 0])]);
    assert_eq!(silent.kind(), ErrorKind::Malformed, "{silent}");
    let slow = with(&[(RATE, &10u32.to_le_bytes()), (BYTE_RATE, &20u32.to_le_bytes())]);
    assert_eq!(slow.kind(), ErrorKind::Unsupported, "{slow}");
    assert!(slow.to_string().contains("10 Hz"), "{slow}");
    Ok(())
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    for sample in [f32::NAN, f32::INFINITY] {
        let error = Clip::new([vec![0.0; 200], vec![sample; 5]].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains("as sample 200"), "{error}");
    }
}

fn plain(sample_rate: u32, samples: i16) -> hound::Result<Vec<u8>> {
    let mut file = Vec::new();
    let spec = WavSpec { channels: 1, sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::new(Cursor::new(&mut file), spec)?;
    (0..samples).try_for_each(|i| writer.write_sample(i.wrapping_mul(77)))?;
    writer.finalize()?;
    Ok(file)
}

fn set(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}
