//! When: sound and frames come in, answers go out, and when the wearer stops speaking almost nothing is left to do.
//!
//! A [`Session`] has the rules. It takes an [`Event`] and the time and says what is to be done; it waits for nothing. An
//! [`Engine`] does the work, one [`Job`] after the other. [`talk`] runs the two against real time, the engine on a thread
//! of its own; [`replay`] runs them one after the other, so that recordings give the same results at any speed.
//!
//! # Ahead of the wearer
//! The wearer's words are cut into turns by silence ([`Listening`]). While a turn goes on, its picture and each block of
//! its sound are encoded and prefilled. After 100 ms of silence the answer is begun; it is shown if the silence lasts for
//! 250 ms, and dropped if the wearer goes on.
//!
//! # Behind the wearer
//! Sound that waits for the engine is counted. When it is too much that is told, and from the next turn on less is done,
//! in the order of [`Effort`]; when three turns went well, more again.

#[cfg(feature = "cloud")]
mod contemplating;
mod engine;
mod event;
mod job;
mod listening;
mod pace;
mod queue;
mod relay;
mod replay;
mod session;
mod talk;
mod tiers;
mod trace;
mod view;
mod voice;
mod worker;

#[cfg(feature = "cloud")]
pub use self::contemplating::Contemplating;
pub use self::engine::Engine;
pub use self::event::{Action, Button, Event, Presence, Report};
pub use self::job::{AnswerId, Answered, Cancel, Done, Job};
pub use self::listening::{Heard, Listening, ListeningOptions};
pub use self::pace::Effort;
pub use self::relay::{Relay, Reserve};
pub use self::replay::replay;
pub use self::session::Session;
pub use self::talk::{EVENTS, talk};
pub use self::tiers::Tiers;
pub use self::trace::{Span, Stage, Trace, write_perfetto};
#[cfg(feature = "npu")]
pub use self::voice::Silero;
pub use self::voice::{Earshot, FRAME, VoiceDetector};
pub use self::worker::Worker;
