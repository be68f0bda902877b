//! AVX2 and FMA.

use std::arch::x86_64::*;

use super::Isa;
use super::x86::{bytes, vector, words};

const LANES: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// Adds to each word of `sums` four products of bytes. Pairs of them are summed in 16 bits: levels of 128 and more, which
/// would overflow there, are taken as signed ones plus 128, and 128 times the activations is added.
#[inline(always)]
fn dot4<const WIDE: bool>(sums: __m256i, levels: __m256i, activations: __m256i) -> __m256i {
    vector!({
        let ones = _mm256_set1_epi16(1);
        if !WIDE {
            let pairs = _mm256_maddubs_epi16(levels, activations);
            return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
        }
        let signed = _mm256_xor_si256(levels, _mm256_set1_epi8(-128));
        let turned = _mm256_sign_epi8(activations, signed);
        let pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(signed), turned), ones);
        let shift = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(64), activations), ones);
        _mm256_add_epi32(_mm256_add_epi32(sums, pairs), _mm256_slli_epi32::<1>(shift))
    })
}

impl Isa for Avx2 {
    const LANES: usize = LANES;

    type Floats = __m256;
    type Ints = __m256i;

    #[inline(always)]
    fn splat(x: f32) -> __m256 {
        vector!(_mm256_set1_ps(x))
    }

    #[inline(always)]
    fn load(x: &[f32]) -> __m256 {
        let x = &x[..LANES];
        vector!(_mm256_loadu_ps(x.as_ptr()))
    }

    #[inline(always)]
    fn store(x: __m256, out: &mut [f32]) {
        let out = &mut out[..LANES];
        vector!(_mm256_storeu_ps(out.as_mut_ptr(), x));
    }

    #[inline(always)]
    fn add(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        vector!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn sum(x: __m256) -> f32 {
        vector!({
            let quarter = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
        })
    }

    #[inline(always)]
    fn splat_int(x: i32) -> __m256i {
        vector!(_mm256_set1_epi32(x))
    }

    #[inline(always)]
    fn add_int(a: __m256i, b: __m256i) -> __m256i {
        vector!(_mm256_add_epi32(a, b))
    }

    #[inline(always)]
    fn to_float(x: __m256i) -> __m256 {
        vector!(_mm256_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: __m256i, levels: &[u32], activations: i32) -> __m256i {
        let levels = &levels[..LANES];
        let levels = vector!(_mm256_loadu_si256(levels.as_ptr().cast()));
        dot4::<WIDE>(sums, levels, Self::splat_int(activations))
    }

    /// Two rows share a register, a half each; four registers are then summed into one, transposed.
    #[inline(always)]
    fn dot_rows<const WIDE: bool, const HALVES: usize>(
        mut levels: impl FnMut(usize) -> [[u8; 16]; HALVES],
        activations: &[[i32; 4]; HALVES],
    ) -> __m256i {
        let mut parts = [Self::splat_int(0); 4];
        for (i, part) in parts.iter_mut().enumerate() {
            let rows = [levels(i), levels(i + 4)];
            for half in 0..HALVES {
                let levels = vector!(_mm256_set_m128i(bytes(rows[1][half]), bytes(rows[0][half])));
                let activations = vector!(_mm256_broadcastsi128_si256(words(activations[half])));
                *part = dot4::<WIDE>(*part, levels, activations);
            }
        }
        vector!({
            let merge = |a, b| _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
            let (a, b) = (merge(parts[0], parts[1]), merge(parts[2], parts[3]));
            _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b))
        })
    }
}
