//! Matrices whose blocks were put side by side.

use lorgnette_quant::TensorType;

use super::format::{Format, Lanes, PANEL, with_format};
use crate::backend::cpu::isa::Isa;
use crate::backend::cpu::team;

/// Rows in panels of [`PANEL`]; rows of zeros fill up the last one. As large as the blocks of the file, but for the factors
/// of `Q4_K` and `Q5_K`, which are whole bytes here.
pub(in crate::backend::cpu) struct Panels {
    /// Blocks in a row.
    width: usize,
    /// `[panel][block][half][row]`.
    halves: Vec<u16>,
    /// `[panel][block][word][row]`.
    words: Vec<u32>,
}

impl Panels {
    /// Repacks the blocks of `rows` rows; `None` where the type has no integer levels.
    pub(in crate::backend::cpu) fn pack(ty: TensorType, blocks: &[u8], rows: usize) -> Option<Self> {
        with_format!(ty, Self::pack_as(blocks, rows))
    }

    fn pack_as<F: Format>(blocks: &[u8], rows: usize) -> Self {
        let width = blocks.len() / rows / F::BYTES;
        let count = rows.div_ceil(PANEL);
        let (halves_len, words_len) = (width * F::HALVES * PANEL, width * F::WORDS * PANEL);
        let (mut halves, mut words) = (vec![0; count * halves_len], vec![0; count * words_len]);
        let panels = team::Shared::new(&mut halves);
        team::for_each_chunk(&mut words, words_len, |index, words| {
            // SAFETY: each panel is given out once.
            let halves = unsafe { panels.slice(index * halves_len, halves_len) };
            let rows = blocks.chunks_exact(width * F::BYTES).skip(index * PANEL).take(PANEL);
            for (lane, row) in rows.enumerate() {
                pack_row::<F>(row, lane, halves, words);
            }
        });
        Self { width, halves, words }
    }

    /// Blocks in a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The blocks of the rows from `first` on, as many as there are lanes; `first` is a multiple of that.
    #[inline(always)]
    pub(super) fn blocks<F: Format>(&self, first: usize) -> impl Iterator<Item = Block<'_>> {
        let (panel, lane) = (first / PANEL, first % PANEL);
        let (halves, words) = (self.width * F::HALVES * PANEL, self.width * F::WORDS * PANEL);
        let halves = self.halves[panel * halves..][..halves].chunks_exact(F::HALVES * PANEL);
        let words = self.words[panel * words..][..words].chunks_exact(F::WORDS * PANEL);
        halves.zip(words).map(move |(halves, words)| Block::new(halves, words, lane))
    }
}

fn pack_row<F: Format>(row: &[u8], lane: usize, halves: &mut [u16], words: &mut [u32]) {
    let halves = halves.chunks_exact_mut(F::HALVES * PANEL);
    let words = words.chunks_exact_mut(F::WORDS * PANEL);
    for ((block, halves), words) in row.chunks_exact(F::BYTES).zip(halves).zip(words) {
        let packed = F::pack(block);
        for (half, out) in packed.halves.iter().zip(halves.chunks_exact_mut(PANEL)) {
            out[lane] = *half;
        }
        for (word, out) in packed.words.iter().zip(words.chunks_exact_mut(PANEL)) {
            out[lane] = *word;
        }
    }
}

/// The same block of some rows.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    halves: &'a [u16],
    words: Lanes<'a>,
}

impl<'a> Block<'a> {
    #[inline(always)]
    fn new(halves: &'a [u16], words: &'a [u32], lane: usize) -> Self {
        Self { halves: &halves[lane..], words: Lanes::new(words, lane) }
    }

    /// Asks for a block some way ahead.
    #[inline(always)]
    pub(super) fn prefetch<I: Isa, F: Format>(self) {
        self.words.prefetch::<I>(F::WORDS);
    }

    /// What the scales of all steps are multiplied with, or the minima.
    #[inline(always)]
    pub(super) fn unit<I: Isa, const MIN: bool>(self) -> I::Floats {
        I::load_halves(&self.halves[MIN as usize * PANEL..])
    }

    /// The scale of a step, or its minimum, of those that have `unit`.
    #[inline(always)]
    pub(super) fn scale<I: Isa, F: Format, const MIN: bool>(self, unit: I::Floats, step: usize) -> I::Floats {
        if F::STEPS == 1 {
            return unit;
        }
        let word = self.words.word::<I>(MIN as usize * F::STEPS / 4 + step / 4);
        I::mul(unit, I::to_float(I::signed_byte(word, step % 4)))
    }

    /// Four levels of a step.
    #[inline(always)]
    pub(super) fn levels<I: Isa, F: Format>(self, step: usize, group: usize) -> I::Ints {
        F::levels::<I>(self.words.from(F::FACTOR_WORDS), step, group)
    }
}

#[cfg(test)]
mod tests {
    use lorgnette_quant::block;

    use super::*;
    use crate::backend::cpu::isa::{Level, MAX_LANES, Work};

    /// Elements of one row.
    struct Read<'a, F> {
        panels: &'a Panels,
        row: usize,
        format: std::marker::PhantomData<F>,
    }

    impl<F: Format> Work for Read<'_, F> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<I: Isa>(self) -> Vec<f32> {
            let (first, lane) = (self.row / I::LANES * I::LANES, self.row % I::LANES);
            let pick = |x: I::Floats| {
                let mut lanes = [0.0; MAX_LANES];
                I::store(x, &mut lanes);
                lanes[lane]
            };
            let mut floats = Vec::new();
            for block in self.panels.blocks::<F>(first) {
                for step in 0..F::STEPS {
                    let scale = pick(block.scale::<I, F, false>(block.unit::<I, false>(), step));
                    let min = if F::AFFINE {
                        pick(block.scale::<I, F, true>(block.unit::<I, true>(), step))
                    } else {
                        0.0
                    };
                    for group in 0..F::GROUPS {
                        let mut words = [0; MAX_LANES];
                        I::store_int(block.levels::<I, F>(step, group), &mut words);
                        let level = |level: u8| f32::from(i16::from(level) - i16::from(F::OFFSET));
                        floats.extend(words[lane].to_le_bytes().map(|x| level(x) * scale - min));
                    }
                }
            }
            floats
        }
    }

    fn read<F: Format>(level: Level, panels: &Panels, row: usize) -> Vec<f32> {
        level.run(Read::<F> { panels, row, format: std::marker::PhantomData })
    }

    /// Blocks of random bytes, whose f16 numbers are finite: no byte has all exponent bits set.
    fn blocks(ty: TensorType, count: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let random: Vec<u8> = (0..count * ty.block_bytes()).map(|_| byte()).collect();
        random.into_iter().map(|b| if b & 0x7c == 0x7c { b & 0xbf } else { b }).collect()
    }

    #[test]
    fn levels_and_scales_are_the_floats_of_the_block() {
        const ROWS: usize = 19;
        let mut seen = 0;
        for &ty in TensorType::ALL {
            let blocks = blocks(ty, ROWS * 3);
            let Some(panels) = Panels::pack(ty, &blocks, ROWS) else { continue };
            for (index, row) in blocks.chunks(3 * ty.block_bytes()).enumerate() {
                let mut expected = vec![0.0; 3 * ty.block_len()];
                block::decode(ty, row, &mut expected).expect("whole blocks");
                for &level in Level::all() {
                    let floats = with_format!(ty, read(level, &panels, index));
                    assert_eq!(floats.as_deref(), Some(&expected[..]), "{ty}, row {index}, {level:?}");
                }
            }
            seen += 1;
        }
        assert_eq!(seen, 8);
    }
}
