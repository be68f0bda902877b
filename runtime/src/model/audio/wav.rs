//! WAV files, by hound.

use std::io::{Cursor, ErrorKind as IoKind};
use std::ops::RangeInclusive;

use hound::{Sample, SampleFormat, WavReader};

use super::clip::{Clip, check_duration};
use super::resample::resample;
use crate::{Error, ErrorKind, Result};

const FIELD: &str = "WAV";
/// The sample rates that are taken, in Hz.
const RATES: RangeInclusive<u32> = 1_000..=384_000;

type Reader<'a> = WavReader<Cursor<&'a [u8]>>;

/// Decodes a WAV file of integers (8, 16, 24 or 32 bits, full scale becoming 1) or 32-bit floats, averages its
/// channels and resamples them to [`super::SAMPLE_RATE`].
///
/// # Errors
/// [`ErrorKind::Unsupported`] for another sample type, a rate outside 1 to 384 kHz or a clip longer than
/// [`Clip::MAX_SECONDS`]; [`ErrorKind::Truncated`] for a file that ends before the samples it claims;
/// [`ErrorKind::Malformed`] for a damaged one, one without sound, and a sample that is not a finite number. All of
/// these but the last are found out before the samples are given room.
pub fn decode_wav(bytes: &[u8]) -> Result<Clip> {
    let mut reader = WavReader::new(Cursor::new(bytes)).map_err(located)?;
    let spec = reader.spec();
    check_header(&reader, bytes.len())?;
    let mono = match spec.sample_format {
        SampleFormat::Float => average(&mut reader, |sample: f32| f64::from(sample)),
        SampleFormat::Int => {
            let full_scale = 2f64.powi(i32::from(spec.bits_per_sample) - 1);
            average(&mut reader, |sample: i32| f64::from(sample) / full_scale)
        }
    }?;
    Clip::new(resample(mono, spec.sample_rate))
}

/// What can be known to be wrong before a sample is read from a file of `file_len` bytes.
fn check_header(reader: &Reader<'_>, file_len: usize) -> Result<()> {
    let spec = reader.spec();
    let unsupported = |found: String, expected: String| {
        Error::new(ErrorKind::Unsupported, FIELD, format!("found {found}, expected {expected}"))
    };
    if !RATES.contains(&spec.sample_rate) {
        let expected = format!("{} to {} Hz", RATES.start(), RATES.end());
        return Err(unsupported(format!("a sample rate of {} Hz", spec.sample_rate), expected));
    }
    match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, 8 | 16 | 24 | 32) | (SampleFormat::Float, 32) => {}
        (format, bits) => {
            let expected = "8, 16, 24 or 32-bit integers or 32-bit floats";
            return Err(unsupported(format!("{bits}-bit {format:?} samples"), expected.into()));
        }
    }
    let claimed = u64::from(reader.len()) * u64::from(spec.bits_per_sample / 8);
    if claimed > file_len as u64 {
        let detail = format!("found a file of {file_len} bytes, expected {claimed} bytes of samples");
        return Err(Error::new(ErrorKind::Truncated, FIELD, detail));
    }
    check_duration(reader.duration() as usize, spec.sample_rate)
}

/// The mean of all channels.
fn average<S: Sample>(reader: &mut Reader<'_>, to_f64: impl Fn(S) -> f64) -> Result<Vec<f32>> {
    let channels = reader.spec().channels;
    let duration = reader.duration();
    let mut samples = reader.samples::<S>();
    let mut frame = || -> Result<f32> {
        let mut sum = 0.0;
        for sample in samples.by_ref().take(channels.into()) {
            sum += to_f64(sample.map_err(located)?);
        }
        Ok((sum / f64::from(channels)) as f32)
    };
    (0..duration).map(|_| frame()).collect()
}

fn located(error: hound::Error) -> Error {
    let kind = match &error {
        hound::Error::IoError(e) if e.kind() == IoKind::UnexpectedEof => ErrorKind::Truncated,
        // How hound says that the bytes end inside a field.
        hound::Error::IoError(_) => ErrorKind::Truncated,
        hound::Error::Unsupported | hound::Error::TooWide => ErrorKind::Unsupported,
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, FIELD, error.to_string())
}
