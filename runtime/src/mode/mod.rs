//! How hard to think about a question.

#[cfg(feature = "cloud")]
pub mod contemplating;

/// How hard to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The model of the device answers at once. Opens no socket.
    #[default]
    Instant,
    /// Agents at endpoints that the wearer allowed think in parallel, while the device drafts an answer of its own.
    #[cfg(feature = "cloud")]
    Contemplating,
}
