//! Sound of other rates, heard through a whole microphone.

use std::f64::consts::TAU;

use lorgnette_device::microphone::Format;
use proptest::prelude::*;

use crate::random::Random;
use crate::stage::Stage;
use crate::{chunks, hearing, joined, sine};

/// How much of `hz` is in `samples` at 16 kHz: the amplitude of the sine and cosine that fit best, and the root of the
/// mean square of what is left.
fn fit(samples: &[f32], hz: f64) -> (f64, f64) {
    let angle = |i: usize| TAU * hz * i as f64 / 16_000.0;
    let part = |wave: fn(f64) -> f64| {
        let sum: f64 = samples.iter().enumerate().map(|(i, &s)| f64::from(s) * wave(angle(i))).sum();
        2.0 * sum / samples.len() as f64
    };
    let (a, b) = (part(f64::sin), part(f64::cos));
    let left = |(i, &s): (usize, &f32)| (f64::from(s) - a * angle(i).sin() - b * angle(i).cos()).powi(2);
    let left: f64 = samples.iter().enumerate().map(left).sum();
    (a.hypot(b), (left / samples.len() as f64).sqrt())
}

#[test]
fn a_sine_keeps_its_frequency_its_amplitude_and_its_time() {
    for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_056, 44_100, 48_000, 96_000, 192_000] {
        for hz in [100.0, 1_000.0, 3_000.0] {
            let (mut microphone, _) = hearing(Format { rate, channels: 1 }, sine(hz, rate, 1.2));
            let heard = joined(&chunks(&mut microphone));
            // A second of it, away from the ends: whole periods.
            let (amplitude, left) = fit(&heard[1_600..17_600], hz);
            assert!((amplitude - 0.5).abs() < 1e-4 && left < 2e-5, "{hz} Hz at {rate}: {amplitude}, {left}");
            // The sound is where it was: within a sample, where the filter's delay was rounded down.
            let shift = |by: f64| {
                let wave = |i: usize| 0.5 * (TAU * hz * (i as f64 + by) / 16_000.0).sin();
                (1_600..17_600).map(|i| (f64::from(heard[i]) - wave(i)).powi(2)).sum::<f64>()
            };
            let best = (-30..=30).map(|i| f64::from(i) / 10.0).min_by(|a, b| shift(*a).total_cmp(&shift(*b)));
            assert!(best.unwrap().abs() <= 1.0, "{hz} Hz at {rate} is {best:?} samples off");
        }
    }
}

#[test]
fn what_16_khz_cannot_hold_is_not_folded_into_it() {
    for rate in [32_000, 44_100, 48_000] {
        let (mut microphone, _) = hearing(Format { rate, channels: 1 }, sine(9_500.0, rate, 1.2));
        let heard = joined(&chunks(&mut microphone));
        let loudest = heard[1_600..17_600].iter().fold(0.0f32, |a, s| a.max(s.abs()));
        assert!(loudest < 0.5e-4, "{rate}: {loudest}");
    }
}

#[test]
fn a_recording_lasts_as_long_at_every_rate() {
    for rate in [8_000, 11_025, 44_100, 48_000] {
        let (mut microphone, _) = hearing(Format { rate, channels: 1 }, sine(440.0, rate, 1.0));
        assert_eq!(chunks(&mut microphone).len(), 50, "{rate}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Blocks of any sizes, through the ring, give the very samples that the recording gives.
    #[test]
    fn however_it_is_cut_the_sound_is_the_same(
        rate in prop::sample::select(vec![8_000u32, 16_000, 22_050, 44_100, 48_000]),
        sizes in prop::collection::vec(1usize..1500, 1..40),
        seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let mut noise = || random.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0;
        let samples: Vec<f32> = (0..sizes.iter().sum::<usize>()).map(|_| noise()).collect();
        let format = Format { rate, channels: 1 };
        let (mut whole, _) = hearing(format, samples.clone());
        let expected = joined(&chunks(&mut whole));
        let heard = joined(&Stage::cut(format, &samples, &sizes));
        prop_assert_eq!(&heard[..], &expected[..heard.len()]);
        // At most the filter's delay and a step of it are still on their way.
        prop_assert!(expected.len() <= heard.len() + 2 * 320, "{} of {}", heard.len(), expected.len());
    }
}
