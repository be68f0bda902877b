//! Which token comes next.

use std::cmp::Ordering;

use crate::TokenId;
use crate::backend::Candidates;

/// How a token is chosen from logits. The steps come in this order: penalty, temperature, top-k, top-p, min-p.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; at 0 the likeliest token is always taken.
    pub temperature: f32,
    /// Only so many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens that together have this probability (Holtzman et al. 2019); 1 for all.
    pub top_p: f32,
    /// Only tokens that have this share of the likeliest one's probability (Nguyen et al. 2024); 0 for all.
    pub min_p: f32,
    /// Divides positive logits of tokens that were said already and multiplies negative ones (Keskar et al. 2019); 1
    /// for none, as is what is not above 0.
    pub repetition_penalty: f32,
    /// How many tokens back count as said already.
    pub repetition_window: usize,
    /// Where the dice start.
    pub seed: u64,
}

impl Default for Sampling {
    /// Greedy.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            repetition_window: 64,
            seed: 0,
        }
    }
}

/// What a sampler has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The likeliest token.
    Likeliest,
    /// So many of the likeliest tokens with their logits.
    Candidates(usize),
    /// All logits.
    All,
}

/// Chooses tokens; the same seed and logits give the same choices.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    state: u64,
}

impl Sampler {
    /// A sampler at the start of its dice.
    pub fn new(sampling: Sampling) -> Self {
        Self { sampling, state: sampling.seed }
    }

    /// The token after `said`. `logits` has one number for each token of the vocabulary, and at least one; a token at
    /// negative infinity is not chosen while another is above.
    pub fn choose(&mut self, logits: &mut [f32], said: &[TokenId]) -> TokenId {
        self.penalize(logits, said);
        if self.sampling.temperature <= 0.0 {
            return likeliest(logits);
        }
        let candidates = self.candidates(logits);
        self.draw(candidates).unwrap_or_else(|| likeliest(logits))
    }

    /// What [`choose_among`](Self::choose_among) has to be given, the answer so far being `said`.
    pub(super) fn need(&self, said: &[TokenId]) -> Need {
        let Sampling { temperature, top_k, .. } = self.sampling;
        let (greedy, recent) = (temperature <= 0.0, self.recent(said).len());
        match self.penalty() {
            None if greedy => Need::Likeliest,
            // What is made likelier may come from anywhere.
            Some(penalty) if penalty < 1.0 => Need::All,
            // As many as are made less likely may drop out.
            _ if greedy => Need::Candidates(1 + recent),
            _ if top_k > 0 => Need::Candidates(top_k.saturating_add(recent)),
            _ => Need::All,
        }
    }

    /// As [`choose`](Self::choose), of the candidates that it [`need`](Self::need)s.
    pub(super) fn choose_among(&mut self, candidates: Candidates, said: &[TokenId]) -> TokenId {
        let mut pairs = match candidates {
            Candidates::All(mut logits) => return self.choose(&mut logits, said),
            Candidates::Likeliest(pairs) => pairs,
        };
        if let Some(penalty) = self.penalty() {
            let recent = self.recent(said);
            let said = pairs.iter_mut().filter(|(token, _)| recent.binary_search(token).is_ok());
            said.for_each(|(_, logit)| *logit = penalized(*logit, penalty));
        }
        if self.sampling.temperature <= 0.0 {
            return pairs.into_iter().min_by(by_logit).map_or(0, |(token, _)| token);
        }
        let order = self.limited(pairs);
        self.draw(order).unwrap_or(0)
    }

    /// The penalty, if it changes anything.
    fn penalty(&self) -> Option<f32> {
        let penalty = self.sampling.repetition_penalty;
        Some(penalty).filter(|penalty| *penalty != 1.0 && penalty.is_normal() && *penalty > 0.0)
    }

    /// The tokens that count as said, each once, in the order of their numbers.
    fn recent(&self, said: &[TokenId]) -> Vec<TokenId> {
        if self.penalty().is_none() {
            return Vec::new();
        }
        let mut recent = said[said.len().saturating_sub(self.sampling.repetition_window)..].to_vec();
        recent.sort_unstable();
        recent.dedup();
        recent
    }

    fn penalize(&self, logits: &mut [f32], said: &[TokenId]) {
        let Some(penalty) = self.penalty() else { return };
        for token in self.recent(said) {
            // What a constraint forbids stays forbidden.
            if let Some(logit) = logits.get_mut(token as usize).filter(|logit| logit.is_finite()) {
                *logit = penalized(*logit, penalty);
            }
        }
    }

    /// One of `candidates`, by the dice.
    fn draw(&mut self, mut candidates: Vec<(TokenId, f32)>) -> Option<TokenId> {
        let total: f32 = candidates.iter().map(|(_, p)| p).sum();
        let mut left = self.uniform() * total;
        let (last, _) = candidates.pop()?;
        for (token, probability) in candidates {
            left -= probability;
            if left < 0.0 {
                return Some(token);
            }
        }
        Some(last)
    }

    /// Tokens that may be chosen with what is left of their probability, the likeliest first.
    fn candidates(&self, logits: &[f32]) -> Vec<(TokenId, f32)> {
        let possible = logits.iter().enumerate().filter(|(_, logit)| **logit != f32::NEG_INFINITY);
        self.limited(possible.map(|(i, &l)| (i as TokenId, l)).collect())
    }

    /// What the limits leave of tokens with their logits, as [`candidates`](Self::candidates).
    fn limited(&self, mut order: Vec<(TokenId, f32)>) -> Vec<(TokenId, f32)> {
        let Sampling { temperature, top_k, top_p, min_p, .. } = self.sampling;
        if top_k > 0 && top_k < order.len() {
            order.select_nth_unstable_by(top_k, by_logit);
            order.truncate(top_k);
        }
        order.sort_unstable_by(by_logit);
        let largest = order.first().map_or(0.0, |(_, logit)| *logit);
        order.iter_mut().for_each(|(_, logit)| *logit = ((*logit - largest) / temperature).exp());
        let total: f32 = order.iter().map(|(_, weight)| weight).sum();
        let mut before = 0.0;
        let kept = order.iter().take_while(|(_, weight)| {
            let enough = before < top_p * total && *weight >= min_p;
            before += weight;
            enough
        });
        let kept = kept.count().max(1);
        order.truncate(kept);
        order
    }

    /// From 0 to below 1. SplitMix64 (Steele, Lea, Flood 2014).
    fn uniform(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// The likeliest first, and of those that are as likely the first.
fn by_logit(a: &(TokenId, f32), b: &(TokenId, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

fn penalized(logit: f32, penalty: f32) -> f32 {
    if logit > 0.0 { logit / penalty } else { logit * penalty }
}

/// The first of the tokens with the largest logit.
fn likeliest(logits: &[f32]) -> TokenId {
    let largest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
    (1..logits.len()).fold(0, largest) as TokenId
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [1.0, 3.0, 2.0, -1.0];

    fn draws(sampling: Sampling) -> [usize; 4] {
        let mut sampler = Sampler::new(sampling);
        let mut counts = [0; 4];
        (0..20_000).for_each(|_| counts[sampler.choose(&mut LOGITS.clone(), &[]) as usize] += 1);
        counts
    }

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        let mut sampler = Sampler::new(Sampling::default());
        assert_eq!(sampler.choose(&mut [0.0, 5.0, 5.0], &[]), 1);
        assert_eq!(sampler.choose(&mut [f32::NAN, 1.0], &[]), 0, "some token, whatever the logits");
    }

    #[test]
    fn draws_follow_the_probabilities() {
        let counts = draws(Sampling { temperature: 1.0, ..Sampling::default() });
        let total: f32 = LOGITS.iter().map(|l| l.exp()).sum();
        for (count, logit) in counts.iter().zip(LOGITS) {
            let share = *count as f32 / 20_000.0;
            assert!((share - logit.exp() / total).abs() < 0.015, "{counts:?}");
        }
    }

    #[test]
    fn limits_leave_only_the_likeliest() {
        let warm = Sampling { temperature: 1.0, ..Sampling::default() };
        // Probabilities: 0.09, 0.66, 0.24, 0.01.
        let kept = |sampling| draws(sampling).map(|count| count > 0);
        assert_eq!(kept(Sampling { top_k: 2, ..warm }), [false, true, true, false]);
        assert_eq!(kept(Sampling { top_p: 0.6, ..warm }), [false, true, false, false]);
        assert_eq!(kept(Sampling { top_p: 0.7, ..warm }), [false, true, true, false]);
        assert_eq!(kept(Sampling { min_p: 0.1, ..warm }), [true, true, true, false]);
        assert_eq!(kept(Sampling { top_p: 0.0, ..warm }), [false, true, false, false], "one is always left");
    }

    #[test]
    fn what_was_ruled_out_is_never_chosen() {
        const NEVER: f32 = f32::NEG_INFINITY;
        // Limits beyond their range keep tokens of no probability, and the last one takes what rounding leaves.
        let wide = Sampling { temperature: 1.0, top_p: 2.0, ..Sampling::default() };
        let mut sampler = Sampler::new(wide);
        let mut draw = || sampler.choose(&mut [NEVER, 0.1, 0.2, 0.3, NEVER], &[]);
        assert!((0..20_000).all(|_| (1..4).contains(&draw())));
        for sampling in [Sampling::default(), Sampling { repetition_penalty: 2.0, ..wide }] {
            assert_eq!(Sampler::new(sampling).choose(&mut [NEVER, -9.0, NEVER], &[0, 1]), 1);
        }
    }

    #[test]
    fn what_was_said_is_less_likely() {
        let mut sampler =
            Sampler::new(Sampling { repetition_penalty: 2.0, repetition_window: 2, ..Sampling::default() });
        assert_eq!(sampler.choose(&mut LOGITS.clone(), &[1]), 2);
        assert_eq!(sampler.choose(&mut LOGITS.clone(), &[1, 0, 0]), 1, "too long ago");
        let mut negative = [-1.0, -1.5];
        assert_eq!(sampler.choose(&mut negative, &[0]), 1);
    }

    #[test]
    fn the_candidates_that_are_needed_are_enough() {
        let logits: Vec<f32> = (0..97_u32).map(|i| (i * 7919 % 97) as f32 / 20.0).collect();
        let said: Vec<TokenId> = (0..97).step_by(3).collect();
        let greedy = Sampling { repetition_penalty: 1.7, ..Sampling::default() };
        let warm = Sampling { temperature: 0.8, top_k: 5, top_p: 0.9, min_p: 0.05, ..greedy };
        for sampling in [greedy, warm, Sampling { repetition_penalty: 1.0, ..warm }] {
            let (mut all, mut few) = (Sampler::new(sampling), Sampler::new(sampling));
            for _ in 0..200 {
                let Need::Candidates(count) = few.need(&said) else { panic!("{:?}", few.need(&said)) };
                let mut pairs: Vec<_> = (0..).zip(logits.iter().copied()).collect();
                pairs.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                pairs.truncate(count);
                let chosen = few.choose_among(Candidates::Likeliest(pairs), &said);
                assert_eq!(chosen, all.choose(&mut logits.clone(), &said));
            }
        }
        assert_eq!(Sampler::new(Sampling::default()).need(&said), Need::Likeliest);
        let likelier = Sampling { repetition_penalty: 0.5, ..warm };
        assert_eq!(Sampler::new(likelier).need(&said), Need::All);
    }

    #[test]
    fn the_seed_decides() {
        let sequence = |seed| {
            let mut sampler = Sampler::new(Sampling { temperature: 1.0, seed, ..Sampling::default() });
            (0..32).map(|_| sampler.choose(&mut LOGITS.clone(), &[])).collect::<Vec<_>>()
        };
        assert_eq!(sequence(1), sequence(1));
        assert_ne!(sequence(1), sequence(2));
    }
}
