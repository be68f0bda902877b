//! Sound that is known at every moment: a tone whose pitch wanders, never twice in the same way.

use std::f64::consts::TAU;

use super::random::Random;

/// Samples a second of the recording. What is heard has a third of it.
pub(crate) const RATE: usize = 48_000;
/// How long it lasts.
const SECONDS: usize = 4;
/// Samples over which the pitch goes in a straight line.
const LEG: usize = 2_400;
/// Heard samples that are compared at a time: a tenth of a second.
const PART: usize = 1_600;

/// The recording: half of full scale, between 200 and 2000 Hz.
pub(crate) fn recording() -> Vec<f32> {
    let mut random = Random(1);
    let mut pitch = || 200.0 + random.below(1_800) as f64;
    let pitches: Vec<f64> = (0..=RATE * SECONDS / LEG).map(|_| pitch()).collect();
    let mut phase = 0.0f64;
    let sample = |i: usize| {
        let (leg, part) = (i / LEG, (i % LEG) as f64 / LEG as f64);
        phase += (pitches[leg] + (pitches[leg + 1] - pitches[leg]) * part) / RATE as f64;
        (0.5 * (TAU * phase).sin()) as f32
    };
    (0..RATE * SECONDS).map(sample).collect()
}

/// Where the recording best fits into what was `heard` at 16 kHz, the lowest correlation of any tenth of a second of
/// it there; 0 when less was heard. A gap, a repetition or a sample too many spoils all parts behind it.
pub(crate) fn worst_correlation(heard: &[f32]) -> f64 {
    let recording = recording();
    let thirds: Vec<Vec<f32>> =
        (0..3).map(|skip| recording.iter().skip(skip).step_by(3).copied().collect()).collect();
    let parts = |third: &[f32], at: usize| -> f64 {
        let len = third.len() / PART;
        (0..len).map(|i| correlation(&third[i * PART..][..PART], &heard[at + i * PART..])).fold(1.0, f64::min)
    };
    // The start is found by the first part, at 48 kHz; the rest must then fit as it is.
    let starts = heard.len().saturating_sub(recording.len() / 3 + 1);
    let candidates = (0..starts).flat_map(|at| (0..3).map(move |third| (at, third)));
    let best = candidates.max_by(|a, b| {
        let fit = |(at, third): (usize, usize)| correlation(&thirds[third][..PART], &heard[at..]);
        fit(*a).total_cmp(&fit(*b))
    });
    best.map_or(0.0, |(at, third)| parts(&thirds[third], at))
}

/// The correlation of `a` with as much of `b`; 0 where one is silent.
fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0f64, 0.0f64, 0.0f64);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    if aa * bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

#[test]
fn a_gap_of_five_milliseconds_is_noticed() {
    let whole: Vec<f32> =
        [vec![0.0; 7_777], recording().into_iter().step_by(3).collect(), vec![0.0; 9_000]].concat();
    assert!(worst_correlation(&whole) > 0.999);
    let gap: Vec<f32> = [&whole[..40_000], &whole[40_080..]].concat();
    assert!(worst_correlation(&gap) < 0.9);
    let mut silence = whole;
    silence[40_000..40_400].fill(0.0);
    assert!(worst_correlation(&silence) < 0.9);
    assert_eq!(worst_correlation(&[0.5; 100]), 0.0);
}
