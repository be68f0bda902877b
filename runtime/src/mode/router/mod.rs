//! Which mode a question is answered in, where the wearer did not say.
//!
//! The model is asked to answer at once, and what it would begin with is looked at: how sure it is, whether it would hand
//! the question over or call a tool, and, where the rules were fitted to it, the hidden state that this comes from. Two
//! logistic rules on these numbers decide; they are fitted to a model by [`fit()`], on questions whose answers are known,
//! and kept in a small file.

mod calibration;
mod fit;
mod logistic;
mod outlook;

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

pub use self::calibration::{Calibration, Rule};
pub use self::fit::{Features, Fitted, Sample, area_under_curve, fit};
pub use self::outlook::Outlook;
use crate::Result;
use crate::backend::Backend;
use crate::conversation::{Answer, AnswerOptions, Beginning, Conversation, Event};
use crate::mode::Mode;
use crate::model::chat_template::Message;

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

/// What is known of a question before it is answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// How the answer would begin.
    pub outlook: Outlook,
    /// The hidden state that this comes from, `[width]` as [`Decoder::state`](crate::model::decoder::Decoder::state) has
    /// it; nothing where it was not asked for.
    pub state: Vec<f32>,
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

impl Router {
    /// Looks at how the answer to the last of `messages` would begin, and decides. `None` when `on` broke it off. With it
    /// what the look took, which the answer need not do again. The hidden state is read where a rule has weights for it.
    ///
    /// # Errors
    /// As [`Conversation::first_logits`], and [`ErrorKind::Argument`](crate::ErrorKind::Argument) when the rules were
    /// fitted to a model of another width.
    pub fn route<B: Backend>(
        &self,
        conversation: &mut Conversation<B>,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(Answer, Option<Routed>)> {
        self.calibration.check(conversation.model().decoder().config().width)?;
        let (answer, evidence) = if self.calibration.needs_state() {
            look(conversation, messages, options, on)?
        } else {
            let options = at_once(options);
            let (answer, logits) = conversation.first_logits(messages, &options, on)?;
            let outlook = logits.map(|logits| Outlook::of(&logits, conversation.model().tokenizer()));
            (answer, outlook.map(|outlook| Evidence { outlook, state: Vec::new() }))
        };
        Ok((answer, evidence.map(|evidence| self.decide(evidence))))
    }

    /// What a question of which this is known gets. A tool is called at once.
    pub fn decide(&self, evidence: Evidence) -> Routed {
        let Calibration { thinking, contemplating } = &self.calibration;
        let route = if contemplating.score(&evidence) > 0.0 {
            Route::Contemplating
        } else if thinking.score(&evidence) > 0.0 && evidence.outlook.tool_call < 0.5 {
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
        Routed { route, mode, outlook: evidence.outlook }
    }
}

/// All that is known of the last of `messages` before it is answered; `None` when `on` broke it off. With it what that
/// took.
///
/// # Errors
/// As [`Conversation::first_logits`].
pub fn look<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(Answer, Option<Evidence>)> {
    let (answer, beginning) = conversation.first_logits_and_state(messages, &at_once(options), on)?;
    let tokenizer = conversation.model().tokenizer();
    let evidence = |Beginning { logits, state }| Evidence { outlook: Outlook::of(&logits, tokenizer), state };
    Ok((answer, beginning.map(evidence)))
}

/// An answer without reasoning.
fn at_once(options: &AnswerOptions) -> AnswerOptions {
    let mut options = options.clone();
    options.render.enable_thinking = Some(false);
    options
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

    fn evidence(sure: f32, contemplate: f32, tool_call: f32) -> Evidence {
        let outlook = Outlook { max_probability: sure, contemplate, tool_call, ..Outlook::default() };
        Evidence { outlook, state: Vec::new() }
    }

    #[test]
    fn who_is_sure_answers_and_who_is_not_thinks() {
        let router = Router { budget: 9, ..Router::default() };
        let routed = |sure, contemplate, tool| router.decide(evidence(sure, contemplate, tool));
        assert_eq!(
            (routed(0.9, 0.0, 0.0).route, routed(0.9, 0.0, 0.0).mode),
            (Route::Instant, Mode::Instant)
        );
        let thinking = routed(0.2, 0.0, 0.0);
        assert_eq!((thinking.route, thinking.mode), (Route::Thinking, Mode::Thinking { budget: 9 }));
        assert_eq!(routed(0.4, 0.0, 0.6).route, Route::Instant, "a tool is called at once");
    }

    #[test]
    fn the_hidden_state_is_heard_where_a_rule_has_weights_for_it() {
        let mut router = Router::default();
        router.calibration.thinking.state_weights = vec![0.0, 2.0];
        let decide = |state| router.decide(Evidence { state, ..evidence(0.9, 0.0, 0.0) }).route;
        assert_eq!([decide(vec![1.0, 0.1]), decide(vec![0.0, 0.3])], [Route::Instant, Route::Thinking]);
    }

    #[test]
    fn without_a_cloud_the_device_thinks_and_says_so() {
        let alone = Router::default().decide(evidence(0.9, 0.9, 0.0));
        assert_eq!((alone.route, alone.is_alone()), (Route::Contemplating, true));
        assert!(matches!(alone.mode, Mode::Thinking { .. }));
        #[cfg(feature = "cloud")]
        {
            let router = Router { has_cloud: true, ..Router::default() };
            let routed = router.decide(evidence(0.9, 0.9, 0.0));
            assert_eq!((routed.mode, routed.is_alone()), (Mode::Contemplating, false));
        }
    }
}
