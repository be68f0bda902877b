//! AVX2 and FMA.

use std::arch::x86_64::*;

use super::x86::{prefetch, vector};
use super::{Isa, array};

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
    fn div(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_div_ps(a, b))
    }

    #[inline(always)]
    fn max(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn min(a: __m256, b: __m256) -> __m256 {
        vector!(_mm256_min_ps(a, b))
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
    fn to_float(x: __m256i) -> __m256 {
        vector!(_mm256_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn load_int(x: &[u32]) -> __m256i {
        let x = &x[..LANES];
        vector!(_mm256_loadu_si256(x.as_ptr().cast()))
    }

    #[inline(always)]
    fn store_int(x: __m256i, out: &mut [u32]) {
        let out = &mut out[..LANES];
        vector!(_mm256_storeu_si256(out.as_mut_ptr().cast(), x));
    }

    #[inline(always)]
    fn and(x: __m256i, mask: u32) -> __m256i {
        vector!(_mm256_and_si256(x, _mm256_set1_epi32(mask as i32)))
    }

    #[inline(always)]
    fn or(a: __m256i, b: __m256i) -> __m256i {
        vector!(_mm256_or_si256(a, b))
    }

    #[inline(always)]
    fn shift_left(x: __m256i, bits: usize) -> __m256i {
        vector!(_mm256_sll_epi32(x, _mm_cvtsi32_si128(bits as i32)))
    }

    #[inline(always)]
    fn shift_right(x: __m256i, bits: usize) -> __m256i {
        vector!(_mm256_srl_epi32(x, _mm_cvtsi32_si128(bits as i32)))
    }

    #[inline(always)]
    fn signed_byte(x: __m256i, index: usize) -> __m256i {
        vector!(_mm256_srai_epi32::<24>(Self::shift_left(x, 24 - 8 * index)))
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: __m256i, levels: __m256i, activations: i32) -> __m256i {
        dot4::<WIDE>(sums, levels, Self::splat_int(activations))
    }

    #[inline(always)]
    fn round(x: __m256) -> __m256i {
        vector!(_mm256_cvtps_epi32(x))
    }

    #[inline(always)]
    fn power_of_two(x: __m256i) -> __m256 {
        vector!({
            let exponent = _mm256_add_epi32(x, _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn sum_int(x: __m256i) -> i32 {
        vector!({
            let quarter = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
            let pair = _mm_add_epi32(quarter, _mm_shuffle_epi32::<0b1110>(quarter));
            _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32::<1>(pair)))
        })
    }

    #[inline(always)]
    fn store_low(x: __m256i, out: &mut [u8]) {
        let out = &mut out[..LANES];
        vector!({
            let masked = _mm256_and_si256(x, _mm256_set1_epi32(255));
            let words =
                _mm_packus_epi32(_mm256_castsi256_si128(masked), _mm256_extracti128_si256::<1>(masked));
            _mm_storel_epi64(out.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        });
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        prefetch(address);
    }

    #[inline(always)]
    fn load_halves(bits: &[u16]) -> __m256 {
        let bits = &bits[..LANES];
        vector!(_mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast())))
    }

    #[inline(always)]
    fn store_halves(x: __m256, out: &mut [u16]) {
        let out = &mut out[..LANES];
        let halves = vector!(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x));
        vector!(_mm_storeu_si128(out.as_mut_ptr().cast(), halves));
    }

    /// Squares of four by four are turned in each half of the registers, then the halves.
    #[inline(always)]
    fn transpose(x: &[f32], stride: usize, out: &mut [f32], out_stride: usize) {
        let rows: [__m256; LANES] = array(|i| Self::load(&x[i * stride..]));
        let mut halves = [Self::splat(0.0); LANES];
        for i in (0..LANES).step_by(4) {
            vector!({
                let (ab, cd) = (unpack(rows[i], rows[i + 1]), unpack(rows[i + 2], rows[i + 3]));
                for half in 0..2 {
                    let (ab, cd) = (_mm256_castps_pd(ab[half]), _mm256_castps_pd(cd[half]));
                    halves[i + 2 * half] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                    halves[i + 2 * half + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
                }
            });
        }
        for i in 0..4 {
            let (a, b) = (halves[i], halves[4 + i]);
            Self::store(vector!(_mm256_permute2f128_ps::<0x20>(a, b)), &mut out[i * out_stride..]);
            Self::store(vector!(_mm256_permute2f128_ps::<0x31>(a, b)), &mut out[(4 + i) * out_stride..]);
        }
    }
}

#[inline(always)]
fn unpack(a: __m256, b: __m256) -> [__m256; 2] {
    vector!([_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)])
}
