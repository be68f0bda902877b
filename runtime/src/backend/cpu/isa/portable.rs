//! Arrays for registers: what every machine can do, and what the other levels are held to.

use super::halves::half_to_float;
use super::{Isa, array};

const LANES: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Portable;

/// Products of unsigned with signed bytes.
#[inline(always)]
fn dot4(levels: [u8; 4], activations: i32) -> i32 {
    let activations = activations.to_le_bytes();
    let mut sum = 0;
    for i in 0..4 {
        sum += i32::from(levels[i]) * i32::from(activations[i] as i8);
    }
    sum
}

impl Isa for Portable {
    const LANES: usize = LANES;

    type Floats = [f32; LANES];
    type Ints = [i32; LANES];

    #[inline(always)]
    fn splat(x: f32) -> Self::Floats {
        [x; LANES]
    }

    #[inline(always)]
    fn load(x: &[f32]) -> Self::Floats {
        array(|i| x[i])
    }

    #[inline(always)]
    fn store(x: Self::Floats, out: &mut [f32]) {
        out[..LANES].copy_from_slice(&x);
    }

    #[inline(always)]
    fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn div(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        array(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn fma(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        array(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn sum(x: Self::Floats) -> f32 {
        x.iter().sum()
    }

    #[inline(always)]
    fn splat_int(x: i32) -> Self::Ints {
        [x; LANES]
    }

    #[inline(always)]
    fn to_float(x: Self::Ints) -> Self::Floats {
        array(|i| x[i] as f32)
    }

    #[inline(always)]
    fn load_int(x: &[u32]) -> Self::Ints {
        array(|i| x[i] as i32)
    }

    #[inline(always)]
    fn store_int(x: Self::Ints, out: &mut [u32]) {
        for i in 0..LANES {
            out[i] = x[i] as u32;
        }
    }

    #[inline(always)]
    fn and(x: Self::Ints, mask: u32) -> Self::Ints {
        array(|i| x[i] & mask as i32)
    }

    #[inline(always)]
    fn or(a: Self::Ints, b: Self::Ints) -> Self::Ints {
        array(|i| a[i] | b[i])
    }

    #[inline(always)]
    fn shift_left(x: Self::Ints, bits: usize) -> Self::Ints {
        array(|i| x[i] << bits)
    }

    #[inline(always)]
    fn shift_right(x: Self::Ints, bits: usize) -> Self::Ints {
        array(|i| (x[i] as u32 >> bits) as i32)
    }

    #[inline(always)]
    fn signed_byte(x: Self::Ints, index: usize) -> Self::Ints {
        array(|i| x[i] << (24 - 8 * index) >> 24)
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: Self::Ints, levels: Self::Ints, activations: i32) -> Self::Ints {
        array(|i| sums[i] + dot4(levels[i].to_le_bytes(), activations))
    }

    #[inline(always)]
    fn round(x: Self::Floats) -> Self::Ints {
        array(|i| x[i].round_ties_even() as i32)
    }

    #[inline(always)]
    fn power_of_two(x: Self::Ints) -> Self::Floats {
        array(|i| f32::from_bits((x[i].wrapping_add(127) as u32) << 23))
    }

    #[inline(always)]
    fn sum_int(x: Self::Ints) -> i32 {
        let mut sum = 0;
        for x in x {
            sum += x;
        }
        sum
    }

    #[inline(always)]
    fn store_low(x: Self::Ints, out: &mut [u8]) {
        for i in 0..LANES {
            out[i] = x[i] as u8;
        }
    }

    #[inline(always)]
    fn prefetch(_: *const u8) {}

    #[inline(always)]
    fn load_halves(bits: &[u16]) -> Self::Floats {
        array(|i| half_to_float(bits[i]))
    }
}
