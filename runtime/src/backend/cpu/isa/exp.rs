//! The exponential function.

use super::Isa;

/// `e` to the power of each lane, which is taken as at least -87 and at most 88; within 2 units of the last place there.
///
/// A power of two times a polynomial on half an octave around 1, with the coefficients of Cephes (Moshier 1989).
#[inline(always)]
pub(in crate::backend::cpu) fn exp<I: Isa>(x: I::Floats) -> I::Floats {
    const COEFFICIENTS: [f32; 6] =
        [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    // The first part of the logarithm has few bits, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = I::min(I::splat(88.0), I::max(I::splat(-87.0), x));
    let octaves = I::round(I::mul(x, I::splat(std::f32::consts::LOG2_E)));
    let mut rest = x;
    for part in LN_2 {
        rest = I::sub(rest, I::mul(I::to_float(octaves), I::splat(part)));
    }
    let mut sum = I::splat(COEFFICIENTS[0]);
    for coefficient in &COEFFICIENTS[1..] {
        sum = I::fma(sum, rest, I::splat(*coefficient));
    }
    let near_one = I::add(I::fma(sum, I::mul(rest, rest), rest), I::splat(1.0));
    I::mul(near_one, I::power_of_two(octaves))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::isa::{Level, MAX_LANES, Work};

    struct Exp([f32; MAX_LANES]);

    impl Work for Exp {
        type Output = f32;

        fn run<I: Isa>(self) -> f32 {
            let mut out = [0.0; MAX_LANES];
            I::store(exp::<I>(I::load(&self.0)), &mut out);
            out[I::LANES - 1]
        }
    }

    #[test]
    fn exponentials_are_close_to_those_of_f64() {
        for &level in Level::all() {
            let exp = |x: f32| level.run(Exp([x; MAX_LANES]));
            for i in -8700..=8800 {
                let x = i as f32 / 100.0;
                let expected = f64::from(x).exp();
                assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2.4e-7, "{x}, {level:?}");
            }
            assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::INFINITY) > 1e38 && exp(f32::NAN).is_nan());
        }
    }
}
