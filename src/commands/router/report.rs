use std::fmt;

use lorgnette_runtime::mode::router::{Calibration, Route, Router, Rule, Sample, area_under_curve};
use serde::Serialize;

use super::Tried;
use super::choice::{Choice, handed_over, wrong_at_once};

/// How good the rules are, on questions that they were not fitted to.
#[derive(Serialize)]
pub(super) struct Report {
    /// All that were asked.
    questions: usize,
    /// Those that the figures are of.
    judged: usize,
    /// Of the rule for thinking: of a wrong answer at once against a right one.
    thinking: Areas,
    /// Of the rule for contemplating: of what is to be handed over against the rest.
    contemplating: Areas,
    /// Of those the device should answer, how many are right if all are answered at once.
    right_at_once: usize,
    /// If all are thought about.
    right_after_thinking: usize,
    /// If the rules decide.
    right_routed: usize,
    /// How many of them are then thought about.
    thought_about: usize,
    /// How many there are.
    own: usize,
    /// Of those to be handed over, how many are.
    handed_over: usize,
    /// How many there are.
    to_hand_over: usize,
}

/// Areas under the curve.
#[derive(Serialize)]
struct Areas {
    /// Of the rule by the distribution of the first token.
    distribution_auc: Option<f64>,
    /// Of the rule by that and the hidden state.
    state_auc: Option<f64>,
    /// Whether the latter is used, as cross-validation has it.
    uses_state: bool,
}

impl Areas {
    fn new(choice: &Choice, samples: &[Sample]) -> Self {
        let Choice { with_state, without, uses_state } = choice;
        // Beside a threshold that is never met scores would be rounded away.
        let area = |rule: &Rule| area_under_curve(&Rule { threshold: 0.0, ..rule.clone() }, samples);
        Self { distribution_auc: area(without), state_auc: area(with_state), uses_state: *uses_state }
    }
}

impl fmt::Display for Areas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let area = |area: Option<f64>| area.map_or("unknown".to_owned(), |area| format!("{area:.3}"));
        let (distribution, state) = (area(self.distribution_auc), area(self.state_auc));
        let used = if self.uses_state { "latter" } else { "former" };
        write!(f, "{distribution} by the distribution, {state} with the hidden state too; the {used} is used")
    }
}

impl Report {
    pub(super) fn new(questions: usize, judged: &[Tried], [thinking, contemplating]: [&Choice; 2]) -> Self {
        let calibration =
            Calibration { thinking: thinking.used().clone(), contemplating: contemplating.used().clone() };
        let router = Router { calibration, ..Router::default() };
        let route = |tried: &Tried| router.decide(tried.evidence.clone()).route;
        let all = || judged.iter();
        let own: Vec<_> = all().filter(|tried| !tried.hand_over).collect();
        let thinks = |tried: &Tried| route(tried) != Route::Instant;
        let count = |is: &dyn Fn(&Tried) -> bool| own.iter().filter(|tried| is(tried)).count();
        Self {
            questions,
            judged: judged.len(),
            thinking: Areas::new(thinking, &wrong_at_once(judged)),
            contemplating: Areas::new(contemplating, &handed_over(judged)),
            right_at_once: count(&|tried| tried.right_at_once),
            right_after_thinking: count(&|tried| tried.right_after_thinking),
            right_routed: count(&|tried| match thinks(tried) {
                true => tried.right_after_thinking,
                false => tried.right_at_once,
            }),
            thought_about: count(&thinks),
            own: own.len(),
            handed_over: all().filter(|it| it.hand_over && route(it) == Route::Contemplating).count(),
            to_hand_over: all().filter(|tried| tried.hand_over).count(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { judged, own, to_hand_over, .. } = self;
        writeln!(f, "questions             {}, {judged} of them not seen by the fit", self.questions)?;
        writeln!(f, "thinking, AUC         {}", self.thinking)?;
        writeln!(f, "contemplating, AUC    {}", self.contemplating)?;
        writeln!(f, "right at once         {} of {own}", self.right_at_once)?;
        writeln!(f, "right after thinking  {} of {own}", self.right_after_thinking)?;
        writeln!(
            f,
            "right as routed       {} of {own}, {} thought about",
            self.right_routed, self.thought_about
        )?;
        writeln!(f, "handed over           {} of {to_hand_over}", self.handed_over)
    }
}
