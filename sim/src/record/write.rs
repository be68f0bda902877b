//! Recording.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use lorgnette_device::Timestamp;
use lorgnette_device::camera::Frame;
use lorgnette_device::microphone::{AudioChunk, SAMPLE_RATE};
use lorgnette_runtime::live::{Button, Event, Presence};
use lorgnette_runtime::mode::Mode;
use xxhash_rust::xxh3::xxh3_128;

use super::{About, Line, Told, VERSION, What};
use crate::event::Happened;
use crate::{Error, ErrorKind, Result};

/// Hours that are recorded at most, as the sizes of WAV files go.
const LONGEST: Duration = Duration::from_secs(8 * 3600);

/// A session as it is recorded. One that is dropped without [`Recorder::finish`] stays a folder whose name ends in
/// `.part`.
pub struct Recorder {
    folder: PathBuf,
    part: PathBuf,
    events: BufWriter<File>,
    sound: WavWriter<BufWriter<File>>,
    chunks: u64,
    /// Pictures that are written, by what they show.
    frames: HashMap<u128, u64>,
    began: Timestamp,
    turns: u64,
}

impl Recorder {
    /// Records into `folder`, which is not there yet.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be written, or is there.
    pub fn begin(folder: &Path, now: Timestamp) -> Result<Self> {
        if folder.exists() {
            return Err(Error::new(ErrorKind::Io, folder.display(), "is there already"));
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = folder.with_file_name(format!("{name}.part"));
        let cannot = |error| Error::io(part.display(), "create", &error);
        fs::create_dir_all(part.join("frames")).map_err(cannot)?;
        let events = BufWriter::new(File::create(part.join("events.jsonl")).map_err(cannot)?);
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let sound = WavWriter::create(part.join("sound.wav"), spec)
            .map_err(|error| Error::new(ErrorKind::Io, part.display(), error))?;
        let (folder, frames) = (folder.to_owned(), HashMap::new());
        Ok(Self { folder, part, events, sound, chunks: 0, frames, began: now, turns: 0 })
    }

    /// The name of the session.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Takes down what the runtime is told at `now`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the disk is full, or after eight hours.
    pub fn event(&mut self, event: &Event, now: Timestamp) -> Result<()> {
        if now.since(self.began) > LONGEST {
            let detail = format!("found more than {LONGEST:?}, expected at most that");
            return Err(Error::new(ErrorKind::Io, self.folder.display(), detail));
        }
        let what = match event {
            Event::Frame(frame) => self.frame(frame)?,
            Event::Sound(chunk) => self.chunk(chunk)?,
            Event::Camera(presence) => What::Told(Told::Camera(*presence == Presence::Back)),
            Event::Microphone(presence) => What::Told(Told::Microphone(*presence == Presence::Back)),
            Event::Button(button) => What::Told(Told::Button(*button == Button::Down)),
            Event::Text(text) => What::Told(Told::Text(text.clone())),
            Event::Mute(muted) => What::Told(Told::Mute(*muted)),
            Event::Mode(mode) => What::Told(told(*mode)),
            Event::Cancel => What::Told(Told::Cancel),
            Event::Power(reading) => {
                What::Told(Told::Power { charge: reading.charge, speed: reading.frequency_limit() })
            }
            _ => return Ok(()),
        };
        self.line(what, now)
    }

    /// Takes down what came of it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the disk is full.
    pub fn happened(&mut self, happened: &Happened, now: Timestamp) -> Result<()> {
        self.turns += u64::from(matches!(happened, Happened::Listening { .. }));
        let value = serde_json::to_value(happened).unwrap_or_default();
        self.line(What::Happened(value), now)
    }

    /// The session is over: the folder gets its name.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the disk is full.
    pub fn finish(self, now: Timestamp) -> Result<About> {
        let name = self.name();
        let Self { folder, part, events, sound, began, turns, .. } = self;
        let cannot = |error: std::io::Error| Error::io(part.display(), "write", &error);
        let file = events.into_inner().map_err(|error| cannot(error.into_error()))?;
        file.sync_all().map_err(cannot)?;
        sound.finalize().map_err(|error| Error::new(ErrorKind::Io, part.display(), error))?;
        let about = About { version: VERSION, name, seconds: now.since(began).as_secs_f64(), turns };
        let json = serde_json::to_vec_pretty(&about).unwrap_or_default();
        fs::write(part.join("session.json"), json).map_err(cannot)?;
        fs::rename(&part, &folder).map_err(cannot)?;
        Ok(about)
    }

    fn frame(&mut self, frame: &Frame) -> Result<What> {
        let next = self.frames.len() as u64;
        let file = *self.frames.entry(xxh3_128(frame.bytes())).or_insert(next);
        if file == next {
            let path = self.part.join(format!("frames/{file:06}.jpg"));
            fs::write(&path, frame.bytes()).map_err(|error| Error::io(path.display(), "write", &error))?;
        }
        let captured = micros(frame.captured());
        Ok(What::Frame { file, captured, sequence: frame.sequence(), dropped: frame.dropped() })
    }

    fn chunk(&mut self, chunk: &AudioChunk) -> Result<What> {
        for sample in chunk.samples.iter() {
            let written = self.sound.write_sample(*sample);
            written.map_err(|error| Error::new(ErrorKind::Io, self.part.display(), error))?;
        }
        let at = self.chunks;
        self.chunks += 1;
        let AudioChunk { captured, sequence, overruns, .. } = *chunk;
        Ok(What::Sound { at, captured: micros(captured), sequence, overruns })
    }

    fn line(&mut self, what: What, now: Timestamp) -> Result<()> {
        let line = serde_json::to_string(&Line { t: micros(now), what }).unwrap_or_default();
        let written = writeln!(self.events, "{line}");
        written.map_err(|error| Error::io(self.part.display(), "write", &error))
    }
}

fn told(mode: Mode) -> Told {
    match mode {
        Mode::Instant => Told::Instant,
        Mode::Thinking { budget } => Told::Thinking(budget),
        #[allow(unreachable_patterns, reason = "the feature `cloud` of the runtime has one more")]
        _ => Told::Contemplating,
    }
}

fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.since_start().as_micros()).unwrap_or(u64::MAX)
}
