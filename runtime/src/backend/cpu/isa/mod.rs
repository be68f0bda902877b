//! Vector registers, and the choice among them when the program runs.
//!
//! Kernels are written once over [`Isa`] and compiled for every [`Level`]. Sums of integers are exact and floats are
//! scaled in one order, so that integer kernels give the same bits at every level. [`Isa::fma`] may round once or
//! twice, and horizontal sums have as many parts as there are lanes: float kernels agree within rounding.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod exp;
mod halves;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;
use std::sync::LazyLock;

pub(super) use self::exp::exp;

/// The most [`Isa::LANES`] of any level.
pub(super) const MAX_LANES: usize = 16;

/// Registers of `LANES` 32-bit numbers. Slices that are loaded and stored have at least as many.
pub(super) trait Isa: Copy {
    const LANES: usize;

    type Floats: Copy;
    type Ints: Copy;

    fn splat(x: f32) -> Self::Floats;
    fn load(x: &[f32]) -> Self::Floats;
    fn store(x: Self::Floats, out: &mut [f32]);
    fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn sub(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;

    fn div(a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// The larger one; `b` if either is NaN.
    fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// The smaller one; `b` if either is NaN.
    fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// `a * b + c`, where the level has an instruction for it with one rounding.
    fn fma(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;

    /// The sum over the lanes.
    fn sum(x: Self::Floats) -> f32;

    fn splat_int(x: i32) -> Self::Ints;
    fn to_float(x: Self::Ints) -> Self::Floats;

    fn load_int(x: &[u32]) -> Self::Ints;
    fn store_int(x: Self::Ints, out: &mut [u32]);
    fn and(x: Self::Ints, mask: u32) -> Self::Ints;
    fn or(a: Self::Ints, b: Self::Ints) -> Self::Ints;

    /// Each lane shifted left by less than 32 bits.
    fn shift_left(x: Self::Ints, bits: usize) -> Self::Ints;

    /// Each lane shifted right by less than 32 bits; zeros come in.
    fn shift_right(x: Self::Ints, bits: usize) -> Self::Ints;

    /// Byte `index` of each lane, as it is signed.
    fn signed_byte(x: Self::Ints, index: usize) -> Self::Ints;

    /// Adds to each lane the products of the four unsigned bytes of `levels` there with the four signed bytes of
    /// `activations`, none of which is -128. Levels are below 128 unless `WIDE`.
    fn dot<const WIDE: bool>(sums: Self::Ints, levels: Self::Ints, activations: i32) -> Self::Ints;

    /// The nearest integers, ties to even; any for NaN and what does not fit.
    fn round(x: Self::Floats) -> Self::Ints;

    /// Two to the power of each lane, from -126 to 127.
    fn power_of_two(x: Self::Ints) -> Self::Floats;

    fn sum_int(x: Self::Ints) -> i32;

    /// Stores the low byte of each lane.
    fn store_low(x: Self::Ints, out: &mut [u8]);

    /// Asks for the line of memory at `address`, which may be none of the program's.
    fn prefetch(address: *const u8);

    /// The floats of IEEE binary16 numbers.
    fn load_halves(bits: &[u16]) -> Self::Floats;

    /// Stores the nearest IEEE binary16 numbers, ties to even.
    #[inline(always)]
    fn store_halves(x: Self::Floats, out: &mut [u16]) {
        let mut lanes = [0.0; MAX_LANES];
        Self::store(x, &mut lanes);
        for (out, x) in out[..Self::LANES].iter_mut().zip(lanes) {
            *out = halves::float_to_half(x);
        }
    }

    /// Turns a square of `LANES` by `LANES`: `out[j * out_stride + i]` becomes `x[i * stride + j]`.
    #[inline(always)]
    fn transpose(x: &[f32], stride: usize, out: &mut [f32], out_stride: usize) {
        for (i, row) in x.chunks(stride).take(Self::LANES).enumerate() {
            for (j, x) in row[..Self::LANES].iter().enumerate() {
                out[j * out_stride + i] = *x;
            }
        }
    }
}

/// [`std::array::from_fn`], but inlined, without which `make` would be compiled for the baseline only.
#[inline(always)]
pub(super) fn array<T: Copy, const N: usize>(mut make: impl FnMut(usize) -> T) -> [T; N] {
    let mut made = [make(0); N];
    for (i, made) in made.iter_mut().enumerate().skip(1) {
        *made = make(i);
    }
    made
}

/// Work that is compiled for every [`Level`]. What `run` calls has to be inlined into it, or stays at the baseline.
pub(super) trait Work {
    type Output;

    fn run<I: Isa>(self) -> Self::Output;
}

/// A set of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    DotProd,
    #[cfg(target_arch = "aarch64")]
    I8mm,
}

static LEVELS: LazyLock<Vec<Level>> = LazyLock::new(|| {
    let mut levels = vec![Level(Kind::Baseline)];
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        if avx2 {
            levels.push(Level(Kind::Avx2));
        }
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        if avx2 && avx512 {
            levels.push(Level(Kind::Avx512));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        levels.push(Level(Kind::Neon));
        let dotprod = is_aarch64_feature_detected!("dotprod");
        if dotprod {
            levels.push(Level(Kind::DotProd));
        }
        if dotprod && is_aarch64_feature_detected!("i8mm") {
            levels.push(Level(Kind::I8mm));
        }
    }
    levels
});

impl Level {
    /// The levels of this machine, the fastest last.
    pub(super) fn all() -> &'static [Self] {
        &LEVELS
    }

    /// The fastest level of this machine.
    pub(super) fn best() -> Self {
        *Self::all().last().unwrap_or(&Self(Kind::Baseline))
    }

    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Baseline => work.run::<portable::Portable>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: levels of this kind are only made after its features were seen.
            Kind::Avx2 => unsafe { run_avx2(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512 => unsafe { run_avx512(work) },
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => work.run::<neon::Neon<neon::Multiply>>(),
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Kind::DotProd => unsafe { run_dotprod(work) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Kind::I8mm => unsafe { run_i8mm(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run::<avx2::Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn run_avx512<W: Work>(work: W) -> W::Output {
    work.run::<avx512::Avx512>()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "dotprod")]
fn run_dotprod<W: Work>(work: W) -> W::Output {
    work.run::<neon::Neon<neon::DotProd>>()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "dotprod,i8mm")]
fn run_i8mm<W: Work>(work: W) -> W::Output {
    work.run::<neon::Neon<neon::I8mm>>()
}
