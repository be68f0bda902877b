//! Sound against Hugging Face transformers. `golden/front_ends.py` made the expectations.

use std::f64::consts::TAU;
use std::io::Cursor;
use std::num::NonZeroUsize;

use hound::{SampleFormat, WavSpec, WavWriter};
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::model::audio::{LogMel, LogMelStream, Peak, decode_wav, log_mel};
use proptest::prelude::*;
use serde::Deserialize;

use crate::common::{Outcome, golden};
use crate::sounds::clip;

/// The extractor computes in single precision.
const MEL_TOLERANCE: f32 = 5e-5;
/// -94 dB.
const RESAMPLED_TOLERANCE: f64 = 2e-5;

#[derive(Deserialize)]
struct MelCase {
    length: usize,
    shift: u32,
    bins: usize,
    frames: usize,
    step: usize,
    values: Vec<f32>,
}

#[test]
fn frames_are_those_of_whispers_extractor() -> Outcome {
    for case in golden::<Vec<MelCase>>("mel")? {
        let mel = log_mel(&clip(case.length, case.shift)?, case.bins, Peak::OfClip)?;
        let name = format!("{} >> {}, {} bins", case.length, case.shift, case.bins);
        assert_eq!(mel.frames(), case.frames, "{name}");
        let pairs = mel.values.iter().step_by(case.step).zip(&case.values);
        assert_eq!(pairs.len(), case.values.len(), "{name}");
        let furthest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest <= MEL_TOLERANCE, "{name}: {furthest:e}");
    }
    Ok(())
}

#[test]
fn blocks_have_whispers_frames_from_the_loudest_on() -> Outcome {
    let clip = clip(40_000, 0)?;
    let whole = log_mel(&clip, 80, Peak::OfClip)?;
    let blocks = log_mel(&clip, 80, so_far(30))?;
    let loudest = whole.values.iter().copied().fold(f32::MIN, f32::max);
    let at = whole.values.iter().position(|&v| v == loudest).unwrap();
    let block = at / (30 * 80) * 30 * 80;
    assert_eq!(blocks.values[block..], whole.values[block..]);
    assert!(blocks.values[..block].iter().zip(&whole.values).all(|(a, b)| a <= b));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn streaming_equals_the_whole_clip(
        length in 160usize..20_000,
        chunks in prop::collection::vec(1usize..2_500, 1..40),
        block in prop::option::of(1usize..60),
        bins in prop_oneof![Just(80usize), Just(128)],
    ) {
        let peak = block.map_or(Peak::OfClip, so_far);
        let clip = clip(length, 2).unwrap();
        let whole = log_mel(&clip, bins, peak).unwrap();
        let mut stream = LogMelStream::new(bins, peak).unwrap();
        // A clip begun and dropped leaves nothing behind.
        stream.push(&clip.samples()[..length / 2]);
        stream.reset();
        for _ in 0..2 {
            prop_assert_eq!(&streamed(&mut stream, clip.samples(), &chunks), &whole.values);
        }
    }
}

#[test]
fn frames_come_as_soon_as_their_block_is_full() -> Outcome {
    let clip = clip(16_000, 0)?;
    let mut stream = LogMelStream::new(80, so_far(10))?;
    // Frame 9, the last of the block, reaches to sample 9 * 160 + 200.
    assert_eq!(stream.push(&clip.samples()[..1639]).frames(), 0);
    assert_eq!(stream.push(&clip.samples()[1639..1640]).frames(), 10);
    assert_eq!(stream.finish().frames(), 0);
    Ok(())
}

#[test]
fn a_stream_that_hears_nothing_gives_nothing() -> Outcome {
    let mut stream = LogMelStream::new(80, Peak::OfClip)?;
    assert_eq!(stream.finish(), LogMel { bins: 80, values: vec![] });
    stream.push(&[0.0; 159]);
    assert_eq!(stream.finish().frames(), 0);
    Ok(())
}

#[test]
fn silence_and_noise_that_are_no_numbers_stay_finite() -> Outcome {
    let mut stream = LogMelStream::new(80, Peak::OfClip)?;
    for sample in [0.0, f32::MAX, f32::INFINITY, f32::NAN] {
        stream.push(&[sample; 1000]);
        let mel = stream.finish();
        assert!(!mel.values.iter().any(|v| v.is_nan()), "{sample}");
    }
    Ok(())
}

#[test]
fn only_bin_counts_that_filters_can_have_are_taken() {
    for bins in [0, 129, usize::MAX] {
        assert_eq!(LogMelStream::new(bins, Peak::OfClip).err().unwrap().kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn every_sample_type_has_its_full_scale_at_one() -> Outcome {
    let values = [0.0, 0.5, -0.5, 0.25, -1.0];
    for bits in [8, 16, 24, 32] {
        let full = 2f64.powi(i32::from(bits) - 1);
        let file = wav(16_000, 1, bits, SampleFormat::Int, |writer| {
            (0..200).try_for_each(|i| writer.write_sample((values[i % 5] * full) as i32))
        })?;
        let expected: Vec<f32> = (0..200).map(|i| values[i % 5] as f32).collect();
        assert_eq!(decode_wav(&file)?.samples(), expected, "{bits} bits");
    }
    let file = wav(16_000, 1, 32, SampleFormat::Float, |writer| {
        (0..200).try_for_each(|i| writer.write_sample(values[i % 5] as f32 * 1.5))
    })?;
    assert_eq!(decode_wav(&file)?.samples()[4], -1.5);
    Ok(())
}

#[test]
fn channels_are_averaged() -> Outcome {
    let file = wav(16_000, 3, 16, SampleFormat::Int, |writer| {
        (0..200).try_for_each(|_| [3000i16, 6000, -300].iter().try_for_each(|&s| writer.write_sample(s)))
    })?;
    assert!(decode_wav(&file)?.samples().iter().all(|&s| s == 2900.0 / 32768.0));
    Ok(())
}

#[test]
fn a_tone_is_the_same_tone_at_16_khz() -> Outcome {
    let cases =
        [(1_000, 300), (8_000, 3_600), (11_025, 1_000), (22_050, 7_100), (44_100, 50), (44_100, 7_100)];
    for (rate, hz) in cases.into_iter().chain([
        (48_000, 1_000),
        (48_000, 7_100),
        (48_001, 5_000),
        (96_000, 3_000),
        (384_000, 7_100),
    ]) {
        let clip = decode_wav(&tone(rate, hz, rate)?)?;
        assert_eq!(clip.samples().len(), 16_000, "{rate} Hz");
        // The filter reaches over the ends by 64 samples of the lower rate.
        let edge = 64 * 16_000 / rate.min(16_000) as usize;
        let furthest = (edge..16_000 - edge)
            .map(|i| (f64::from(clip.samples()[i]) - sine(hz, i, 16_000)).abs())
            .fold(0.0, f64::max);
        assert!(furthest <= RESAMPLED_TOLERANCE, "{hz} Hz from {rate}: {furthest:e}");
    }
    Ok(())
}

#[test]
fn what_16_khz_cannot_hold_is_gone() -> Outcome {
    for (rate, hz) in [(22_050, 8_050), (44_100, 8_050), (48_000, 20_000), (384_000, 8_050)] {
        let clip = decode_wav(&tone(rate, hz, rate)?)?;
        let loudest = clip.samples()[200..15_800].iter().map(|s| s.abs()).fold(0.0, f32::max);
        assert!(f64::from(loudest) <= RESAMPLED_TOLERANCE, "{hz} Hz from {rate}: {loudest:e}");
    }
    Ok(())
}

fn so_far(frames: usize) -> Peak {
    Peak::OfBlocksSoFar(NonZeroUsize::new(frames).unwrap())
}

/// All values given for `samples`, pushed in chunks of the lengths of `chunks`, over and over.
fn streamed(stream: &mut LogMelStream, samples: &[f32], chunks: &[usize]) -> Vec<f32> {
    let (mut rest, mut values) = (samples, Vec::new());
    for &len in chunks.iter().cycle() {
        let (chunk, later) = rest.split_at(len.min(rest.len()));
        values.extend(stream.push(chunk).values);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    values.extend(stream.finish().values);
    values
}

fn sine(hz: u32, i: usize, rate: u32) -> f64 {
    0.5 * (TAU * f64::from(hz) * i as f64 / f64::from(rate)).sin()
}

fn tone(rate: u32, hz: u32, samples: u32) -> Result<Vec<u8>, hound::Error> {
    wav(rate, 1, 32, SampleFormat::Float, |writer| {
        (0..samples as usize).try_for_each(|i| writer.write_sample(sine(hz, i, rate) as f32))
    })
}

fn wav(
    sample_rate: u32,
    channels: u16,
    bits_per_sample: u16,
    sample_format: SampleFormat,
    write: impl FnOnce(&mut WavWriter<Cursor<&mut Vec<u8>>>) -> hound::Result<()>,
) -> hound::Result<Vec<u8>> {
    let mut file = Vec::new();
    let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = WavWriter::new(Cursor::new(&mut file), spec)?;
    write(&mut writer)?;
    writer.finalize()?;
    Ok(file)
}
