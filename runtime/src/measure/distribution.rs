//! Logits as probabilities.

use crate::TokenId;

/// The softmax of logits.
pub(super) struct Distribution<'a> {
    logits: &'a [f32],
    /// Natural logarithm of the sum of their exponentials.
    log_sum: f64,
    /// The likeliest token, the first of several.
    pub(super) top: usize,
}

impl<'a> Distribution<'a> {
    pub(super) fn of(logits: &'a [f32]) -> Self {
        let (mut top, mut max) = (0, f32::NEG_INFINITY);
        for (token, &logit) in logits.iter().enumerate() {
            if logit > max {
                (top, max) = (token, logit);
            }
        }
        let sum: f64 = logits.iter().map(|&logit| f64::from((logit - max).exp())).sum();
        Self { logits, log_sum: f64::from(max) + sum.ln(), top }
    }

    /// The natural logarithm of the probability of `token`, which is in the vocabulary.
    pub(super) fn log_probability(&self, token: TokenId) -> f64 {
        f64::from(self.logits[token as usize]) - self.log_sum
    }

    /// Kullback-Leibler divergence of `other` from this, in nats: what it costs to take `other` for this.
    pub(super) fn divergence(&self, other: &Self) -> f64 {
        let offset = other.log_sum - self.log_sum;
        let terms = self.logits.iter().zip(other.logits).map(|(&a, &b)| {
            let probability = f64::from(((f64::from(a) - self.log_sum) as f32).exp());
            // What cannot happen costs nothing, even where the difference is not a number.
            if probability == 0.0 { 0.0 } else { probability * (f64::from(a) - f64::from(b) + offset) }
        });
        terms.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 1e-6;

    #[test]
    fn probabilities_are_those_of_the_softmax() {
        // Exponentials 1, 2, 5: together 8.
        let logits = [0.0, 2.0_f32.ln(), 5.0_f32.ln()].map(|x| x + 90.0);
        let distribution = Distribution::of(&logits);
        for (token, expected) in [0.125_f64, 0.25, 0.625].into_iter().enumerate() {
            let found = distribution.log_probability(token as TokenId);
            // The logits near 90 are steps of 7.6e-6 apart.
            assert!((found - expected.ln()).abs() < 1e-5, "{token}: {found}");
        }
        assert_eq!((distribution.top, Distribution::of(&[1.0, 3.0, 3.0]).top), (2, 1));
    }

    #[test]
    fn divergence_is_that_of_the_formula() {
        let (p, q) = ([0.5_f32, 0.25, 0.25], [0.25_f32, 0.25, 0.5]);
        let logs = |x: [f32; 3]| x.map(f32::ln);
        let (a, b) = (logs(p), logs(q).map(|x| x + 3.0));
        let (a, b) = (Distribution::of(&a), Distribution::of(&b));
        // 0.5 ln 2 + 0.25 ln 1 + 0.25 ln 0.5
        assert!((a.divergence(&b) - 0.25 * 2.0_f64.ln()).abs() < TOLERANCE);
        assert_eq!(a.divergence(&a), 0.0);
    }

    #[test]
    fn what_cannot_happen_costs_nothing() {
        let impossible = [0.0, f32::NEG_INFINITY];
        let (a, b) = (Distribution::of(&impossible), Distribution::of(&[0.0, 0.0]));
        assert!((a.divergence(&b) - 2.0_f64.ln()).abs() < TOLERANCE);
    }
}
