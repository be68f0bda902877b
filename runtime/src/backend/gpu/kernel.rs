//! Every kernel there is, with what its template is expanded with and what it is given.

use super::format::Format;
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

/// Products of one input with up to three matrices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Product {
    pub(super) variant: Variant,
    /// How each matrix is stored.
    pub(super) formats: Vec<Format>,
    /// Whether rows of the input are whole words of four.
    pub(super) vectors: bool,
    /// Of how many, where the input is a single row, bound as uniforms.
    pub(super) uniform: Option<u32>,
    /// Whether the input is normed.
    pub(super) norm: bool,
    pub(super) bias: bool,
    pub(super) then: Then,
}

/// Ways to compute a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Variant {
    /// `rows` rows of weights a thread, `tokens` rows of input, the input shared by subgroups of 8 threads or more.
    Lane { group: u32, rows: u32, tokens: u32 },
    /// So many threads for each row of weights, whose sums are added up by subgroups of just so many, or in memory.
    Wide { group: u32, threads: u32, subgroups: bool },
    /// Tiles of 32 by 32 in registers.
    Tile { numbers: Numbers },
    /// The same of square matrices of so many rows, which a group of so many threads multiplies together: a subgroup.
    Cooperative { group: u32, side: u32 },
}

/// What a tile is multiplied in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Numbers {
    /// f32.
    Floats,
    /// f16, summed up in f32.
    Halves,
    /// Signed bytes, summed up as integers: the levels that weights are stored in, and input rounded to such.
    Levels,
}

impl Numbers {
    /// As its file in `matmul/tile` is called.
    fn name(self) -> &'static str {
        match self {
            Self::Floats => "floats",
            Self::Halves => "halves",
            Self::Levels => "levels",
        }
    }
}

/// What becomes of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Then {
    /// They are activated and stored.
    Store,
    /// They are added to what is there.
    Add,
    /// The activated first one is multiplied with the second.
    Gate,
}

impl Format {
    fn access(self) -> Access {
        if self.is_in_texels() { Access::Texels } else { Access::Read }
    }
}

impl Variant {
    /// Rows of weights, and of input, that a group of threads computes.
    pub(super) fn span(self) -> (usize, usize) {
        match self {
            Self::Lane { group, rows, tokens } => ((group * rows) as usize, tokens as usize),
            Self::Wide { group, threads, .. } => ((group / threads) as usize, 1),
            Self::Tile { .. } | Self::Cooperative { .. } => (32, 32),
        }
    }

    /// Whether input is rounded before it is multiplied.
    pub(super) fn rounds(self) -> bool {
        match self {
            Self::Tile { numbers } => numbers != Numbers::Floats,
            Self::Cooperative { .. } => true,
            Self::Lane { .. } | Self::Wide { .. } => false,
        }
    }

    /// Whether it norms its input itself.
    pub(super) fn norms(self) -> bool {
        matches!(self, Self::Lane { tokens: 1, .. } | Self::Wide { .. })
    }

    fn values(self, values: &mut Values) -> &'static str {
        let mut set = |name: &str, value: u32| values.insert(name.to_owned(), value.to_string());
        match self {
            Self::Lane { group, rows, tokens } => {
                set("GROUP", group);
                set("ROWS", rows);
                set("TOKENS", tokens);
                "matmul/lane.wgsl"
            }
            Self::Wide { group, threads, subgroups } => {
                set("GROUP", group);
                set("THREADS", threads);
                set("SUBGROUPS", subgroups.into());
                "matmul/wide.wgsl"
            }
            Self::Tile { numbers } => {
                set("GROUP", GROUP);
                set("HALVES", (numbers == Numbers::Halves).into());
                values.insert("NUMBERS".to_owned(), numbers.name().to_owned());
                "matmul/tile.wgsl"
            }
            Self::Cooperative { group, side } => {
                set("GROUP", group);
                set("SIDE", side);
                set("SQUARES", 32 / side);
                "matmul/cooperative.wgsl"
            }
        }
    }
}

impl Product {
    fn values(&self, values: &mut Values) -> &'static str {
        let mut set = |name: &str, value: String| values.insert(name.to_owned(), value);
        let numbers: Vec<_> = (0..self.formats.len()).map(|i| i.to_string()).collect();
        let gate = self.then == Then::Gate;
        set("SOURCES", numbers.join(" "));
        set("RUNS", if gate { "0".into() } else { numbers.join(" ") });
        // The gate's two products are kept apart in memory; others take turns.
        set("TILES", if gate { numbers.join(" ") } else { "0".into() });
        for (number, format) in numbers.iter().zip(&self.formats) {
            set(&format!("FORMAT{number}"), format.name().into());
            set(&format!("AT{number}"), format!("3{number}"));
            set(&format!("TEXELS{number}"), u8::from(format.is_in_texels()).to_string());
            set(&format!("LEVELS{number}"), u8::from(format.has_levels()).to_string());
            set(&format!("MINE{number}"), if gate { numbers.join(" ") } else { number.clone() });
            set(&format!("TILE{number}"), if gate { number.clone() } else { "0".into() });
        }
        // Integers of each half of a unit are summed by themselves where those have scales of their own.
        let halves = self.variant == Variant::Tile { numbers: Numbers::Levels }
            && self.formats.iter().any(|format| format.has_two_scales());
        set("PARTS", if halves { "0 1".into() } else { "0".into() });
        set("STEPS", if halves { "4".into() } else { "8".into() });
        set("VECTORS", u8::from(self.vectors).to_string());
        set("UNIFORM", u8::from(self.uniform.is_some()).to_string());
        set("QUARTERS", self.uniform.unwrap_or(0).to_string());
        set("NORM", u8::from(self.norm).to_string());
        set("BIAS", u8::from(self.bias).to_string());
        set("ADD", u8::from(self.then == Then::Add).to_string());
        set("GATE", u8::from(gate).to_string());
        self.variant.values(values)
    }

    fn bindings(&self) -> Vec<(u32, Access)> {
        let input = if self.uniform.is_some() { Access::Uniform } else { Access::Read };
        let mut bindings = vec![(0, input), (1, Access::Write)];
        if self.norm {
            bindings.push((2, input));
        }
        let formats = || (0..).zip(&self.formats);
        bindings.extend(formats().map(|(i, format)| (30 + i, format.access())));
        if self.bias {
            bindings.extend(formats().map(|(i, _)| (40 + i, Access::Read)));
        }
        bindings
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
