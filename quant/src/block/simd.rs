//! The choice of vector instructions, made when the program runs.
//!
//! The code of the formats is compiled once for the build's target, with [`Portable`] lanes, and once more for each
//! further [`Level`]. Rust never contracts `a * b + c` into one rounding, so that all of them give the same bits.

#[cfg(target_arch = "x86_64")]
use super::lanes::Avx2;
use super::lanes::{Lanes, Portable};

/// Work that is compiled for every [`Level`]. What `run` calls has to be inlined into it, or stays at the baseline:
/// functions say so, and loops are `for`, since the compiler may keep a closure given to `map` or `fold` as a call.
pub(super) trait Work {
    type Output;

    fn run<L: Lanes>(self) -> Self::Output;
}

/// A set of instructions that this machine has.
#[derive(Clone, Copy)]
pub(super) struct Level(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// What every machine of the build's target has. On `aarch64` that includes NEON.
    pub(super) const BASELINE: Self = Self(Kind::Baseline);

    /// The fastest level of this machine.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c") {
            return Self(Kind::Avx2);
        }
        Self::BASELINE
    }

    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Baseline => work.run::<Portable>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `best` makes this kind, and it has seen both features.
            Kind::Avx2 => unsafe { run_avx2(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run::<Avx2>()
}
