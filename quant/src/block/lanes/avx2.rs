//! Lanes as one AVX register.
//!
//! Only what [`Level`](super::super::simd::Level) runs after it has seen AVX2 is compiled with these.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, Div, Mul, Neg, Not, Sub};

use super::{LANES, Lanes, Mask, ROUNDED, ROUNDED_BIAS, ROUNDER};

#[derive(Clone, Copy)]
pub(in crate::block) struct Avx2(__m256);

/// All bits of a lane, or none.
#[derive(Clone, Copy)]
pub(in crate::block) struct Avx2Mask(__m256);

/// Evaluates intrinsics.
macro_rules! avx2 {
    ($intrinsics:expr) => {{
        // SAFETY: the types of this module are only named by `simd::run_avx2`, whose caller has seen AVX2.
        unsafe { $intrinsics }
    }};
}

impl Lanes for Avx2 {
    type Mask = Avx2Mask;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(avx2!(_mm256_set1_ps(x)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx2!(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx2!(_mm256_sqrt_ps(self.0)))
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        Self(avx2!({
            let sum = _mm256_castps_si256(_mm256_add_ps(self.0, _mm256_set1_ps(ROUNDER)));
            let biased = _mm256_and_si256(sum, _mm256_set1_epi32(ROUNDED));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(ROUNDED_BIAS)))
        }))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(avx2!(_mm256_min_ps(other.0, self.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(avx2!(_mm256_max_ps(other.0, self.0)))
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Avx2Mask {
        Avx2Mask(avx2!(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn eq(self, other: Self) -> Avx2Mask {
        Avx2Mask(avx2!(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0)))
    }
}

impl Mask<Avx2> for Avx2Mask {
    #[inline(always)]
    fn select(self, yes: Avx2, no: Avx2) -> Avx2 {
        Avx2(avx2!(_mm256_blendv_ps(no.0, yes.0, self.0)))
    }

    #[inline(always)]
    fn any(self) -> bool {
        avx2!(_mm256_movemask_ps(self.0)) != 0
    }
}

impl From<[f32; LANES]> for Avx2 {
    #[inline(always)]
    fn from(values: [f32; LANES]) -> Self {
        Self(avx2!(_mm256_loadu_ps(values.as_ptr())))
    }
}

impl From<Avx2> for [f32; LANES] {
    #[inline(always)]
    fn from(lanes: Avx2) -> Self {
        let mut values = [0.0; LANES];
        avx2!(_mm256_storeu_ps(values.as_mut_ptr(), lanes.0));
        values
    }
}

impl Neg for Avx2 {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(avx2!(_mm256_xor_ps(_mm256_set1_ps(-0.0), self.0)))
    }
}

macro_rules! elementwise {
    ($($op:ident $method:ident $intrinsic:ident),*) => {$(
        impl $op for Avx2 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(avx2!($intrinsic(self.0, other.0)))
            }
        }
    )*};
}

elementwise!(Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);

impl BitAnd for Avx2Mask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(avx2!(_mm256_and_ps(self.0, other.0)))
    }
}

impl Not for Avx2Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(avx2!(_mm256_xor_ps(self.0, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))))
    }
}
