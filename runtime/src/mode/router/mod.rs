//! Which mode a question is answered in, where the wearer did not say.
//!
//! The model is asked to answer at once, and what it would begin with is looked at: how sure it is, and whether it would
//! hand the question over or call a tool. Two logistic rules on these numbers decide; they are fitted to a model by
//! [`fit()`], on questions whose answers are known, and kept in a small file.

mod fit;
mod outlook;

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::fit::{Sample, area_under_curve, fit};
pub use self::outlook::Outlook;
use crate::backend::Backend;
use crate::conversation::{Answer, AnswerOptions, Conversation, Event};
use crate::mode::Mode;
use crate::model::chat_template::Message;
use crate::{Error, Result};

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// An answer at once.
    Instant,
    /// Reasoning.
    Thinking,
    /// More than the device can do.
    Contemplating,
}

/// What became of a question without a mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// What it asks for.
    pub route: Route,
    /// What it gets: where agents are asked for and the device is alone, reasoning.
    pub mode: Mode,
    /// What that was decided by.
    pub outlook: Outlook,
}

/// Decides between modes.
#[derive(Clone, Debug, PartialEq)]
pub struct Router {
    /// The rules, as they were fitted.
    pub calibration: Calibration,
    /// Tokens of reasoning at most, where it is asked for.
    pub budget: usize,
    /// Whether there are agents to be asked, and the wearer allows it.
    pub has_cloud: bool,
}

impl Default for Router {
    /// Rules that were not fitted, and no cloud.
    fn default() -> Self {
        Self { calibration: Calibration::default(), budget: 256, has_cloud: false }
    }
}

/// The rules: for a question whose outlook they are true of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// An answer at once would be wrong.
    pub thinking: Rule,
    /// The device should hand it over.
    pub contemplating: Rule,
}

/// True where `bias + sum of weight * feature` is above `threshold`. In that order the weights are of the features that
/// [`Outlook::features`] names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// One for each feature.
    pub weights: [f32; Outlook::FEATURES],
    /// Added to their sum.
    pub bias: f32,
    /// What the sum is compared with.
    pub threshold: f32,
}

impl Default for Calibration {
    /// Without a fit: reasoning where the likeliest beginning has less than half of the probability, agents where handing
    /// over has more.
    fn default() -> Self {
        Self {
            thinking: Rule { weights: [-1.0, 0.0, 0.0, 0.0, 0.0], bias: 0.5, threshold: 0.0 },
            contemplating: Rule { weights: [0.0, 0.0, 0.0, 1.0, 0.0], bias: -0.5, threshold: 0.0 },
        }
    }
}

impl Calibration {
    /// Reads what [`fit()`] found, in JSON.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`], and [`crate::ErrorKind::Malformed`] for anything but two rules of finite numbers.
    pub fn read(path: &Path) -> Result<Self> {
        let read = || {
            let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", e))?;
            let expected = "the rules `thinking` and `contemplating` with weights, bias and threshold";
            let calibration: Self =
                serde_json::from_str(&text).map_err(|e| Error::malformed("calibration", e, expected))?;
            let rules = [&calibration.thinking, &calibration.contemplating];
            if !rules.iter().all(|rule| rule.is_finite()) {
                return Err(Error::malformed("calibration", "numbers beyond f32", "finite numbers"));
            }
            Ok(calibration)
        };
        read().map_err(|e: Error| e.in_file(path))
    }
}

impl Rule {
    /// How far the sum is above the threshold.
    pub fn score(&self, outlook: &Outlook) -> f32 {
        let sum: f32 = self.weights.iter().zip(outlook.features()).map(|(w, x)| w * x).sum();
        sum + self.bias - self.threshold
    }

    fn is_finite(&self) -> bool {
        self.weights.iter().chain([&self.bias, &self.threshold]).all(|number| number.is_finite())
    }
}

impl Router {
    /// Looks at how the answer to the last of `messages` would begin, and decides. `None` when `on` broke it off. With it
    /// what the look took, which the answer need not do again.
    ///
    /// # Errors
    /// As [`Conversation::first_logits`].
    pub fn route<B: Backend>(
        &self,
        conversation: &mut Conversation<B>,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(Answer, Option<Routed>)> {
        let mut options = options.clone();
        options.render.enable_thinking = Some(false);
        let (answer, logits) = conversation.first_logits(messages, &options, on)?;
        let outlook = logits.map(|logits| Outlook::of(&logits, conversation.model().tokenizer()));
        Ok((answer, outlook.map(|outlook| self.decide(outlook))))
    }

    /// What a question with this outlook gets. A tool is called at once.
    pub fn decide(&self, outlook: Outlook) -> Routed {
        let Calibration { thinking, contemplating } = &self.calibration;
        let route = if contemplating.score(&outlook) > 0.0 {
            Route::Contemplating
        } else if thinking.score(&outlook) > 0.0 && outlook.tool_call < 0.5 {
            Route::Thinking
        } else {
            Route::Instant
        };
        let mode = match route {
            Route::Instant => Mode::Instant,
            #[cfg(feature = "cloud")]
            Route::Contemplating if self.has_cloud => Mode::Contemplating,
            Route::Thinking | Route::Contemplating => Mode::Thinking { budget: self.budget },
        };
        Routed { route, mode, outlook }
    }
}

impl Routed {
    /// Whether more was asked for than there is.
    pub fn is_alone(&self) -> bool {
        self.route == Route::Contemplating && matches!(self.mode, Mode::Thinking { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(sure: f32, contemplate: f32, tool_call: f32) -> Outlook {
        Outlook { max_probability: sure, contemplate, tool_call, ..Outlook::default() }
    }

    #[test]
    fn who_is_sure_answers_and_who_is_not_thinks() {
        let router = Router { budget: 9, ..Router::default() };
        let routed = |sure, contemplate, tool| router.decide(outlook(sure, contemplate, tool));
        assert_eq!(
            (routed(0.9, 0.0, 0.0).route, routed(0.9, 0.0, 0.0).mode),
            (Route::Instant, Mode::Instant)
        );
        let thinking = routed(0.2, 0.0, 0.0);
        assert_eq!((thinking.route, thinking.mode), (Route::Thinking, Mode::Thinking { budget: 9 }));
        assert_eq!(routed(0.4, 0.0, 0.6).route, Route::Instant, "a tool is called at once");
    }

    #[test]
    fn without_a_cloud_the_device_thinks_and_says_so() {
        let alone = Router::default().decide(outlook(0.9, 0.9, 0.0));
        assert_eq!((alone.route, alone.is_alone()), (Route::Contemplating, true));
        assert!(matches!(alone.mode, Mode::Thinking { .. }));
        #[cfg(feature = "cloud")]
        {
            let router = Router { has_cloud: true, ..Router::default() };
            let routed = router.decide(outlook(0.9, 0.9, 0.0));
            assert_eq!((routed.mode, routed.is_alone()), (Mode::Contemplating, false));
        }
    }

    #[test]
    fn a_calibration_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("router.json");
        let calibration = Calibration::default();
        let text = serde_json::to_string(&calibration).expect("JSON");
        std::fs::write(&path, &text).expect("room");
        assert_eq!(Calibration::read(&path).expect("what was written"), calibration);
        for wrong in ["", "{}", &text.replace("0.5", "1e99"), &text.replace("bias", "bent")] {
            std::fs::write(&path, wrong).expect("room");
            let error = Calibration::read(&path).expect_err("what nobody wrote");
            assert_eq!((error.kind(), error.path()), (crate::ErrorKind::Malformed, Some(path.as_path())));
        }
    }
}
