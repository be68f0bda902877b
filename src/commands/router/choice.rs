use std::cmp::Reverse;

use lorgnette_runtime::mode::router::{Features, Fitted, Rule, Sample, fit};

use super::Tried;

/// A rule with the hidden state and one without, of which one is used.
pub(super) struct Choice {
    pub(super) with_state: Rule,
    pub(super) without: Rule,
    pub(super) uses_state: bool,
}

impl Choice {
    /// The rules that fit `samples`, or the `usual` one where none does. The hidden state has to earn its place.
    pub(super) fn among(samples: &[Sample], usual: Rule) -> Self {
        let [with, without] =
            [Features::OutlookAndState, Features::Outlook].map(|features| fit(samples, features));
        let area = |fitted: &Option<Fitted>| fitted.as_ref().and_then(|fitted| fitted.area);
        let uses_state = area(&with) > area(&without);
        let rule = |fitted: Option<Fitted>| fitted.map_or_else(|| usual.clone(), |fitted| fitted.rule);
        Self { uses_state, with_state: rule(with), without: rule(without) }
    }

    pub(super) fn used(&self) -> &Rule {
        if self.uses_state { &self.with_state } else { &self.without }
    }

    /// The same with the threshold above which most answers are right: thinking may help with few of those that are wrong
    /// at once, or with none. How many that are is found with each half of the questions scored by a rule that was fitted
    /// to the other.
    pub(super) fn that_gains(mut self, tried: &[Tried]) -> Self {
        let features = if self.uses_state { Features::OutlookAndState } else { Features::Outlook };
        let half = |rest: usize| tried.iter().skip(rest).step_by(2);
        let scored = [(0, 1), (1, 0)].map(|(fitted_to, scored)| {
            let rule = fit(&wrong_at_once(half(fitted_to)), features)?.rule;
            let own = half(scored).filter(|tried| !tried.hand_over);
            Some(own.map(|tried| (rule.score(&tried.evidence), gain(tried))).collect::<Vec<_>>())
        });
        if let [Some(first), Some(second)] = scored {
            let count = worth_thinking([first, second].concat());
            let rule = if self.uses_state { &mut self.with_state } else { &mut self.without };
            let own = tried.iter().filter(|tried| !tried.hand_over);
            rule.threshold = threshold(own.map(|tried| rule.score(&tried.evidence)).collect(), count);
        }
        self
    }
}

/// What thinking adds to the answers that are right.
fn gain(tried: &Tried) -> i64 {
    i64::from(tried.right_after_thinking) - i64::from(tried.right_at_once)
}

/// How many of the highest scores have gains that add up to most.
fn worth_thinking(mut scored: Vec<(f32, i64)>) -> usize {
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let sums = scored.iter().scan(0, |sum, (_, gain)| {
        *sum += gain;
        Some(*sum)
    });
    let best = sums.enumerate().filter(|(_, sum)| *sum > 0).max_by_key(|(i, sum)| (*sum, Reverse(*i)));
    best.map_or(0, |(i, _)| i + 1)
}

/// What the `count` highest of the scores are above, and others are not.
fn threshold(mut scores: Vec<f32>, count: usize) -> f32 {
    scores.sort_by(|a, b| b.total_cmp(a));
    match (count.checked_sub(1).and_then(|last| scores.get(last)), scores.get(count)) {
        (None, _) => f32::MAX,
        (Some(last), Some(next)) => (last + next) / 2.0,
        (Some(last), None) => last - 1.0,
    }
}

/// What the device should answer, and whether the answer at once is wrong.
pub(super) fn wrong_at_once<'a>(tried: impl IntoIterator<Item = &'a Tried>) -> Vec<Sample> {
    let own = tried.into_iter().filter(|tried| !tried.hand_over);
    own.map(|tried| Sample { evidence: tried.evidence.clone(), label: !tried.right_at_once }).collect()
}

/// Everything, and whether the device should hand it over.
pub(super) fn handed_over<'a>(tried: impl IntoIterator<Item = &'a Tried>) -> Vec<Sample> {
    tried
        .into_iter()
        .map(|tried| Sample { evidence: tried.evidence.clone(), label: tried.hand_over })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thought_about_is_what_gains_most() {
        assert_eq!(worth_thinking(vec![(1.0, 1), (3.0, 1), (2.0, 0), (0.0, -1), (-1.0, 0)]), 3);
        assert_eq!(worth_thinking(vec![(3.0, -1), (2.0, 0), (0.0, -1)]), 0, "nothing is");
        assert_eq!(
            worth_thinking(vec![(3.0, 1), (2.0, -1), (1.0, 1), (0.0, -1)]),
            1,
            "no more than it takes"
        );
        assert_eq!(worth_thinking(Vec::new()), 0);
    }

    #[test]
    fn a_threshold_has_so_many_scores_above_it() {
        let above = |count| {
            let threshold = threshold(vec![0.0, 3.0, -2.0, 1.0], count);
            [0.0, 3.0, -2.0, 1.0].iter().filter(|score| **score > threshold).count()
        };
        assert_eq!([0, 1, 2, 3, 4].map(above), [0, 1, 2, 3, 4]);
        assert_eq!(threshold(vec![7.0], 0), f32::MAX, "nothing is ever thought about");
    }
}
