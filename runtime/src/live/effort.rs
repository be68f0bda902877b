//! What is left out when a machine does not keep up.

/// How much is done for a question. Each leaves out more than the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// All there is.
    #[default]
    Full,
    /// Pictures are taken small, and looked at once as a whole.
    SmallFrames,
    /// And sound is computed with in large pieces: fewer passes over the weights, more left to do at the end.
    LargeBlocks,
    /// And a smaller model answers, if there is one.
    SmallModel,
}

impl Effort {
    /// The next that leaves out more, if there is one.
    pub(super) fn less(self) -> Self {
        match self {
            Self::Full => Self::SmallFrames,
            Self::SmallFrames => Self::LargeBlocks,
            Self::LargeBlocks | Self::SmallModel => Self::SmallModel,
        }
    }

    /// The one before it.
    pub(super) fn more(self) -> Self {
        match self {
            Self::Full | Self::SmallFrames => Self::Full,
            Self::LargeBlocks => Self::SmallFrames,
            Self::SmallModel => Self::LargeBlocks,
        }
    }
}
