//! Arrays for registers: what every machine can do, and what the other levels are held to.

use super::Isa;

const LANES: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Portable;

#[inline(always)]
fn lanes<T>(f: impl FnMut(usize) -> T) -> [T; LANES] {
    std::array::from_fn(f)
}

/// Products of unsigned with signed bytes.
#[inline(always)]
fn dot4(levels: [u8; 4], activations: i32) -> i32 {
    let activations = activations.to_le_bytes();
    (0..4).map(|i| i32::from(levels[i]) * i32::from(activations[i] as i8)).sum()
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
        lanes(|i| x[i])
    }

    #[inline(always)]
    fn store(x: Self::Floats, out: &mut [f32]) {
        out[..LANES].copy_from_slice(&x);
    }

    #[inline(always)]
    fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        lanes(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        lanes(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        lanes(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn fma(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        lanes(|i| a[i] * b[i] + c[i])
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
    fn add_int(a: Self::Ints, b: Self::Ints) -> Self::Ints {
        lanes(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn to_float(x: Self::Ints) -> Self::Floats {
        lanes(|i| x[i] as f32)
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: Self::Ints, levels: &[u32], activations: i32) -> Self::Ints {
        lanes(|i| sums[i] + dot4(levels[i].to_le_bytes(), activations))
    }

    #[inline(always)]
    fn dot_rows<const WIDE: bool, const HALVES: usize>(
        mut levels: impl FnMut(usize) -> [[u8; 16]; HALVES],
        activations: &[[i32; 4]; HALVES],
    ) -> Self::Ints {
        lanes(|i| {
            let halves = levels(i);
            let words = halves.as_flattened().as_chunks().0;
            words.iter().zip(activations.as_flattened()).map(|(&word, &a)| dot4(word, a)).sum()
        })
    }
}
