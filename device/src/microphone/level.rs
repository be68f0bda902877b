//! How loud sound is.

/// Loudness in decibels of full scale: 0 where a sample is 1, negative infinity for silence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The root of the mean square; -3 for a sine of full scale.
    pub rms_dbfs: f32,
    /// The sample farthest from zero.
    pub peak_dbfs: f32,
}

impl Level {
    /// The level of `samples`; that of silence when there are none.
    pub fn of(samples: &[f32]) -> Self {
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let mean_square = energy / samples.len().max(1) as f64;
        Self { rms_dbfs: 10.0 * mean_square.log10() as f32, peak_dbfs: 20.0 * peak.log10() }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn a_sine_of_full_scale_peaks_at_zero_and_means_three_decibels_less() {
        let sine: Vec<f32> = (0..320).map(|i| (i as f32 * std::f32::consts::TAU / 32.0).sin()).collect();
        let level = Level::of(&sine);
        assert!(level.peak_dbfs.abs() < 1e-3, "{level:?}");
        assert!((level.rms_dbfs + 3.0103).abs() < 1e-3, "{level:?}");
    }

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels_less() {
        let level = Level::of(&[0.1, -0.1]);
        assert!((level.peak_dbfs + 20.0).abs() < 1e-4 && (level.rms_dbfs + 20.0).abs() < 1e-4, "{level:?}");
    }

    #[test]
    fn silence_has_no_level() {
        let silence = Level { rms_dbfs: f32::NEG_INFINITY, peak_dbfs: f32::NEG_INFINITY };
        assert_eq!(Level::of(&[0.0; 320]), silence);
        assert_eq!(Level::of(&[]), silence);
    }
}
