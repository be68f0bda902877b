use std::fmt;

use lorgnette_runtime::mode::router::{Calibration, Route, Router, area_under_curve};
use serde::Serialize;

use super::{Tried, handed_over, wrong_at_once};

/// How good the rules are, on questions that they were not fitted to.
#[derive(Serialize)]
pub(super) struct Report {
    /// All that were asked.
    questions: usize,
    /// Those that the figures are of.
    judged: usize,
    /// Area under the curve of the rule for thinking: of a wrong answer at once against a right one.
    thinking_auc: Option<f64>,
    /// Of the rule for contemplating: of what is to be handed over against the rest.
    contemplating_auc: Option<f64>,
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

impl Report {
    pub(super) fn new(questions: usize, calibration: &Calibration, judged: &[&Tried]) -> Self {
        let router = Router { calibration: calibration.clone(), ..Router::default() };
        let route = |tried: &Tried| router.decide(tried.outlook.clone()).route;
        let all = || judged.iter().copied();
        let own: Vec<_> = all().filter(|tried| !tried.hand_over).collect();
        let thinks = |tried: &Tried| route(tried) != Route::Instant;
        let count = |is: &dyn Fn(&Tried) -> bool| own.iter().filter(|tried| is(tried)).count();
        Self {
            questions,
            judged: judged.len(),
            thinking_auc: area_under_curve(&calibration.thinking, &wrong_at_once(all())),
            contemplating_auc: area_under_curve(&calibration.contemplating, &handed_over(all())),
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
        let area = |area: Option<f64>| area.map_or("unknown".to_owned(), |area| format!("{area:.3}"));
        let Self { judged, own, to_hand_over, .. } = self;
        writeln!(f, "questions             {}, {judged} of them not seen by the fit", self.questions)?;
        writeln!(f, "thinking, AUC         {}", area(self.thinking_auc))?;
        writeln!(f, "contemplating, AUC    {}", area(self.contemplating_auc))?;
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
