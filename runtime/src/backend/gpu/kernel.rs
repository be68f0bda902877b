//! Every kernel there is, with what its template is expanded with and what it is given.

use super::format::Format;
use super::product::Product;
use super::template::{self, Values};

macro_rules! sources {
    ($($file:literal)*) => { &[$(($file, include_str!($file))),*] };
}

/// The templates by their names.
pub(super) const SOURCES: &[(&str, &str)] = sources! {
    "attention/cache.wgsl" "attention/combine.wgsl" "attention/split.wgsl" "attention/tile.wgsl"
    "attention/write.wgsl"
    "choice/argmax.wgsl" "choice/top.wgsl"
    "matmul/bindings.wgsl" "matmul/cooperative.wgsl" "matmul/lane.wgsl" "matmul/tile.wgsl" "matmul/wide.wgsl"
    "matmul/tile/floats.wgsl" "matmul/tile/halves.wgsl" "matmul/tile/input.wgsl" "matmul/tile/levels.wgsl"
    "matmul/tile/main.wgsl"
    "rows/embed.wgsl" "rows/gather.wgsl" "rows/mean_pool.wgsl" "rows/norm.wgsl"
    "shared/activation.wgsl" "shared/grid.wgsl" "shared/levels.wgsl" "shared/sum.wgsl" "shared/words.wgsl"
    "shared/format/bf16.wgsl" "shared/format/f16.wgsl" "shared/format/f32.wgsl" "shared/format/halves.wgsl"
    "shared/format/k_scales.wgsl"
    "shared/format/q4_0.wgsl" "shared/format/q4_1.wgsl" "shared/format/q4_k.wgsl" "shared/format/q5_0.wgsl"
    "shared/format/q5_1.wgsl" "shared/format/q5_k.wgsl" "shared/format/q6_k.wgsl" "shared/format/q8_0.wgsl"
    "shared/format/q4_0_texels.wgsl" "shared/format/q8_0_texels.wgsl" "shared/texels.wgsl" "shared/weights.wgsl"
};

/// Threads of a group where a kernel does not say otherwise.
pub(super) const GROUP: u32 = 64;

/// What is bound at a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    Read,
    Write,
    /// As uniforms.
    Uniform,
    /// A texture, read.
    Texels,
}

/// A kernel: a template and what it is expanded with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    /// Products of matrices.
    Product(Product),
    /// Norm of rows, with a mean or without.
    Norm { layer: bool },
    /// Rows of a table: numbered or in order, in place of what is there or added to it.
    Embed { format: Format, numbers: bool, add: bool },
    /// Heads into their places.
    WriteHeads { len: u32, f16: bool, norm: bool, turn: Option<Turn> },
    /// Attention of single rows.
    AttendSplit { len: u32, f16: bool, share: u32, shares: u32 },
    /// Its stretches put together.
    AttendCombine { len: u32 },
    /// Attention of many rows.
    AttendTile { len: u32, f16: bool, share: u32 },
    /// Rows from rows.
    Gather,
    /// Means of rows.
    MeanPool,
    /// The likeliest token, of all or of those allowed.
    Argmax { mask: bool },
    /// The likeliest tokens of each stretch, of all or of those allowed, at first from logits.
    Top { first: bool, mask: bool },
}

/// Which elements of a head are turned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    Neighbours,
    Halves,
}

impl Format {
    /// How its weights are bound.
    pub(super) fn access(self) -> Access {
        if self.is_in_texels() { Access::Texels } else { Access::Read }
    }
}

impl Kernel {
    /// The template, and the WGSL that it is expanded to.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub(super) fn source(&self) -> Result<(&'static str, String), String> {
        let mut values = Values::new();
        let file = self.values(&mut values);
        Ok((file, template::expand(file, &values)?))
    }

    fn values(&self, values: &mut Values) -> &'static str {
        if let Self::Product(product) = self {
            return product.values(values);
        }
        let mut set = |name: &str, value: u32| values.insert(name.to_owned(), value.to_string());
        match *self {
            Self::Product(_) => unreachable!("see above"),
            Self::Norm { layer } => {
                set("LAYER", layer.into());
                "rows/norm.wgsl"
            }
            Self::Embed { format, numbers, add } => {
                set("NUMBERS", numbers.into());
                set("ADD", add.into());
                set("TEXELS0", format.is_in_texels().into());
                set("LEVELS0", format.has_levels().into());
                set("AT0", 2);
                values.insert("FORMAT0".into(), format.name().into());
                "rows/embed.wgsl"
            }
            Self::WriteHeads { len, f16, norm, turn } => {
                set("LEN", len);
                set("F16", f16.into());
                set("NORM", norm.into());
                set("ROTARY", turn.is_some().into());
                set("HALVES", (turn == Some(Turn::Halves)).into());
                values.insert("ACCESS".into(), "read_write".into());
                "attention/write.wgsl"
            }
            Self::AttendSplit { len, f16, share, shares } => {
                set("LEN", len);
                set("F16", f16.into());
                set("SHARE", share);
                set("SHARES", shares);
                set("SPAN", SPAN as u32);
                set("PERWORD", if f16 { 8 } else { 4 });
                values.insert("ACCESS".into(), "read".into());
                "attention/split.wgsl"
            }
            Self::AttendCombine { len } => {
                set("LEN", len);
                "attention/combine.wgsl"
            }
            Self::AttendTile { len, f16, share } => {
                let per_word = if f16 { 8 } else { 4 };
                set("LEN", len);
                set("F16", f16.into());
                set("SHARE", share);
                set("PARTS", per_word / 4);
                set("LOADS", 16 / per_word);
                set("CHUNKS", len.div_ceil(32));
                set("MINE", len.div_ceil(8 * per_word));
                values.insert("ACCESS".into(), "read".into());
                "attention/tile.wgsl"
            }
            Self::Gather => "rows/gather.wgsl",
            Self::MeanPool => "rows/mean_pool.wgsl",
            Self::Argmax { mask } => {
                set("MASK", mask.into());
                "choice/argmax.wgsl"
            }
            Self::Top { first, mask } => {
                set("FIRST", first.into());
                set("MASK", mask.into());
                "choice/top.wgsl"
            }
        }
    }

    /// The numbers that are bound, and whether they are written to.
    pub(super) fn bindings(&self) -> Vec<(u32, Access)> {
        let (read, write) = (Access::Read, Access::Write);
        let numbered = |accesses: &[Access]| (0..).zip(accesses.iter().copied()).collect();
        match *self {
            Self::Product(ref product) => product.bindings(),
            Self::Norm { layer: false } => numbered(&[read, read, write]),
            Self::Norm { layer: true } => numbered(&[read, read, write, read]),
            Self::Embed { format, numbers: true, .. } => numbered(&[write, read, format.access()]),
            Self::Embed { format, numbers: false, .. } => vec![(0, write), (2, format.access())],
            Self::WriteHeads { norm, turn, .. } => {
                let mut bindings = vec![(0, write), (1, read), (2, write)];
                bindings.extend([(3, read), (4, read)].into_iter().filter(|_| norm));
                bindings.extend(turn.map(|_| (5, read)));
                bindings
            }
            Self::AttendSplit { .. } | Self::AttendTile { .. } => numbered(&[read, read, write]),
            Self::AttendCombine { .. } | Self::MeanPool => numbered(&[read, write]),
            Self::Gather => numbered(&[read, read, write]),
            Self::Argmax { mask: false } | Self::Top { mask: false, .. } => numbered(&[read, write]),
            Self::Argmax { mask: true } | Self::Top { mask: true, .. } => numbered(&[read, write, read]),
        }
    }
}

/// Positions that a group of threads attends to.
pub(super) const SPAN: usize = 256;

#[cfg(test)]
mod tests;
