//! What a simulator tells of itself.

mod watcher;

use lorgnette_runtime::live::Trace;
use lorgnette_runtime::mode::Mode;
use serde::Serialize;

pub use self::watcher::{Watched, Watcher};

use crate::cloud::Left;
use crate::glasses::Hud;
use crate::input::Input;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// A turn begins.
    Listening {
        /// Its number, from 1.
        turn: u64,
    },
    /// The question is over.
    Heard {
        /// Of this turn.
        turn: u64,
    },
    /// What was asked, where that is known.
    Question {
        /// In this turn.
        turn: u64,
        /// The words.
        text: String,
        /// Whether they were said, and not typed.
        spoken: bool,
    },
    /// How hard it is thought about, where nobody chose that.
    Routed {
        /// The question of this turn.
        turn: u64,
        /// What it gets.
        mode: &'static str,
    },
    /// The next piece of the answer.
    Piece {
        /// Of this turn.
        turn: u64,
        /// It.
        text: String,
    },
    /// The answer is over.
    Answer(Answer),
    /// The turn was given up before it was answered.
    Dropped {
        /// This one.
        turn: u64,
    },
    /// Where the time of a turn went.
    Timeline(Trace),
    /// Something went wrong.
    Failed {
        /// What.
        error: String,
    },
    /// The display changed.
    Hud(Hud),
    /// How loud it is.
    Level(Level),
    /// A turn looked at a frame.
    Gate(Gate),
    /// A device is lost or back.
    Device {
        /// `camera` or `microphone`.
        device: &'static str,
        /// Whether it is there.
        there: bool,
    },
    /// The model does not keep up with what the wearer says.
    Behind {
        /// Seconds of sound that wait for it.
        seconds: f64,
    },
    /// What is done for a question from this turn on.
    Effort {
        /// `full`, `small_frames`, `large_blocks` or `small_model`: each leaves out more.
        effort: &'static str,
    },
    /// Somebody did something.
    Input {
        /// What.
        input: Input,
    },
    /// Something that was asked for was not done.
    Refused {
        /// Why.
        error: String,
    },
    /// An agent of contemplating did something.
    Agent {
        /// As the runtime tells it.
        update: serde_json::Value,
    },
    /// Something left the device, or what became of that is known.
    Ledger(Left),
    /// A recording began or ended.
    Recording {
        /// Its name while it goes on.
        name: Option<String>,
    },
}

/// An answer, and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Of this turn.
    pub turn: u64,
    /// What the wearer was shown.
    pub text: String,
    /// What the model thought before.
    pub reasoning: String,
    /// How hard it thought.
    pub mode: &'static str,
    /// Why it ended.
    pub finish: &'static str,
    /// Tokens of it.
    pub tokens: usize,
    /// Positions of the prompt that were computed after the question.
    pub prefilled: usize,
    /// Passes of the vision tower after the question.
    pub vision_passes: usize,
    /// Passes of the audio tower after the question.
    pub audio_passes: usize,
}

/// How loud it is, in decibels of full scale; none in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Level {
    /// On average.
    pub rms_dbfs: Option<f32>,
    /// At most.
    pub peak_dbfs: Option<f32>,
    /// Whether that is taken for speech.
    pub speech: bool,
}

/// What the gate decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Whether the last frame showed something new.
    pub new: bool,
    /// Frames that were looked at.
    pub judged: u64,
    /// Those of them that were new.
    pub let_through: u64,
}

/// What a mode is called.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Instant => "instant",
        Mode::Thinking { .. } => "thinking",
        #[allow(unreachable_patterns, reason = "the feature `cloud` of the runtime has one more")]
        _ => "contemplating",
    }
}
