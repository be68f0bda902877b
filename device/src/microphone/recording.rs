//! Recordings of sound: WAV files by hound, and files of nothing but samples.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec};

use super::Format;
use super::resample::RATES;
use super::ring::LOUDEST;
use crate::error::{Error, ErrorKind, Result};

type Samples = Box<dyn Iterator<Item = Result<f32>> + Send>;

/// How a file of raw samples, little-endian and interleaved, is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawFormat {
    /// 16-bit integers.
    I16(Format),
    /// 32-bit floats, full scale at 1.
    F32(Format),
}

/// Sound with an end, read as it is played.
pub struct Recording {
    format: Format,
    name: String,
    samples: Samples,
}

impl Recording {
    /// A WAV file of integers (8, 16, 24 or 32 bits) or 32-bit floats.
    ///
    /// # Errors
    /// Those of opening a file; [`ErrorKind::Unsupported`] for other samples, and rates beyond 1 to 384 kHz;
    /// [`ErrorKind::Malformed`] for a damaged header. What is wrong with the samples is found out when they are
    /// played.
    pub fn wav(path: &Path) -> Result<Self> {
        let named = |error: Error| error.of(path.display());
        let file = open(path)?;
        let reader = WavReader::new(BufReader::new(file)).map_err(|error| named(hound_error(error)))?;
        let WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format } = reader.spec();
        let samples: Samples = match (sample_format, bits) {
            (SampleFormat::Float, 32) => {
                Box::new(reader.into_samples::<f32>().map(|sample| sample.map_err(hound_error)))
            }
            (SampleFormat::Int, 8 | 16 | 24 | 32) => {
                let scale = 1.0 / 2f32.powi(i32::from(bits) - 1);
                let value = move |sample: i32| sample as f32 * scale;
                Box::new(reader.into_samples::<i32>().map(move |s| s.map(value).map_err(hound_error)))
            }
            _ => {
                let detail = format!(
                    "found {bits}-bit {sample_format:?} samples, expected 8, 16, 24 or 32-bit integers or 32-bit floats"
                );
                return Err(named(Error::new(ErrorKind::Unsupported, detail)));
            }
        };
        Self::new(Format { rate, channels }, path.display(), samples).map_err(named)
    }

    /// A file of samples and nothing else.
    ///
    /// # Errors
    /// Those of opening a file, and [`ErrorKind::Unsupported`] for no channels or a rate beyond 1 to 384 kHz. A file
    /// that ends within a frame is [`ErrorKind::Malformed`], found out when it is played to there.
    pub fn raw(path: &Path, format: RawFormat) -> Result<Self> {
        let file = BufReader::new(open(path)?);
        let (format, samples): (_, Samples) = match format {
            RawFormat::I16(format) => (
                format,
                Box::new(Raw { file, value: |bytes| f32::from(i16::from_le_bytes(bytes)) / 32768.0 }),
            ),
            RawFormat::F32(format) => (format, Box::new(Raw { file, value: f32::from_le_bytes })),
        };
        Self::new(format, path.display(), samples).map_err(|error| error.of(path.display()))
    }

    /// Samples that are in memory, interleaved.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for no channels or a rate beyond 1 to 384 kHz.
    pub fn samples(format: Format, samples: Vec<f32>) -> Result<Self> {
        Self::new(format, "samples in memory", Box::new(samples.into_iter().map(Ok)))
    }

    fn new(format: Format, name: impl fmt::Display, samples: Samples) -> Result<Self> {
        if format.channels == 0 || !RATES.contains(&format.rate) {
            let expected = format!("channels, and {} to {} Hz", RATES.start(), RATES.end());
            return Err(Error::new(ErrorKind::Unsupported, format!("found {format:?}, expected {expected}")));
        }
        Ok(Self { format, name: name.to_string(), samples })
    }

    /// What is in it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Appends the next `frames` frames, or those that are left, to `mono`, their channels averaged.
    ///
    /// # Errors
    /// What is wrong with the next frame; those before it are in `mono`.
    pub(super) fn read(&mut self, frames: usize, mono: &mut Vec<f32>) -> Result<()> {
        for _ in 0..frames {
            match self.frame().map_err(|error| error.of(&self.name))? {
                Some(sample) => mono.push(sample),
                None => break,
            }
        }
        Ok(())
    }

    /// The next frame, its channels averaged; `None` at the end.
    fn frame(&mut self) -> Result<Option<f32>> {
        let channels = self.format.channels;
        let mut sum = 0.0;
        for channel in 0..channels {
            match self.samples.next() {
                Some(sample) => sum += finite(sample?)?,
                None if channel == 0 => return Ok(None),
                None => return Err(Error::malformed("last frame", channel, format!("{channels} samples"))),
            }
        }
        Ok(Some(sum / f32::from(channels)))
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("name", &self.name).field("format", &self.format).finish()
    }
}

/// The values of samples of `N` bytes.
struct Raw<const N: usize> {
    file: BufReader<File>,
    value: fn([u8; N]) -> f32,
}

impl<const N: usize> Raw<N> {
    /// The bytes of the next sample, and how many of them there were.
    fn bytes(&mut self) -> io::Result<([u8; N], usize)> {
        let mut bytes = [0; N];
        let mut found = 0;
        while found < N {
            match self.file.read(&mut bytes[found..]) {
                Ok(0) => break,
                Ok(more) => found += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok((bytes, found))
    }
}

impl<const N: usize> Iterator for Raw<N> {
    type Item = Result<f32>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.bytes() {
            Ok((_, 0)) => None,
            Ok((bytes, found)) if found == N => Some(Ok((self.value)(bytes))),
            Ok((_, found)) => Some(Err(Error::malformed("last sample", format!("{found} bytes"), N))),
            Err(error) => Some(Err(Error::io("read", error))),
        }
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("open", error).of(path.display()))
}

fn finite(sample: f32) -> Result<f32> {
    if sample.is_finite() {
        return Ok(sample.clamp(-LOUDEST, LOUDEST));
    }
    Err(Error::malformed("sample", sample, "a finite number"))
}

fn hound_error(error: hound::Error) -> Error {
    match error {
        hound::Error::IoError(error) if error.raw_os_error().is_some() => Error::io("read", error),
        // How hound says that the bytes end inside a field, beside the kind made for it.
        hound::Error::IoError(error)
            if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::Other) =>
        {
            Error::malformed("WAV", "the end of the file", "the rest of what the header promises")
        }
        hound::Error::IoError(error) => Error::io("read", error),
        hound::Error::Unsupported | hound::Error::TooWide => {
            Error::new(ErrorKind::Unsupported, format!("WAV: {error}"))
        }
        error => Error::new(ErrorKind::Malformed, format!("WAV: {error}")),
    }
}
