//! What bends the lines between two projections.

use super::isa::{Isa, Level, MAX_LANES, Work, exp};
use super::{Rows, team};
use crate::backend::Activation;

/// Elements that a thread takes at a time. A multiple of [`MAX_LANES`].
const ELEMENTS: usize = 8192;

/// `values` become `activation` of themselves.
#[inline(always)]
pub(super) fn activate<I: Isa>(activation: Activation, values: &mut [f32]) {
    Activate { activation, values, factors: &[] }.run::<I>();
}

/// `gate` becomes `activation` of itself times `up`.
pub(super) fn gate_by(activation: Activation, gate: &mut Rows, up: &Rows) {
    let level = Level::best();
    team::for_each_chunk(&mut gate.values, ELEMENTS, |index, values| {
        let factors = &up.values[index * ELEMENTS..][..values.len()];
        level.run(Activate { activation, values, factors });
    });
}

struct Activate<'a> {
    activation: Activation,
    values: &'a mut [f32],
    /// As many as `values`, or none.
    factors: &'a [f32],
}

impl Work for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match self.activation {
            Activation::GeluErf => self.each::<I, GeluErf>(),
            Activation::GeluTanh => self.each::<I, GeluTanh>(),
            Activation::GeluQuick => self.each::<I, GeluQuick>(),
            Activation::Silu => self.each::<I, Silu>(),
        }
    }
}

impl Activate<'_> {
    #[inline(always)]
    fn each<I: Isa, C: Curve>(self) {
        let Self { values, factors, .. } = self;
        for (index, values) in values.chunks_mut(I::LANES).enumerate() {
            let mut lanes = [0.0; MAX_LANES];
            lanes[..values.len()].copy_from_slice(values);
            let mut y = C::at::<I>(I::load(&lanes));
            if !factors.is_empty() {
                lanes[..values.len()].copy_from_slice(&factors[index * I::LANES..][..values.len()]);
                y = I::mul(y, I::load(&lanes));
            }
            I::store(y, &mut lanes);
            values.copy_from_slice(&lanes[..values.len()]);
        }
    }
}

/// An activation, lane by lane. A trait and not a closure, so that it is inlined.
trait Curve {
    fn at<I: Isa>(x: I::Floats) -> I::Floats;
}

/// `x` by one more than the exponential of `minus_k`.
#[inline(always)]
fn logistic<I: Isa>(x: I::Floats, minus_k: I::Floats) -> I::Floats {
    I::div(x, I::add(I::splat(1.0), exp::<I>(minus_k)))
}

struct Silu;

impl Curve for Silu {
    #[inline(always)]
    fn at<I: Isa>(x: I::Floats) -> I::Floats {
        logistic::<I>(x, I::sub(I::splat(0.0), x))
    }
}

struct GeluQuick;

impl Curve for GeluQuick {
    #[inline(always)]
    fn at<I: Isa>(x: I::Floats) -> I::Floats {
        logistic::<I>(x, I::mul(x, I::splat(-1.702)))
    }
}

/// `1 + tanh(u)` is twice the logistic function of `2 u`.
struct GeluTanh;

impl Curve for GeluTanh {
    #[inline(always)]
    fn at<I: Isa>(x: I::Floats) -> I::Floats {
        const MINUS_TWO_SQRT_2_OVER_PI: f32 = -1.595_769;
        let cubed = I::mul(I::mul(x, x), x);
        let u = I::fma(I::splat(0.044_715), cubed, x);
        logistic::<I>(x, I::mul(u, I::splat(MINUS_TWO_SQRT_2_OVER_PI)))
    }
}

/// With the error function of Abramowitz and Stegun (1964), 7.1.26, which is off by at most 1.5e-7. `q`, half of what is
/// beyond `|x|` under the bell on both sides, is taken off what `x` has of its own: nothing below zero.
struct GeluErf;

impl Curve for GeluErf {
    #[inline(always)]
    fn at<I: Isa>(x: I::Floats) -> I::Floats {
        const COEFFICIENTS: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
        let zero = I::splat(0.0);
        let magnitude = I::max(x, I::sub(zero, x));
        let z = I::mul(magnitude, I::splat(std::f32::consts::FRAC_1_SQRT_2));
        let t = I::div(I::splat(1.0), I::fma(z, I::splat(0.327_591_1), I::splat(1.0)));
        let mut sum = I::splat(0.0);
        for coefficient in COEFFICIENTS {
            sum = I::mul(I::add(sum, I::splat(coefficient)), t);
        }
        let q = I::mul(I::mul(sum, I::splat(0.5)), exp::<I>(I::mul(z, I::sub(zero, z))));
        // `max` gives its second argument when either is NaN.
        I::sub(I::max(zero, x), I::mul(magnitude, q))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 4] =
        [Activation::GeluErf, Activation::GeluTanh, Activation::GeluQuick, Activation::Silu];

    /// The error function by its series (below 3) and its tail.
    fn erf(x: f64) -> f64 {
        if x < 0.0 {
            return -erf(-x);
        }
        if x > 5.5 {
            return 1.0;
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    fn expected(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::GeluErf => 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt())),
            Activation::GeluTanh => {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + u.tanh())
            }
            Activation::GeluQuick => x / (1.0 + (-1.702 * x).exp()),
            Activation::Silu => x / (1.0 + (-x).exp()),
        }
    }

    #[test]
    fn activations_are_those_of_f64() {
        let xs: Vec<f32> = (-700..=700).map(|i| i as f32 / 100.0).collect();
        for activation in ALL {
            for &level in Level::all() {
                let mut values = xs.clone();
                level.run(Activate { activation, values: &mut values, factors: &[] });
                let mut doubled = xs.clone();
                let factors = vec![2.0; xs.len()];
                level.run(Activate { activation, values: &mut doubled, factors: &factors });
                for (i, &x) in xs.iter().enumerate() {
                    let error = (f64::from(values[i]) - expected(activation, f64::from(x))).abs();
                    assert!(error < 1.5e-6, "{activation:?} of {x}, {level:?}: off by {error}");
                    assert_eq!(doubled[i], 2.0 * values[i]);
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for activation in [Activation::GeluErf, Activation::GeluTanh, Activation::GeluQuick, Activation::Silu]
        {
            let mut values = [f32::NAN];
            Level::best().run(Activate { activation, values: &mut values, factors: &[] });
            assert!(values[0].is_nan(), "{activation:?}");
        }
    }
}
