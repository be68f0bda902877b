//! Tables that turn the tensors of a checkpoint into those of a GGUF file.

use std::collections::HashSet;

use super::OutType;
use super::checkpoint::Source;
use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{TensorInfo, TensorShape};

/// What a family's tensors are called on both sides, how they are shaped and stored. `{}` in a name stands for the
/// block.
pub(super) struct Rules {
    blocks: usize,
    rules: Vec<Rule>,
}

pub(super) struct Rule {
    from: String,
    to: String,
    /// As in PyTorch.
    shape: Vec<usize>,
    required: bool,
    rows: Rows,
    stored: Stored,
    /// Lengths of 1 appended to the shape.
    trailing: usize,
}

/// Which row of the source stands where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// As they are.
    Same,
    /// Hugging Face rotates the two halves of each of `heads` heads, llama.cpp neighbouring pairs: row `i` of the
    /// halves goes to `2 * i` and `2 * i + 1`.
    PairHalves { heads: usize },
}

/// How the type of a tensor is decided.
#[derive(Clone, Copy)]
pub(super) enum Stored {
    /// By the output type and the rules that llama.cpp has for all tensors.
    ByOutType,
    /// As this, whatever the output type.
    As(TensorType),
}

/// Whether a linear layer has a bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bias {
    None,
    Maybe,
    Required,
}

/// A tensor of the output, with where it comes from.
pub(super) struct Planned<'a> {
    pub(super) info: TensorInfo,
    pub(super) data: Data<'a>,
}

/// Where the values of a tensor come from.
pub(super) enum Data<'a> {
    /// A tensor of the checkpoint, its rows rearranged.
    Source(Source<'a>, Rows),
    /// Made by the converter.
    Values(Vec<f32>),
}

impl Rule {
    /// The same rule with its rows rearranged.
    pub(super) fn rows(&mut self, rows: Rows) -> &mut Self {
        self.rows = rows;
        self
    }

    /// The same rule with the tensor stored as `ty`, whatever the output type.
    pub(super) fn stored_as(&mut self, ty: TensorType) -> &mut Self {
        self.stored = Stored::As(ty);
        self
    }

    /// The same rule with a length of 1 appended to the shape.
    pub(super) fn unsqueezed(&mut self) -> &mut Self {
        self.trailing += 1;
        self
    }
}

impl Rules {
    /// An empty table for a model of `blocks` blocks.
    pub(super) fn new(blocks: usize) -> Self {
        Self { blocks, rules: Vec::new() }
    }

    /// A tensor that must be there.
    pub(super) fn tensor(&mut self, from: &str, to: &str, shape: &[usize]) -> &mut Rule {
        self.add(from, to, shape, true)
    }

    /// A tensor that may be there.
    pub(super) fn optional(&mut self, from: &str, to: &str, shape: &[usize]) -> &mut Rule {
        self.add(from, to, shape, false)
    }

    /// `.weight` of shape `[out, input]`, and `.bias` of shape `[out]`, with the same order of rows.
    pub(super) fn linear(&mut self, from: &str, to: &str, [out, input]: [usize; 2], bias: Bias, rows: Rows) {
        self.add(&format!("{from}.weight"), &format!("{to}.weight"), &[out, input], true).rows(rows);
        if bias != Bias::None {
            let required = bias == Bias::Required;
            self.add(&format!("{from}.bias"), &format!("{to}.bias"), &[out], required).rows(rows);
        }
    }

    /// `.weight` and `.bias` of a layer norm over `len` elements.
    pub(super) fn layer_norm(&mut self, from: &str, to: &str, len: usize) {
        for member in ["weight", "bias"] {
            self.tensor(&format!("{from}.{member}"), &format!("{to}.{member}"), &[len]);
        }
    }

    fn add(&mut self, from: &str, to: &str, shape: &[usize], required: bool) -> &mut Rule {
        self.rules.push(Rule {
            from: from.to_owned(),
            to: to.to_owned(),
            shape: shape.to_vec(),
            required,
            rows: Rows::Same,
            stored: Stored::ByOutType,
            trailing: 0,
        });
        let last = self.rules.len() - 1;
        &mut self.rules[last]
    }

    /// Plans the tensors of `sources`, in their order. Each comes with the name that the table knows it by.
    ///
    /// # Errors
    /// A tensor that no rule knows, one with another shape than the rule's, and one that should be there and is
    /// not, each with its name in the checkpoint.
    pub(super) fn plan<'a>(
        &self,
        sources: &[(String, Source<'a>)],
        outtype: OutType,
    ) -> Result<Vec<Planned<'a>>> {
        let mut seen = HashSet::new();
        let mut planned = Vec::with_capacity(sources.len());
        for (name, source) in sources {
            let (pattern, block) = split_block(name);
            let rule = self.rules.iter().find(|rule| rule.from == pattern);
            let rule = rule.filter(|_| block.is_none_or(|block| block < self.blocks)).ok_or_else(|| {
                let detail = format!("not a tensor of this architecture with {} blocks", self.blocks);
                Error::new(ErrorKind::Unsupported, source.field(), detail).in_file(source.path)
            })?;
            planned.push(rule.plan(*source, block, outtype).map_err(|e| e.in_file(source.path))?);
            seen.insert(name.as_str());
        }
        self.check_complete(&seen)?;
        Ok(planned)
    }

    fn check_complete(&self, seen: &HashSet<&str>) -> Result<()> {
        for rule in self.rules.iter().filter(|rule| rule.required) {
            let blocks = if rule.from.contains("{}") { self.blocks } else { 1 };
            for name in (0..blocks).map(|block| rule.from.replace("{}", &block.to_string())) {
                if !seen.contains(name.as_str()) {
                    return Err(Error::missing(
                        format!("tensor {name:?}"),
                        "it in one of the safetensors files",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Rule {
    fn plan<'a>(&self, source: Source<'a>, block: Option<usize>, outtype: OutType) -> Result<Planned<'a>> {
        if source.shape != self.shape {
            let field = format!("{} shape", source.field());
            return Err(Error::malformed(field, format!("{:?}", source.shape), format!("{:?}", self.shape)));
        }
        if source.dtype.ty.is_none() {
            let detail = format!("found {}, supported: F32, F16, BF16", source.dtype.name);
            return Err(Error::new(ErrorKind::Unsupported, format!("{} dtype", source.field()), detail));
        }
        let mut dims: Vec<_> = self.shape.iter().rev().copied().collect();
        dims.splice(..0, std::iter::repeat_n(1, self.trailing));
        let name = block.map_or_else(|| self.to.clone(), |block| self.to.replace("{}", &block.to_string()));
        let ty = stored_type(&name, &dims, self.stored, outtype);
        Ok(Planned {
            info: TensorInfo::new(name, TensorShape::new(&dims)?, ty)?,
            data: Data::Source(source, self.rows),
        })
    }
}

/// The type llama.cpp stores a tensor in: vectors and norms as F32, weights as the output type says, with F16 where
/// rows are no whole blocks of it, and everything that is no weight (biases, position tables) as F32.
fn stored_type(name: &str, dims: &[usize], stored: Stored, outtype: OutType) -> TensorType {
    if dims.len() <= 1 || name.ends_with("_norm.weight") {
        return TensorType::F32;
    }
    match stored {
        Stored::As(ty) => ty,
        Stored::ByOutType if !name.ends_with(".weight") => TensorType::F32,
        Stored::ByOutType if !dims[0].is_multiple_of(outtype.tensor_type().block_len()) => TensorType::F16,
        Stored::ByOutType => outtype.tensor_type(),
    }
}

/// The name with its first number part, which is the block, as `{}`.
fn split_block(name: &str) -> (String, Option<usize>) {
    let mut block = None;
    let parts: Vec<_> = name
        .split('.')
        .map(|part| match part.parse::<usize>() {
            // No `+3` and no `03`, which would be a second name for block 3.
            Ok(number) if block.is_none() && number.to_string() == part => {
                block = Some(number);
                "{}"
            }
            _ => part,
        })
        .collect();
    (parts.join("."), block)
}

impl Rows {
    /// The row of the source that stands at `row`, of `count`.
    pub(super) fn source_of(self, row: usize, count: usize) -> usize {
        match self {
            Self::Same => row,
            Self::PairHalves { heads } => {
                let head_len = count / heads;
                let (head, within) = (row / head_len, row % head_len);
                head * head_len + within % 2 * (head_len / 2) + within / 2
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairing_halves_interleaves_them_in_each_head() {
        let rows = Rows::PairHalves { heads: 2 };
        let order: Vec<_> = (0..8).map(|row| rows.source_of(row, 8)).collect();
        assert_eq!(order, [0, 2, 1, 3, 4, 6, 5, 7]);
    }

    #[test]
    fn the_first_number_in_a_name_is_the_block() {
        assert_eq!(
            split_block("model.layers.12.conv1.3.weight"),
            ("model.layers.{}.conv1.3.weight".into(), Some(12))
        );
        assert_eq!(split_block("lm_head.weight"), ("lm_head.weight".into(), None));
    }

    #[test]
    fn types_follow_llama_cpp() {
        use TensorType::{BF16, F16, F32, Q8_0};
        let ty = |name, dims: &[usize], outtype| stored_type(name, dims, Stored::ByOutType, outtype);
        assert_eq!(ty("blk.0.attn_q.weight", &[64, 64], OutType::Q8_0), Q8_0);
        assert_eq!(ty("blk.0.attn_q.weight", &[48, 64], OutType::Q8_0), F16);
        assert_eq!(ty("blk.0.attn_q.weight", &[48, 64], OutType::BF16), BF16);
        assert_eq!(ty("blk.0.attn_q_norm.weight", &[8, 8], OutType::F16), F32);
        assert_eq!(ty("blk.0.attn_q.bias", &[1, 64], OutType::F16), F32);
        assert_eq!(ty("v.post_ln.weight", &[64], OutType::F16), F32);
        assert_eq!(stored_type("a.conv1d.1.weight", &[3, 8, 8], Stored::As(F16), OutType::F32), F16);
    }
}
