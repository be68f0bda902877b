//! Sessions, recorded to a folder and played again.
//!
//! A folder has `session.json`, what happened in `events.jsonl`, each line with its time in microseconds, the pictures in
//! `frames/`, and the sound in `sound.wav` in the floats that were heard. While it is recorded its name ends in `.part`.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use self::read::{Replay, Session, list};
pub use self::write::Recorder;

/// The version of the format.
const VERSION: u32 = 1;

/// What a recorded session is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Of the format.
    pub version: u32,
    /// The name of the folder.
    #[serde(default)]
    pub name: String,
    /// How long it lasts.
    pub seconds: f64,
    /// Turns that began in it.
    pub turns: u64,
}

/// A line of `events.jsonl`: when something happened, and what.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Microseconds since the clock began.
    t: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// A frame came: the number of its file.
    Frame { file: u64, captured: u64, sequence: u64, dropped: u64 },
    /// A chunk of sound came: where it is in `sound.wav`, in chunks.
    Sound { at: u64, captured: u64, sequence: u64, overruns: u64 },
    /// Something else that the runtime was told.
    Told(Told),
    /// Something that came of it.
    Happened(serde_json::Value),
}

/// What the runtime was told beside frames and sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Camera(bool),
    Microphone(bool),
    Button(bool),
    Text(String),
    Mute(bool),
    Instant,
    Thinking(usize),
    Contemplating,
    Cancel,
    /// What is left of the charge, and how fast the processor may be, each from 0 to 1.
    Power {
        charge: Option<f64>,
        speed: Option<f64>,
    },
}
