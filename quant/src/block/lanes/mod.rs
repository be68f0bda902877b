//! Eight floats that go through the same arithmetic side by side.
//!
//! A scale search is a chain of sums whose order decides the last bit. Giving each of eight independent sub-blocks
//! its own lane keeps every chain in its order and still fills a vector register. [`Portable`] lanes are plain arrays
//! and define the result; the others are the same operations as instructions.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
pub(super) use portable::Portable;

use std::ops::{Add, BitAnd, Div, Mul, Neg, Not, Sub};

/// Lanes in a [`Lanes`].
pub(super) const LANES: usize = 8;

/// Adding this to a float of magnitude below 2^22 leaves its nearest integer, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// The bits of such a sum that hold the integer, 2^22 too high.
const ROUNDED: i32 = 0x7f_ffff;

/// What [`ROUNDED`] bits are too high by.
const ROUNDED_BIAS: i32 = 0x40_0000;

/// One float for each lane.
pub(super) trait Lanes:
    Copy
    + From<[f32; LANES]>
    + Into<[f32; LANES]>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// One condition for each lane.
    type Mask: Mask<Self>;

    fn splat(x: f32) -> Self;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;

    /// [`nearest`], as floats.
    fn nearest(self) -> Self;

    /// The smaller one; `self` if either is NaN.
    fn min(self, other: Self) -> Self;

    /// The larger one; `self` if either is NaN.
    fn max(self, other: Self) -> Self;

    fn gt(self, other: Self) -> Self::Mask;
    fn eq(self, other: Self) -> Self::Mask;

    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        other.gt(self)
    }

    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }

    #[inline(always)]
    fn clamp(self, low: f32, high: f32) -> Self {
        self.min(Self::splat(high)).max(Self::splat(low))
    }

    #[inline(always)]
    fn to_array(self) -> [f32; LANES] {
        self.into()
    }
}

/// One condition for each lane.
pub(super) trait Mask<L>: Copy + BitAnd<Output = Self> + Not<Output = Self> {
    /// `yes` in the lanes where the condition holds, `no` in the others.
    fn select(self, yes: L, no: L) -> L;

    /// Whether the condition holds in any lane.
    fn any(self) -> bool;
}

/// The nearest integer, ties to even. Defined, though meaningless, for infinities, NaN and magnitudes above 2^22.
#[inline(always)]
pub(super) fn nearest(x: f32) -> i32 {
    ((x + ROUNDER).to_bits() as i32 & ROUNDED) - ROUNDED_BIAS
}

/// The low byte of an `x` that is an integer already; 0 for infinities and NaN.
#[inline(always)]
pub(super) fn low_byte(x: f32) -> u8 {
    (x + ROUNDER).to_bits() as u8
}

/// [`std::array::from_fn`], but inlined, without which `make` would be compiled for the baseline only.
#[inline(always)]
pub(super) fn array<T: Copy + Default, const N: usize>(make: impl Fn(usize) -> T) -> [T; N] {
    let mut made = [T::default(); N];
    for (i, made) in made.iter_mut().enumerate() {
        *made = make(i);
    }
    made
}

/// [`array()`] of lanes.
#[inline(always)]
pub(super) fn lanes<L: Lanes, const N: usize>(make: impl Fn(usize) -> L) -> [L; N] {
    let mut made = [L::zero(); N];
    for (i, made) in made.iter_mut().enumerate() {
        *made = make(i);
    }
    made
}
