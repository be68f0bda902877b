//! AVX-512 with its dot products of bytes (VNNI).

use std::arch::x86_64::*;

use super::x86::{prefetch, vector};
use super::{Isa, array};

const LANES: usize = 16;

#[derive(Clone, Copy)]
pub(super) struct Avx512;

impl Isa for Avx512 {
    const LANES: usize = LANES;

    type Floats = __m512;
    type Ints = __m512i;

    #[inline(always)]
    fn splat(x: f32) -> __m512 {
        vector!(_mm512_set1_ps(x))
    }

    #[inline(always)]
    fn load(x: &[f32]) -> __m512 {
        let x = &x[..LANES];
        vector!(_mm512_loadu_ps(x.as_ptr()))
    }

    #[inline(always)]
    fn store(x: __m512, out: &mut [f32]) {
        let out = &mut out[..LANES];
        vector!(_mm512_storeu_ps(out.as_mut_ptr(), x));
    }

    #[inline(always)]
    fn add(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn max(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(a: __m512, b: __m512) -> __m512 {
        vector!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        vector!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn sum(x: __m512) -> f32 {
        vector!(_mm512_reduce_add_ps(x))
    }

    #[inline(always)]
    fn splat_int(x: i32) -> __m512i {
        vector!(_mm512_set1_epi32(x))
    }

    #[inline(always)]
    fn to_float(x: __m512i) -> __m512 {
        vector!(_mm512_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn load_int(x: &[u32]) -> __m512i {
        let x = &x[..LANES];
        vector!(_mm512_loadu_si512(x.as_ptr().cast()))
    }

    #[inline(always)]
    fn store_int(x: __m512i, out: &mut [u32]) {
        let out = &mut out[..LANES];
        vector!(_mm512_storeu_si512(out.as_mut_ptr().cast(), x));
    }

    #[inline(always)]
    fn and(x: __m512i, mask: u32) -> __m512i {
        vector!(_mm512_and_si512(x, _mm512_set1_epi32(mask as i32)))
    }

    #[inline(always)]
    fn or(a: __m512i, b: __m512i) -> __m512i {
        vector!(_mm512_or_si512(a, b))
    }

    #[inline(always)]
    fn shift_left(x: __m512i, bits: usize) -> __m512i {
        vector!(_mm512_sll_epi32(x, _mm_cvtsi32_si128(bits as i32)))
    }

    #[inline(always)]
    fn shift_right(x: __m512i, bits: usize) -> __m512i {
        vector!(_mm512_srl_epi32(x, _mm_cvtsi32_si128(bits as i32)))
    }

    #[inline(always)]
    fn signed_byte(x: __m512i, index: usize) -> __m512i {
        vector!(_mm512_srai_epi32::<24>(Self::shift_left(x, 24 - 8 * index)))
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: __m512i, levels: __m512i, activations: i32) -> __m512i {
        vector!(_mm512_dpbusd_epi32(sums, levels, _mm512_set1_epi32(activations)))
    }

    #[inline(always)]
    fn round(x: __m512) -> __m512i {
        vector!(_mm512_cvtps_epi32(x))
    }

    #[inline(always)]
    fn power_of_two(x: __m512i) -> __m512 {
        vector!({
            let exponent = _mm512_add_epi32(x, _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn sum_int(x: __m512i) -> i32 {
        vector!(_mm512_reduce_add_epi32(x))
    }

    #[inline(always)]
    fn store_low(x: __m512i, out: &mut [u8]) {
        let out = &mut out[..LANES];
        vector!(_mm_storeu_si128(out.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(x)));
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        prefetch(address);
    }

    #[inline(always)]
    fn load_halves(bits: &[u16]) -> __m512 {
        let bits = &bits[..LANES];
        vector!(_mm512_cvtph_ps(_mm256_loadu_si256(bits.as_ptr().cast())))
    }

    #[inline(always)]
    fn store_halves(x: __m512, out: &mut [u16]) {
        let out = &mut out[..LANES];
        let halves = vector!(_mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x));
        vector!(_mm256_storeu_si256(out.as_mut_ptr().cast(), halves));
    }

    /// Squares of four by four are turned in each quarter of the registers, then the quarters.
    #[inline(always)]
    fn transpose(x: &[f32], stride: usize, out: &mut [f32], out_stride: usize) {
        let rows: [__m512; LANES] = array(|i| Self::load(&x[i * stride..]));
        let mut quarters = [Self::splat(0.0); LANES];
        for i in (0..LANES).step_by(4) {
            vector!({
                let (ab, cd) = (unpack(rows[i], rows[i + 1]), unpack(rows[i + 2], rows[i + 3]));
                for half in 0..2 {
                    let (ab, cd) = (_mm512_castps_pd(ab[half]), _mm512_castps_pd(cd[half]));
                    quarters[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                    quarters[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
                }
            });
        }
        for i in 0..4 {
            let (a, b, c, d) = (quarters[i], quarters[4 + i], quarters[8 + i], quarters[12 + i]);
            let columns = vector!({
                let (ab, cd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d));
                let (ab_odd, cd_odd) =
                    (_mm512_shuffle_f32x4::<0xdd>(a, b), _mm512_shuffle_f32x4::<0xdd>(c, d));
                [
                    _mm512_shuffle_f32x4::<0x88>(ab, cd),
                    _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd),
                    _mm512_shuffle_f32x4::<0xdd>(ab, cd),
                    _mm512_shuffle_f32x4::<0xdd>(ab_odd, cd_odd),
                ]
            });
            for (quarter, column) in columns.into_iter().enumerate() {
                Self::store(column, &mut out[(4 * quarter + i) * out_stride..]);
            }
        }
    }
}

#[inline(always)]
fn unpack(a: __m512, b: __m512) -> [__m512; 2] {
    vector!([_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)])
}
