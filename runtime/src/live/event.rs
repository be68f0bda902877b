//! What the loop waits for, and what it tells.

use std::time::Duration;

use lorgnette_device::camera::Frame;
use lorgnette_device::microphone::AudioChunk;
use lorgnette_device::power::PowerReading;

use super::job::{Answered, Done, Job};
use super::pace::Effort;
use super::trace::Trace;
use crate::Error;
use crate::mode::Mode;
#[cfg(feature = "cloud")]
use crate::mode::contemplating;
use crate::mode::router::Routed;

/// All that can happen.
#[derive(Debug)]
pub enum Event {
    /// The camera gave a frame.
    Frame(Frame),
    /// The camera is gone, or back.
    Camera(Presence),
    /// The microphone gave 20 ms of sound.
    Sound(AudioChunk),
    /// The microphone is gone, or back.
    Microphone(Presence),
    /// The button that is held while speaking.
    Button(Button),
    /// A question was typed.
    Text(String),
    /// The microphone was muted, or is not any more.
    Mute(bool),
    /// How things are with power.
    Power(PowerReading),
    /// Later questions are thought about so hard.
    Mode(Mode),
    /// The engine has something to say.
    Engine(Done),
    /// The wearer wants no more of the answer.
    Cancel,
    /// Nothing more will come: what is begun is answered, then the loop ends.
    Finish,
    /// The loop is to end now.
    Shutdown,
}

/// Whether a device is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not, any more.
    Lost,
    /// It is again.
    Back,
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// It was pressed.
    Down,
    /// It was let go.
    Up,
}

/// What is to be done after an event.
#[derive(Debug)]
pub enum Action {
    /// Work for the engine.
    Do(Job),
    /// News for those who watch.
    Tell(Report),
}

/// What those who watch hear of.
#[derive(Debug)]
pub enum Report {
    /// A turn began.
    Listening,
    /// The wearer is through: what follows is the answer.
    Heard,
    /// How hard the question is thought about, where that was up to the router.
    Routed(Routed),
    /// Agents that think about the question did something.
    #[cfg(feature = "cloud")]
    Agents(contemplating::Event),
    /// The next piece of the answer.
    Piece(String),
    /// The answer is over; why is in it.
    Answered(Box<Answered>),
    /// A turn was given up before it was answered.
    Dropped,
    /// Something went wrong; the loop goes on.
    Failed(Error),
    /// A device is gone or back.
    Camera(Presence),
    /// A device is gone or back.
    Microphone(Presence),
    /// The microphone lost sound.
    SoundLost,
    /// The engine does not keep up with what the wearer says.
    Behind {
        /// So much sound waits for it.
        by: Duration,
        /// What is done for the next question.
        next: Effort,
    },
    /// From this turn on so much is done: the machine did not keep up, does so again, or has another amount of power.
    Effort(Effort),
    /// Where the time of the last turn went.
    Turn(Trace),
    /// The loop has ended.
    Ended,
}
