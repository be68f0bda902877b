//! Playing what was recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Frame, Layout, PixelFormat};
use lorgnette_device::microphone::{AudioChunk, CHUNK_LEN, CHUNK_TIME};
use lorgnette_device::power::PowerReading;
use lorgnette_runtime::live::{Button, Event, Presence};
use lorgnette_runtime::mode::Mode;

use super::{About, Line, Told, VERSION, What};
use crate::glasses::{Light, Shot, processor_limit};
use crate::source::{picture, read, sound};
use crate::{Error, ErrorKind, Result};

/// Lines of a session at most: eight hours of frames and sound are fewer.
const MOST_LINES: usize = 4_000_000;

/// A recorded session.
pub struct Session {
    folder: PathBuf,
    about: About,
    lines: Vec<Line>,
    shots: Vec<Shot>,
    samples: Vec<f32>,
}

/// The sessions in `folder`, the oldest first; none where there is no such folder.
pub fn list(folder: &Path) -> Vec<About> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let about = |path: PathBuf| {
        let about: About = serde_json::from_slice(&read(&path.join("session.json")).ok()?).ok()?;
        let name = path.file_name()?.to_str()?.to_owned();
        (!name.ends_with(".part")).then_some(About { name, ..about })
    };
    let mut sessions: Vec<_> = entries.flatten().filter_map(|entry| about(entry.path())).collect();
    sessions.sort_by(|a, b| a.name.cmp(&b.name));
    sessions
}

impl Session {
    /// The session in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] or [`ErrorKind::Malformed`], about the file and the line.
    pub fn open(folder: &Path) -> Result<Self> {
        let malformed = |file: &str, detail: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Malformed, folder.join(file).display(), detail)
        };
        let about: About = serde_json::from_slice(&read(&folder.join("session.json"))?)
            .map_err(|error| malformed("session.json", &error))?;
        if about.version != VERSION {
            let detail = format!("version: found {}, expected {VERSION}", about.version);
            return Err(malformed("session.json", &detail));
        }
        let text = String::from_utf8(read(&folder.join("events.jsonl"))?)
            .map_err(|error| malformed("events.jsonl", &error))?;
        let mut lines: Vec<Line> = Vec::new();
        for (i, line) in text.lines().enumerate().take(MOST_LINES) {
            let line = serde_json::from_str(line)
                .map_err(|error| malformed("events.jsonl", &format!("line {}: {error}", i + 1)))?;
            lines.push(line);
        }
        // A clip without any sample is none.
        let heard = lines.iter().any(|line| matches!(line.what, What::Sound { .. }));
        let samples = if heard { sound("sound.wav", &read(&folder.join("sound.wav"))?)? } else { Vec::new() };
        let shots = shots(folder, &lines)?;
        let session = Self { folder: folder.to_owned(), about, lines, shots, samples };
        session.check()?;
        Ok(session)
    }

    /// What it is.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What the runtime was told, with the times at which it was.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for a picture that is none.
    pub fn events(&self) -> Result<Vec<(Timestamp, Event)>> {
        let event = |line: &Line| self.event(&line.what).map(|event| Some((at(line.t), event?))).transpose();
        self.lines.iter().filter_map(event).collect()
    }

    /// What came of it, as it was told.
    pub fn happened(&self) -> impl Iterator<Item = &serde_json::Value> {
        self.lines.iter().filter_map(|line| match &line.what {
            What::Happened(value) => Some(value),
            _ => None,
        })
    }

    /// What was seen, for glasses that look at it.
    pub fn into_light(self) -> Replay {
        let begin = self.lines.first().map_or(0, |line| line.t);
        let frame = |line: &Line| match line.what {
            What::Frame { file, captured, .. } => {
                let time = Duration::from_micros(captured.saturating_sub(begin));
                Some((time, self.shots[file as usize].clone()))
            }
            _ => None,
        };
        Replay { frames: self.lines.iter().filter_map(frame).collect(), began: None }
    }

    /// What was heard, for glasses that listen to it: each sample at its time.
    pub fn into_sound(self) -> Vec<f32> {
        let begin = self.lines.first().map_or(0, |line| line.t);
        let mut heard: Vec<f32> = Vec::new();
        for line in &self.lines {
            let What::Sound { at, captured, .. } = line.what else { continue };
            let chunks = (u128::from(captured.saturating_sub(begin)) / CHUNK_TIME.as_micros()) as usize;
            if chunks * CHUNK_LEN > heard.len() {
                heard.resize(chunks * CHUNK_LEN, 0.0);
            }
            heard.extend(&self.samples[at as usize * CHUNK_LEN..][..CHUNK_LEN]);
        }
        heard
    }

    /// Whether what lines refer to is there.
    fn check(&self) -> Result<()> {
        let mut before = 0;
        for (i, line) in self.lines.iter().enumerate() {
            let there = match line.what {
                What::Frame { file, .. } => file < self.shots.len() as u64,
                What::Sound { at, .. } => at < (self.samples.len() / CHUNK_LEN) as u64,
                _ => true,
            };
            if !there || line.t < before {
                let about = self.folder.join("events.jsonl");
                let detail = format!("line {}: found what is not there, or a time before the last", i + 1);
                return Err(Error::new(ErrorKind::Malformed, about.display(), detail));
            }
            before = line.t;
        }
        Ok(())
    }

    fn event(&self, what: &What) -> Result<Option<Event>> {
        let presence = |there: &bool| if *there { Presence::Back } else { Presence::Lost };
        Ok(Some(match what {
            What::Frame { file, captured, sequence, dropped } => {
                let mut frame = Frame::default();
                let layout = Layout::packed(PixelFormat::Mjpg, 1, 1)?;
                frame.fill(layout, at(*captured), *sequence, self.shots[*file as usize].jpeg())?;
                frame.set_dropped(*dropped);
                Event::Frame(frame)
            }
            What::Sound { at: chunk, captured, sequence, overruns } => {
                let mut samples = Box::new([0.0; CHUNK_LEN]);
                samples.copy_from_slice(&self.samples[*chunk as usize * CHUNK_LEN..][..CHUNK_LEN]);
                let (captured, sequence, overruns) = (at(*captured), *sequence, *overruns);
                Event::Sound(AudioChunk { samples, captured, sequence, overruns })
            }
            What::Told(told) => match told {
                Told::Camera(there) => Event::Camera(presence(there)),
                Told::Microphone(there) => Event::Microphone(presence(there)),
                Told::Button(down) => Event::Button(if *down { Button::Down } else { Button::Up }),
                Told::Text(text) => Event::Text(text.clone()),
                Told::Mute(muted) => Event::Mute(*muted),
                // What agents in the cloud said is not recorded: the device answers.
                Told::Instant | Told::Contemplating => Event::Mode(Mode::Instant),
                Told::Thinking(budget) => Event::Mode(Mode::Thinking { budget: *budget }),
                Told::Cancel => Event::Cancel,
                Told::Power { charge, speed } => Event::Power(reading(*charge, *speed)),
            },
            What::Happened(_) => return Ok(None),
        }))
    }
}

/// A reading that says as much.
fn reading(charge: Option<f64>, speed: Option<f64>) -> PowerReading {
    let frequency_limits = speed.map(processor_limit).into_iter().collect();
    PowerReading { charge, frequency_limits, ..PowerReading::default() }
}

/// The pictures that lines refer to.
fn shots(folder: &Path, lines: &[Line]) -> Result<Vec<Shot>> {
    let file = |line: &Line| if let What::Frame { file, .. } = line.what { Some(file + 1) } else { None };
    let count = lines.iter().filter_map(file).max().unwrap_or(0);
    let shot = |number: u64| {
        let name = format!("frames/{number:06}.jpg");
        picture(&name, &read(&folder.join(&name))?)
    };
    (0..count).map(shot).collect()
}

fn at(micros: u64) -> Timestamp {
    Timestamp::from_start(Duration::from_micros(micros))
}

/// What was seen, frame by frame.
pub struct Replay {
    /// Each with its time since the beginning.
    frames: Vec<(Duration, Shot)>,
    began: Option<Timestamp>,
}

impl Light for Replay {
    /// The frame of that time; nothing once they are over.
    fn frame(&mut self, now: Timestamp, _: u64) -> Option<Shot> {
        let passed = now.since(*self.began.get_or_insert(now));
        let last = self.frames.last()?.0;
        let next = self.frames.partition_point(|(time, _)| *time <= passed);
        (passed <= last + Duration::from_millis(500)).then(|| self.frames[next.saturating_sub(1)].1.clone())
    }
}
