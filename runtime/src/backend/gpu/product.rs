//! Products of matrices: what is multiplied, in which way, and what becomes of it.

use super::format::Format;
use super::kernel::{Access, GROUP};
use super::template::Values;

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
    /// Sets what the template, which is returned, is expanded with.
    pub(super) fn values(&self, values: &mut Values) -> &'static str {
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

    pub(super) fn bindings(&self) -> Vec<(u32, Access)> {
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
