use std::path::PathBuf;

use clap::ValueEnum;
use lorgnette_runtime::Result;
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::mode::router::{Route, Routed, Router};

use super::model;

/// Room for what opens and closes reasoning, also where the vocabulary has no tokens for it.
pub(crate) const MARKS: usize = 32;

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
    /// Chains of thought that share the budget; the answer that most of them come to is given
    #[arg(long, value_name = "N", default_value_t = 1)]
    chains: usize,
    /// What `lorgnette router` found out about this model, for --mode auto; of pico that is known
    #[arg(long, value_name = "FILE")]
    router: Option<PathBuf>,
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
    /// One of these, by how the answer would begin
    Auto,
}

impl Arguments {
    /// The mode that was chosen, if it is not up to the router.
    pub(crate) fn mode(&self) -> Option<Mode> {
        match self.mode {
            Choice::Instant => Some(Mode::Instant),
            Choice::Thinking => Some(Mode::Thinking { budget: self.budget }),
            #[cfg(feature = "cloud")]
            Choice::Contemplating => Some(Mode::Contemplating),
            Choice::Auto => None,
        }
    }

    /// Tokens of reasoning that there may be, and those around it.
    pub(crate) fn thoughts(&self) -> usize {
        if self.mode == Choice::Instant { 0 } else { self.budget.saturating_add(MARKS) }
    }

    pub(crate) fn chains(&self) -> usize {
        self.chains
    }

    pub(crate) fn router(&self, model: &model::Arguments, has_cloud: bool) -> Result<Router> {
        let calibration = model.calibration(self.router.as_deref())?;
        Ok(Router { calibration, budget: self.budget, has_cloud })
    }
}

/// What became of a question without a mode, for people.
pub(crate) fn describe(routed: &Routed) -> &'static str {
    match routed.route {
        Route::Instant => "answered at once",
        Route::Thinking => "thinking first",
        Route::Contemplating if routed.is_alone() => {
            "agents would be asked, but there are none: thinking first"
        }
        Route::Contemplating => "asking agents",
    }
}
