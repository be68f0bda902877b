//! Sums of outer products, which matrix products and attention are made of.

use super::isa::{Isa, MAX_LANES, array};

/// Registers of columns side by side.
pub(super) const REGISTERS: usize = 2;

/// The most columns of any level.
pub(super) const MAX_COLUMNS: usize = REGISTERS * MAX_LANES;

/// What rows of panels are stored as.
pub(super) trait Element: Copy + Default + Send + Sync {
    fn load<I: Isa>(x: &[Self]) -> I::Floats;

    /// Rounds to the nearest, ties to even.
    fn store<I: Isa>(x: I::Floats, out: &mut [Self]);
}

impl Element for f32 {
    #[inline(always)]
    fn load<I: Isa>(x: &[Self]) -> I::Floats {
        I::load(x)
    }

    #[inline(always)]
    fn store<I: Isa>(x: I::Floats, out: &mut [Self]) {
        I::store(x, out);
    }
}

/// The bits of a binary16 number.
impl Element for u16 {
    #[inline(always)]
    fn load<I: Isa>(x: &[Self]) -> I::Floats {
        I::load_halves(x)
    }

    /// What is too large becomes the largest finite number: an infinity times a weight of zero would reach every query
    /// that is computed beside the one it belongs to.
    #[inline(always)]
    fn store<I: Isa>(x: I::Floats, out: &mut [Self]) {
        const LARGEST: f32 = 65504.0;
        I::store_halves(I::min(I::splat(LARGEST), I::max(I::splat(-LARGEST), x)), out);
    }
}

/// Rows whose sums, [`REGISTERS`] each, find room in the registers of a level with `lanes` lanes.
pub(super) const fn most_rows(lanes: usize) -> usize {
    if lanes == MAX_LANES { 12 } else { 6 }
}

/// Adds to `sums[i]` the rows of `panel`, `stride` apart, each times its element of `x[i]`. That is done in order, from
/// the first to the last: what a row gets depends neither on how many there are, nor on where sums are put aside.
#[inline(always)]
pub(super) fn accumulate<I: Isa, E: Element, const ROWS: usize, const REGISTERS: usize>(
    mut sums: [[I::Floats; REGISTERS]; ROWS],
    x: [&[f32]; ROWS],
    panel: &[E],
    stride: usize,
) -> [[I::Floats; REGISTERS]; ROWS] {
    let depth = x[0].len();
    let x: [&[f32]; ROWS] = array(|i| &x[i][..depth]);
    for k in 0..depth {
        let panel = &panel[k * stride..][..REGISTERS * I::LANES];
        let columns: [I::Floats; REGISTERS] = array(|register| E::load::<I>(&panel[register * I::LANES..]));
        for i in 0..ROWS {
            let x = I::splat(x[i][k]);
            for register in 0..REGISTERS {
                sums[i][register] = I::fma(x, columns[register], sums[i][register]);
            }
        }
    }
    sums
}
