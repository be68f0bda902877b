//! What people say about mode, sources and cloud; the rest of the state is in the glasses.

use lorgnette_runtime::mode::Mode;

use crate::cloud::{Allowed, contemplating};
use crate::input::{ModeName, Source, Thinking};
use crate::{Error, ErrorKind, Result};

/// Tokens of reasoning, unless somebody says how many.
const USUAL_BUDGET: usize = 256;

/// The most that somebody may say.
const MOST_BUDGET: usize = 100_000;

/// How things are set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How hard to think.
    pub mode: Mode,
    /// The scene that is shown.
    pub scene: Option<String>,
    /// Where light comes from.
    pub camera: Source,
    /// Where sound comes from.
    pub microphone: Source,
    /// Whether there is a network.
    pub network: bool,
    /// What may leave.
    pub consent: Allowed,
}

impl Default for Settings {
    /// The scenes are seen and heard, and nothing may leave.
    fn default() -> Self {
        Self {
            mode: Mode::Instant,
            scene: None,
            camera: Source::Scene,
            microphone: Source::Scene,
            network: true,
            consent: Allowed::default(),
        }
    }
}

/// The mode that is asked for.
pub(super) fn mode(thinking: Thinking) -> Result<Mode> {
    match thinking {
        Thinking::Named(ModeName::Instant) => Ok(Mode::Instant),
        Thinking::Named(ModeName::Thinking) => Ok(Mode::Thinking { budget: USUAL_BUDGET }),
        Thinking::Named(ModeName::Contemplating) => contemplating().ok_or_else(|| {
            let detail =
                "found contemplating, expected instant or thinking: this program was built without a cloud";
            Error::new(ErrorKind::Argument, "mode", detail)
        }),
        Thinking::Budget { thinking } if (1..=MOST_BUDGET).contains(&thinking) => {
            Ok(Mode::Thinking { budget: thinking })
        }
        Thinking::Budget { thinking } => {
            Err(Error::malformed("mode.thinking", thinking, format!("1 to {MOST_BUDGET}")))
        }
    }
}
