//! How hard to think about a question.

#[cfg(feature = "cloud")]
pub mod contemplating;
pub mod router;
pub mod thinking;

/// How hard to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The model of the device answers at once. Opens no socket.
    #[default]
    Instant,
    /// It reasons first, for at most so many tokens. Opens no socket.
    Thinking {
        /// Tokens of reasoning at most, obeyed to the token.
        budget: usize,
    },
    /// Agents at endpoints that the wearer allowed think in parallel, while the device drafts an answer of its own.
    #[cfg(feature = "cloud")]
    Contemplating,
}
