//! Eight floats that go through the same arithmetic side by side.
//!
//! A scale search is a chain of sums whose order decides the last bit. Giving each of eight independent sub-blocks
//! its own lane keeps every chain in its order and still fills a vector register: the loops here are plain code
//! that the compiler turns into vector instructions, with the same result on every machine.

use std::array::from_fn;
use std::ops::{Add, BitAnd, Div, Mul, Neg, Not, Sub};

/// Lanes in a [`Lanes`].
pub(super) const LANES: usize = 8;

/// Adding this to a float of magnitude below 2^22 leaves its nearest integer, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// One float for each lane.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Lanes([f32; LANES]);

/// One condition for each lane.
#[derive(Clone, Copy)]
pub(super) struct Mask([bool; LANES]);

/// The nearest integer, ties to even. Defined, though meaningless, for infinities, NaN and magnitudes above 2^22.
#[inline(always)]
pub(super) fn nearest(x: f32) -> i32 {
    ((x + ROUNDER).to_bits() & 0x7f_ffff) as i32 - 0x40_0000
}

/// The low byte of an `x` that is an integer already; 0 for infinities and NaN.
#[inline(always)]
pub(super) fn low_byte(x: f32) -> u8 {
    (x + ROUNDER).to_bits() as u8
}

impl Lanes {
    pub(super) const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    pub(super) fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    pub(super) fn to_array(self) -> [f32; LANES] {
        self.0
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Self(from_fn(|i| f(self.0[i])))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }

    /// [`nearest`], as floats.
    #[inline(always)]
    pub(super) fn nearest(self) -> Self {
        self.map(|x| nearest(x) as f32)
    }

    #[inline(always)]
    pub(super) fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if b < a { b } else { a })
    }

    #[inline(always)]
    pub(super) fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if b > a { b } else { a })
    }

    #[inline(always)]
    pub(super) fn clamp(self, low: f32, high: f32) -> Self {
        self.min(Self::splat(high)).max(Self::splat(low))
    }

    #[inline(always)]
    pub(super) fn gt(self, other: Self) -> Mask {
        Mask(from_fn(|i| self.0[i] > other.0[i]))
    }

    #[inline(always)]
    pub(super) fn eq(self, other: Self) -> Mask {
        Mask(from_fn(|i| self.0[i] == other.0[i]))
    }

    #[inline(always)]
    pub(super) fn lt(self, other: Self) -> Mask {
        other.gt(self)
    }
}

impl Mask {
    /// `yes` in the lanes where the condition holds, `no` in the others.
    #[inline(always)]
    pub(super) fn select(self, yes: Lanes, no: Lanes) -> Lanes {
        Lanes(from_fn(|i| if self.0[i] { yes.0[i] } else { no.0[i] }))
    }

    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.0.iter().fold(false, |any, &x| any | x)
    }
}

impl BitAnd for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.map(|x| !x))
    }
}

impl From<[f32; LANES]> for Lanes {
    #[inline(always)]
    fn from(values: [f32; LANES]) -> Self {
        Self(values)
    }
}

impl Neg for Lanes {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

macro_rules! elementwise {
    ($($op:ident $method:ident),*) => {$(
        impl $op for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, $op::$method)
            }
        }
    )*};
}

elementwise!(Add add, Sub sub, Mul mul, Div div);
