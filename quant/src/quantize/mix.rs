//! The mixes: which type each kind of tensor gets.

use std::fmt;
use std::str::FromStr;

use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};

/// A recipe for a whole file, by llama-quantize's names. `S`, `M` say how many tensors get more bits than the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the field writes Q4_K_M, and Q4KM would read as another mix")]
#[allow(missing_docs, reason = "the names are all there is to say")]
pub enum Mix {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    #[default]
    Q8_0,
    Q4_K_S,
    Q4_K_M,
    Q5_K_S,
    Q5_K_M,
    Q6_K,
}

/// Name, llama.cpp's `llama_ftype` number, and the type that most tensors get.
const MIXES: &[(Mix, &str, u32, TensorType)] = &[
    (Mix::F32, "F32", 0, TensorType::F32),
    (Mix::F16, "F16", 1, TensorType::F16),
    (Mix::BF16, "BF16", 32, TensorType::BF16),
    (Mix::Q4_0, "Q4_0", 2, TensorType::Q4_0),
    (Mix::Q4_1, "Q4_1", 3, TensorType::Q4_1),
    (Mix::Q5_0, "Q5_0", 8, TensorType::Q5_0),
    (Mix::Q5_1, "Q5_1", 9, TensorType::Q5_1),
    (Mix::Q8_0, "Q8_0", 7, TensorType::Q8_0),
    (Mix::Q4_K_S, "Q4_K_S", 14, TensorType::Q4_K),
    (Mix::Q4_K_M, "Q4_K_M", 15, TensorType::Q4_K),
    (Mix::Q5_K_S, "Q5_K_S", 16, TensorType::Q5_K),
    (Mix::Q5_K_M, "Q5_K_M", 17, TensorType::Q5_K),
    (Mix::Q6_K, "Q6_K", 18, TensorType::Q6_K),
];

impl Mix {
    fn row(self) -> &'static (Mix, &'static str, u32, TensorType) {
        &MIXES[self as usize]
    }

    /// llama-quantize's name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The number in `general.file_type`.
    pub fn file_type(self) -> u32 {
        self.row().2
    }

    /// The type that most tensors get.
    pub fn base(self) -> TensorType {
        self.row().3
    }

    /// The names of all mixes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MIXES.iter().map(|(_, name, ..)| *name)
    }

    /// The mix with llama.cpp's number `file_type`.
    pub fn from_file_type(file_type: u32) -> Option<Self> {
        MIXES.iter().find(|(_, _, number, _)| *number == file_type).map(|(mix, ..)| *mix)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Mix {
    type Err = Error;

    /// Reads a name in any case; `Q4_K` and `Q5_K` mean the `M` mixes, as in llama-quantize.
    fn from_str(name: &str) -> Result<Self> {
        let full = match name.to_ascii_uppercase().as_str() {
            "Q4_K" => "Q4_K_M".to_owned(),
            "Q5_K" => "Q5_K_M".to_owned(),
            other => other.to_owned(),
        };
        MIXES.iter().find(|(_, known, ..)| *known == full).map(|(mix, ..)| *mix).ok_or_else(|| {
            let known: Vec<_> = Self::names().collect();
            Error::new(ErrorKind::Argument, name, format!("not a mix; known are {}", known.join(", ")))
        })
    }
}

/// What a tensor does in its layer, as far as mixes care.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    TokenEmbedding,
    Output,
    /// Attention values, also when fused with queries and keys: the most sensitive.
    AttentionValue,
    AttentionKey,
    AttentionOutput,
    FeedForwardDown,
    Other,
}

impl Role {
    pub(super) fn of(name: &str) -> Self {
        const PARTS: &[(&str, Role)] = &[
            ("attn_qkv.weight", Role::AttentionValue),
            ("attn_kv_b.weight", Role::AttentionValue),
            ("attn_v.weight", Role::AttentionValue),
            ("attn_k.weight", Role::AttentionKey),
            ("attn_q.weight", Role::Other),
            ("attn_output.weight", Role::AttentionOutput),
            ("ffn_up", Role::Other),
            ("ffn_gate", Role::Other),
            ("ffn_down", Role::FeedForwardDown),
        ];
        match name {
            "output.weight" => Role::Output,
            "token_embd.weight" | "per_layer_token_embd.weight" => Role::TokenEmbedding,
            _ => PARTS.iter().find(|(part, _)| name.contains(part)).map_or(Role::Other, |(_, role)| *role),
        }
    }
}

/// Hands out types tensor by tensor, in layer order: mixes give more bits to the first, the last and every third
/// layer.
pub(super) struct Chooser {
    pub(super) mix: Mix,
    /// The token embedding is the output matrix too.
    pub(super) tied: bool,
    pub(super) layers: usize,
    pub(super) experts: usize,
    /// Eight query heads share a value head, so that value weights are few: the 70B shape.
    pub(super) few_values: bool,
    pub(super) has_importance: bool,
    /// Tensors of [`Role::AttentionValue`] in the model, and how many are through.
    pub(super) values: usize,
    pub(super) values_seen: usize,
    pub(super) downs_seen: usize,
}

impl Chooser {
    /// The type for the tensor `name` with rows of `row_len`, before its shape is considered.
    pub(super) fn choose(&mut self, name: &str, row_len: usize) -> TensorType {
        use TensorType::{Q4_K, Q5_K, Q6_K, Q8_0};
        let base = self.mix.base();
        match Role::of(name) {
            Role::TokenEmbedding if !self.tied => base,
            Role::Output | Role::TokenEmbedding
                if base == Q8_0 || !row_len.is_multiple_of(base.block_len()) =>
            {
                Q8_0
            }
            Role::Output | Role::TokenEmbedding => Q6_K,
            Role::AttentionValue => {
                let ty = self.value_type(self.values_seen);
                self.values_seen += 1;
                ty
            }
            Role::AttentionKey if self.experts == 8 => Q8_0,
            Role::AttentionOutput if self.experts == 8 && base == Q4_K => Q5_K,
            Role::FeedForwardDown => {
                let in_name = layer_of(name).filter(|_| self.experts > 1);
                let layer = in_name.unwrap_or(self.downs_seen);
                self.downs_seen += 1;
                self.down_type(layer)
            }
            _ => base,
        }
    }

    fn value_type(&self, index: usize) -> TensorType {
        use TensorType::{Q4_K, Q5_K, Q6_K, Q8_0};
        let ty = match self.mix {
            Mix::Q4_K_M | Mix::Q5_K_M if gets_more_bits(index, self.values) => Q6_K,
            Mix::Q4_K_S if index < 4 => Q5_K,
            mix => mix.base(),
        };
        match ty {
            _ if self.experts == 8 => Q8_0,
            Q4_K if self.few_values => Q5_K,
            ty => ty,
        }
    }

    fn down_type(&self, layer: usize) -> TensorType {
        use TensorType::{Q4_1, Q5_1, Q5_K, Q6_K};
        let first = layer < self.layers / 8;
        match self.mix {
            Mix::Q4_K_M | Mix::Q5_K_M if gets_more_bits(layer, self.layers) => Q6_K,
            Mix::Q4_K_S if first => Q5_K,
            Mix::Q4_0 if first && self.has_importance => Q4_1,
            Mix::Q5_0 if first && self.has_importance => Q5_1,
            mix => mix.base(),
        }
    }
}

fn gets_more_bits(layer: usize, layers: usize) -> bool {
    let eighth = layers / 8;
    layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
}

/// The layer number in `blk.N.…`.
pub(super) fn layer_of(name: &str) -> Option<usize> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixes_are_found_by_name_and_number() {
        for (i, (mix, name, number, _)) in MIXES.iter().enumerate() {
            assert_eq!(*mix as usize, i, "the table is in the order of the enum");
            assert_eq!(name.to_lowercase().parse::<Mix>().unwrap(), *mix);
            assert_eq!(Mix::from_file_type(*number), Some(*mix));
        }
        assert_eq!("q4_k".parse::<Mix>().unwrap(), Mix::Q4_K_M);
        assert!("Q9".parse::<Mix>().unwrap_err().to_string().contains("Q4_K_M"));
    }

    #[test]
    fn more_bits_go_to_both_ends_and_every_third_between() {
        let layers: Vec<_> = (0..16).filter(|&i| gets_more_bits(i, 16)).collect();
        assert_eq!(layers, [0, 1, 4, 7, 10, 13, 14, 15]);
    }
}
