//! What is said of many numbers.

use serde::Serialize;

/// A mean, and how far from it the true one may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub uncertainty: f64,
}

/// A mean in the making.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    count: usize,
    sum: f64,
    squares: f64,
}

impl Mean {
    pub(super) fn push(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.squares += value * value;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// NaN of nothing; an uncertainty of 0 of one.
    pub(super) fn estimate(&self) -> Estimate {
        let count = self.count as f64;
        let value = self.sum / count;
        let variance = (self.squares / count - value * value).max(0.0);
        Estimate { value, uncertainty: (variance / (count - 1.0).max(1.0)).sqrt() }
    }
}

/// The value below which a share of `sorted` lies, between neighbours on the line through them; 0 of nothing.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let value = |i: f64| sorted.get(i as usize).copied().unwrap_or_default();
    value(at.floor()) + (value(at.ceil()) - value(at.floor())) * at.fract()
}

/// The results of one measurement, made several times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Samples {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Sample standard deviation; 0 of one.
    pub deviation: f64,
    /// All of them, in the order they were made.
    pub samples: Vec<f64>,
}

impl From<Vec<f64>> for Samples {
    fn from(samples: Vec<f64>) -> Self {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let squares: f64 = samples.iter().map(|x| (x - mean).powi(2)).sum();
        let deviation = (squares / samples.len().saturating_sub(1).max(1) as f64).sqrt();
        Self { median: percentile(&sorted, 0.5), deviation, samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_a_median_and_a_deviation() {
        let samples = Samples::from(vec![9.0, 2.0, 4.0, 5.0, 4.0]);
        assert_eq!((samples.median, samples.deviation), (4.0, 6.7_f64.sqrt()));
        assert_eq!(samples.samples, [9.0, 2.0, 4.0, 5.0, 4.0]);
        assert_eq!(Samples::from(vec![1.0, 4.0]).median, 2.5);
        assert_eq!(Samples::from(vec![3.0]), Samples { median: 3.0, deviation: 0.0, samples: vec![3.0] });
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (share, expected) in [(0.0, 1.0), (0.25, 2.0), (0.5, 4.0), (0.625, 6.0), (1.0, 16.0)] {
            assert_eq!(percentile(&sorted, share), expected);
        }
        assert_eq!((percentile(&[5.0], 0.99), percentile(&[], 0.5)), (5.0, 0.0));
    }

    #[test]
    fn a_mean_has_a_standard_error() {
        let mut mean = Mean::default();
        [2.0, 4.0, 4.0, 6.0].into_iter().for_each(|x| mean.push(x));
        assert_eq!(mean.count(), 4);
        // The mean square is 18, so the variance 2.
        assert_eq!(mean.estimate(), Estimate { value: 4.0, uncertainty: (2.0_f64 / 3.0).sqrt() });
    }
}
