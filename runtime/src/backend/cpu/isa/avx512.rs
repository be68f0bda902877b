//! AVX-512 with its dot products of bytes (VNNI).

use std::arch::x86_64::*;

use super::Isa;
use super::x86::{bytes, vector, words};

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
    fn add_int(a: __m512i, b: __m512i) -> __m512i {
        vector!(_mm512_add_epi32(a, b))
    }

    #[inline(always)]
    fn to_float(x: __m512i) -> __m512 {
        vector!(_mm512_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: __m512i, levels: &[u32], activations: i32) -> __m512i {
        let levels = &levels[..LANES];
        vector!({
            let levels = _mm512_loadu_si512(levels.as_ptr().cast());
            _mm512_dpbusd_epi32(sums, levels, _mm512_set1_epi32(activations))
        })
    }

    /// Four rows share a register, a quarter each; four registers are then summed into one, transposed.
    #[inline(always)]
    fn dot_rows<const WIDE: bool, const HALVES: usize>(
        mut levels: impl FnMut(usize) -> [[u8; 16]; HALVES],
        activations: &[[i32; 4]; HALVES],
    ) -> __m512i {
        let mut parts = [Self::splat_int(0); 4];
        for (i, part) in parts.iter_mut().enumerate() {
            let rows = [levels(i), levels(i + 4), levels(i + 8), levels(i + 12)];
            for half in 0..HALVES {
                vector!({
                    let low = _mm512_castsi128_si512(bytes(rows[0][half]));
                    let levels = _mm512_inserti32x4::<1>(low, bytes(rows[1][half]));
                    let levels = _mm512_inserti32x4::<2>(levels, bytes(rows[2][half]));
                    let levels = _mm512_inserti32x4::<3>(levels, bytes(rows[3][half]));
                    let activations = _mm512_broadcast_i32x4(words(activations[half]));
                    *part = _mm512_dpbusd_epi32(*part, levels, activations);
                });
            }
        }
        vector!({
            let merge = |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
            let (a, b) = (merge(parts[0], parts[1]), merge(parts[2], parts[3]));
            _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))
        })
    }
}
