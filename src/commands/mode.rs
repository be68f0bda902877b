use clap::ValueEnum;
use lorgnette_runtime::mode::Mode;

/// How hard to think.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// How hard to think; contemplating asks a cloud of agents, and needs an endpoint and your consent
    #[arg(long, value_enum, default_value_t)]
    mode: Choice,
    /// Tokens of reasoning at most, with --mode thinking
    #[arg(long, value_name = "TOKENS", default_value_t = 256)]
    budget: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The model of the device answers at once
    #[default]
    Instant,
    /// It reasons first
    Thinking,
    /// Agents think in parallel, the device drafts meanwhile
    #[cfg(feature = "cloud")]
    Contemplating,
}

impl Arguments {
    pub(crate) fn mode(&self) -> Mode {
        match self.mode {
            Choice::Instant => Mode::Instant,
            Choice::Thinking => Mode::Thinking { budget: self.budget },
            #[cfg(feature = "cloud")]
            Choice::Contemplating => Mode::Contemplating,
        }
    }
}
