//! What an engine is asked to do, and what comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pace::Effort;
use super::trace::Span;
use crate::Error;
use crate::conversation::Answer;
use crate::mode::Mode;
#[cfg(feature = "cloud")]
use crate::mode::contemplating::{Event as Agents, Telling};
use crate::mode::router::Routed;
use crate::model::media::Image;

/// The number of an answer: each attempt has its own, and later ones are larger.
pub type AnswerId = u64;

/// What an [`Engine`](super::Engine) is asked to do.
#[derive(Clone, Debug)]
pub enum Job {
    /// A turn begins, about what the wearer sees now.
    Begin(Option<Image>),
    /// The wearer goes on speaking.
    Hear(Vec<f32>),
    /// The wearer typed this.
    Read(String),
    /// The turn is answered as far as it goes, after a look at how hard it is where there is no mode. It may go on
    /// after that.
    Answer(AnswerId, Option<Mode>),
    /// What came with the turn is put into words, as if it were an answer.
    #[cfg(feature = "cloud")]
    Tell(AnswerId, Telling),
    /// The last answer counts: turn and answer become part of the conversation.
    Keep,
    /// The turn never was.
    Drop,
    /// So much is done from the next turn on.
    Effort(Effort),
}

/// What comes of a [`Job`].
#[derive(Debug)]
pub enum Done {
    /// Something was computed.
    Worked(Span),
    /// So many samples of [`Job::Hear`] do not wait any more.
    Heard(usize),
    /// How hard is thought about an answer, where there was no mode.
    Routed(AnswerId, Routed),
    /// The next piece of an answer.
    Piece(AnswerId, String),
    /// Agents that think about an answer did something.
    #[cfg(feature = "cloud")]
    Agents(AnswerId, Agents),
    /// The words of [`Job::Tell`].
    #[cfg(feature = "cloud")]
    Told(AnswerId, String),
    /// An answer is over.
    Answered(AnswerId, Answered),
    /// A job failed; so did the answer, if there is its number.
    Failed(Option<AnswerId>, Error),
    /// There are no more jobs, and there will be none.
    All,
}

impl Job {
    /// The answer that it makes.
    pub(super) fn answer(&self) -> Option<AnswerId> {
        match self {
            Self::Answer(id, _) => Some(*id),
            #[cfg(feature = "cloud")]
            Self::Tell(id, _) => Some(*id),
            _ => None,
        }
    }

    /// The sound that it is about, in samples.
    pub(super) fn samples(&self) -> usize {
        if let Self::Hear(samples) = self { samples.len() } else { 0 }
    }
}

/// An answer, with how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// How hard the model thought.
    pub mode: Mode,
    /// What the wearer is shown, and what it took.
    pub answer: Answer,
    /// What the model thought before; empty if it answered at once.
    pub reasoning: String,
}

/// Says which answers are not wanted any more. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicU64>);

impl Cancel {
    /// Breaks off the answer `id`, and those before it: within one token.
    pub fn cancel(&self, id: AnswerId) {
        self.0.fetch_max(id, Ordering::Relaxed);
    }

    /// Whether the answer `id` is not wanted any more.
    pub fn is_cancelled(&self, id: AnswerId) -> bool {
        self.0.load(Ordering::Relaxed) >= id
    }
}
