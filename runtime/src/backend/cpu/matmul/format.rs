//! The block formats as integer kernels read them: words of sixteen rows side by side, in steps of 16 or 32 unsigned
//! levels that share a scale.

use crate::backend::cpu::isa::Isa;

/// Rows that lie side by side.
pub(super) const PANEL: usize = 16;

/// How far ahead weights are fetched, in bytes: about as many as are computed with until memory answers.
const AHEAD: usize = 4096;

/// The most [`Format::WORDS`] of any format.
const MAX_WORDS: usize = 52;

/// Rows of blocks, in steps of four times `GROUPS` elements. Element `i` of a step is
/// `scale * (level[i] - OFFSET) - min`.
pub(super) trait Format {
    /// Bytes of a block in a file.
    const BYTES: usize;

    /// Steps in a block.
    const STEPS: usize;

    /// Steps that are written out one after the other: some share words.
    const UNROLLED: usize = if Self::STEPS > 1 { 16 / Self::GROUPS } else { 1 };

    /// Groups of four levels in a step: 4, or 8 if there are minima.
    const GROUPS: usize;

    /// What a level of zero stands for, negated. Levels reach 128 only if this is 128.
    const OFFSET: u8;

    /// Whether there are minima.
    const AFFINE: bool;

    /// Words of a block that hold levels.
    const LEVEL_WORDS: usize;

    /// Words of a block that hold the scales of its steps and then the minima, signed bytes, to be multiplied with those
    /// of the block; none where it is one step.
    const FACTOR_WORDS: usize =
        if Self::STEPS > 1 { Self::STEPS / 4 * (1 + Self::AFFINE as usize) } else { 0 };

    /// Words of a block.
    const WORDS: usize = Self::FACTOR_WORDS + Self::LEVEL_WORDS;

    /// Numbers in binary16 of a block: its scale and, if there are minima, what they are multiplied with.
    const HALVES: usize = 1 + Self::AFFINE as usize;

    /// Puts the [`BYTES`](Self::BYTES) of a block into another order.
    fn pack(block: &[u8]) -> Packed;

    /// Four levels in each lane.
    fn levels<I: Isa>(words: Lanes<'_>, step: usize, group: usize) -> I::Ints;
}

/// The numbers of one block in one row.
pub(super) struct Packed {
    pub(super) halves: [u16; 2],
    /// Factors and levels; of no meaning beyond [`Format::WORDS`].
    pub(super) words: [u32; MAX_WORDS],
}

impl Packed {
    /// Words from a row of `parts`, one after the other.
    pub(super) fn new(halves: [u16; 2], parts: &[&[u32]]) -> Self {
        let mut words = [0; MAX_WORDS];
        for (word, part) in words.iter_mut().zip(parts.iter().copied().flatten()) {
            *word = *part;
        }
        Self { halves, words }
    }
}

/// Words of a block, each [`PANEL`] rows wide, of which a register takes some.
#[derive(Clone, Copy)]
pub(super) struct Lanes<'a> {
    words: &'a [u32],
}

impl<'a> Lanes<'a> {
    /// Those of the rows from `lane` on.
    #[inline(always)]
    pub(super) fn new(words: &'a [u32], lane: usize) -> Self {
        Self { words: &words[lane..] }
    }

    #[inline(always)]
    pub(super) fn word<I: Isa>(self, index: usize) -> I::Ints {
        I::load_int(&self.words[index * PANEL..])
    }

    /// Asks for `count` words that come some time after these in memory.
    #[inline(always)]
    pub(super) fn prefetch<I: Isa>(self, count: usize) {
        let ahead = self.words.as_ptr().cast::<u8>().wrapping_add(AHEAD);
        for word in 0..count {
            I::prefetch(ahead.wrapping_add(word * 4 * PANEL));
        }
    }

    /// The words from `index` on.
    #[inline(always)]
    pub(super) fn from(self, index: usize) -> Self {
        Self { words: &self.words[index * PANEL..] }
    }

    /// The low half of each byte, or the high one.
    #[inline(always)]
    pub(super) fn nibbles<I: Isa>(self, index: usize, high: usize) -> I::Ints {
        I::and(I::shift_right(self.word::<I>(index), 4 * high), 0x0f0f_0f0f)
    }
}

/// Calls `$run::<format>($arg, ..)` with the [`Format`] of a tensor type; `None` if it has none.
macro_rules! with_format {
    ($ty:expr, $($run:ident)::+($($arg:expr),*)) => {{
        use $crate::backend::cpu::matmul::{k_quant::{Q6K, Q45K}, legacy::{Legacy, Q8_0}};
        match $ty {
            TensorType::Q4_0 => Some($($run)::+::<Legacy<4, false>>($($arg),*)),
            TensorType::Q4_1 => Some($($run)::+::<Legacy<4, true>>($($arg),*)),
            TensorType::Q5_0 => Some($($run)::+::<Legacy<5, false>>($($arg),*)),
            TensorType::Q5_1 => Some($($run)::+::<Legacy<5, true>>($($arg),*)),
            TensorType::Q8_0 => Some($($run)::+::<Q8_0>($($arg),*)),
            TensorType::Q4_K => Some($($run)::+::<Q45K<4>>($($arg),*)),
            TensorType::Q5_K => Some($($run)::+::<Q45K<5>>($($arg),*)),
            TensorType::Q6_K => Some($($run)::+::<Q6K>($($arg),*)),
            _ => None,
        }
    }};
}

pub(super) use with_format;

/// `N` words from byte `offset` on.
pub(super) fn words<const N: usize>(block: &[u8], offset: usize) -> [u32; N] {
    std::array::from_fn(|i| {
        let at = offset + 4 * i;
        u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
    })
}

/// The bits of the f16 at `offset`.
pub(super) fn half_bits(block: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([block[offset], block[offset + 1]])
}
