//! Products of rows with up to three matrices of weights, with what comes before and after them in a stage.

use std::sync::Arc;

use super::buffer::{Bound, Buffer};
use super::device::{Device, lock};
use super::kernel::Kernel;
use super::product::{Product, Then, Variant};
use super::rows::{NormOf, Rows, normed};
use super::weights::{Part, Weights};
use super::work::immediates;
use crate::backend::{Activation, Linear, Output};
use crate::{Error, ErrorKind, Result};

/// Where the last group and the first one are among the immediates.
const GROUPS_AT: usize = 6;
const BEGIN_AT: usize = 14;

/// Elements that can be bound as uniforms anywhere: 16 KiB.
const MOST_UNIFORMS: usize = 4096;

/// What is multiplied: the rows from `first` on, normed or as they are.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) rows: &'a Rows,
    pub(super) first: usize,
    pub(super) norm: Option<NormOf<'a>>,
}

impl Input<'_> {
    fn count(&self) -> usize {
        self.rows.count - self.first
    }
}

/// What it is multiplied with.
#[derive(Clone, Copy)]
struct Source<'a> {
    weight: &'a Weights,
    bias: Option<&'a Weights>,
}

impl<'a> From<&'a Linear<Weights>> for Source<'a> {
    fn from(linear: &'a Linear<Weights>) -> Self {
        Self { weight: &linear.weight, bias: linear.bias.as_ref() }
    }
}

/// Products with each matrix, activated, side by side: `[rows][outputs of all]`.
pub(super) fn products<const COUNT: usize>(
    device: &Arc<Device>,
    input: Input<'_>,
    matrices: [&Linear<Weights>; COUNT],
    activation: Option<Activation>,
) -> Result<Rows> {
    let width = matrices.iter().map(|linear| linear.weight.rows).sum();
    let out = Rows::new(device, input.count(), width)?;
    multiply(device, input, &matrices.map(Source::from), Then::Store, activation, &out)?;
    Ok(out)
}

/// See [`Backend::logits`](crate::backend::Backend::logits).
pub(super) fn logits(
    device: &Arc<Device>,
    stage: &Output<'_, Weights>,
    rows: &Rows,
    first: usize,
) -> Result<Rows> {
    let input = Input { rows, first, norm: Some(NormOf::Rms(stage.norm)) };
    let out = Rows::new(device, input.count(), stage.head.rows)?;
    multiply(device, input, &[Source { weight: stage.head, bias: None }], Then::Store, None, &out)?;
    Ok(out)
}

/// The activated product with the first matrix times that with the second.
pub(super) fn gated(
    device: &Arc<Device>,
    input: Input<'_>,
    matrices: [&Linear<Weights>; 2],
    activation: Activation,
) -> Result<Rows> {
    let out = Rows::new(device, input.count(), matrices[0].weight.rows)?;
    multiply(device, input, &matrices.map(Source::from), Then::Gate, Some(activation), &out)?;
    Ok(out)
}

/// Adds products to `onto`.
pub(super) fn add_product(
    device: &Arc<Device>,
    rows: &Rows,
    matrix: &Linear<Weights>,
    onto: &Rows,
) -> Result<()> {
    if (onto.width, onto.count) != (matrix.weight.rows, rows.count) {
        let (width, count) = (matrix.weight.rows, rows.count);
        let detail = format!("found {} rows of {}, expected {count} of {width}", onto.count, onto.width);
        return Err(Error::new(ErrorKind::Argument, "residual", detail));
    }
    let input = Input { rows, first: 0, norm: None };
    multiply(device, input, &[Source::from(matrix)], Then::Add, None, onto)
}

fn multiply(
    device: &Arc<Device>,
    input: Input<'_>,
    matrices: &[Source<'_>],
    then: Then,
    activation: Option<Activation>,
    out: &Rows,
) -> Result<()> {
    for source in matrices {
        check(input.rows, source.weight)?;
    }
    let variant = common_way(device, matrices, input.count())?;
    // Many rows are normed once, and not again for each tile of weights.
    let fused = match input.norm {
        Some(NormOf::Rms(norm)) if variant.norms() => Some(norm),
        _ => None,
    };
    let apart = input.norm.filter(|_| fused.is_none());
    let apart = apart.map(|norm| normed(device, norm, input.rows, input.first)).transpose()?;
    let (rows, first) = apart.as_ref().map_or((input.rows, input.first), |rows| (rows, 0));
    let call = Call { device, variant, rows, first, then, activation, out };
    let gain = match fused {
        Some(norm) => Some((norm.weight.vector(input.rows.width)?, norm.epsilon)),
        None => None,
    };
    if matrices.iter().all(|source| source.weight.parts.len() == 1) {
        let sources: Vec<_> = matrices.iter().map(|source| (*source, &source.weight.parts[0])).collect();
        return call.run(&sources, gain, 0);
    }
    if then == Then::Gate {
        return call.run_gate_in_parts(matrices, gain);
    }
    let mut offset = 0;
    for source in matrices {
        for part in &source.weight.parts {
            call.run(&[(*source, part)], gain, offset + part.first)?;
        }
        offset += source.weight.rows;
    }
    Ok(())
}

fn check(rows: &Rows, weight: &Weights) -> Result<()> {
    if rows.width == weight.columns {
        return Ok(());
    }
    let detail = format!("found rows of {}, expected {}", rows.width, weight.columns);
    Err(Error::new(ErrorKind::Argument, format!("tensor {:?}", weight.name), detail))
}

/// The best way to multiply the first matrix that the others can be multiplied in too.
fn common_way(device: &Device, matrices: &[Source<'_>], count: usize) -> Result<Variant> {
    let ways = matrices.first().map_or(&[][..], |source| source.weight.ways(count));
    let common = |way: &&Variant| matrices.iter().all(|source| source.weight.ways(count).contains(way));
    ways.iter().find(common).copied().ok_or_else(|| {
        let names: Vec<_> = matrices.iter().map(|source| source.weight.name.as_str()).collect();
        device.error(&format!("no kernel is right for all of {names:?}"))
    })
}

/// Products that are alike but for the matrices.
struct Call<'a> {
    device: &'a Device,
    variant: Variant,
    rows: &'a Rows,
    first: usize,
    then: Then,
    activation: Option<Activation>,
    out: &'a Rows,
}

impl Call<'_> {
    /// Parts of the gate with the same of the other.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the two are in different parts.
    fn run_gate_in_parts(&self, matrices: &[Source<'_>], gain: Option<(&Buffer, f32)>) -> Result<()> {
        let parts = |source: Source<'_>| -> Vec<_> {
            source.weight.parts.iter().map(|part| (part.first, part.rows)).collect()
        };
        if parts(matrices[0]) != parts(matrices[1]) {
            let detail = "it is too large for the adapter, in other parts than what it is multiplied with";
            let field = format!("tensor {:?}", matrices[0].weight.name);
            return Err(Error::new(ErrorKind::Unsupported, field, detail));
        }
        for number in 0..matrices[0].weight.parts.len() {
            let sources: Vec<_> =
                matrices.iter().map(|source| (*source, &source.weight.parts[number])).collect();
            self.run(&sources, gain, sources[0].1.first)?;
        }
        Ok(())
    }

    /// `sources` are all of a matrix or a part of it, and begin at `offset` of the rows of the output.
    fn run(
        &self,
        sources: &[(Source<'_>, &Part)],
        gain: Option<(&Buffer, f32)>,
        offset: usize,
    ) -> Result<()> {
        let any_bias = sources.iter().find_map(|(source, _)| source.bias);
        let mut bound = vec![Bound::from(&self.rows.buffer), Bound::from(&self.out.buffer)];
        bound.extend(gain.map(|(gain, _)| Bound::from(gain)));
        bound.extend(sources.iter().map(|(_, part)| part.bound()));
        let mut biased = 0_u32;
        for (number, (source, _)) in sources.iter().enumerate() {
            if let Some(bias) = source.bias.or(any_bias) {
                bound.push(bias.vector(bias.columns)?.into());
                biased |= u32::from(source.bias.is_some()) << number;
            }
        }
        let columns = self.rows.width;
        let kernel = Kernel::Product(Product {
            variant: self.variant,
            formats: sources.iter().map(|(source, _)| source.weight.format).collect(),
            vectors: columns.is_multiple_of(4),
            uniform: self.uniform(),
            norm: gain.is_some(),
            bias: any_bias.is_some(),
            then: self.then,
        });
        let count = self.rows.count - self.first;
        let (span, tokens) = self.variant.span();
        let counted = if self.then == Then::Gate { &sources[..1] } else { sources };
        let tiles: usize = counted.iter().map(|(_, part)| part.rows.div_ceil(span)).sum();
        let groups = tiles * count.div_ceil(tokens);
        let rows = |number: usize| sources.get(number).map_or(0, |(_, part)| part.rows);
        let values = immediates![
            columns,
            columns.div_ceil(32),
            self.first,
            count,
            self.out.width,
            offset,
            groups,
            biased,
            number(self.activation),
            gain.map_or(0.0, |(_, epsilon)| epsilon),
            rows(0),
            rows(1),
            rows(2),
            sources[0].1.first,
            0_u32,
        ];
        let multiplications = sources.iter().map(|(_, part)| part.rows).sum::<usize>() * columns * count;
        let room = lock(&self.device.pace).room();
        let pieces = (multiplications as u64).div_ceil(room).clamp(1, groups as u64) as usize;
        let step = groups.div_ceil(pieces);
        for begin in (0..groups).step_by(step) {
            let mut values = values.to_vec();
            let end = groups.min(begin + step);
            values[GROUPS_AT] = end as u32;
            values[BEGIN_AT] = begin as u32;
            let share = (multiplications / pieces) as u64;
            self.device.dispatch_long(&kernel, &bound, &values, end - begin, share)?;
        }
        Ok(())
    }
}

impl Call<'_> {
    /// Words of four in the single row, where a processor reads it: its uniforms cost less than other loads.
    fn uniform(&self) -> Option<u32> {
        let single = self.rows.count == 1 && matches!(self.variant, Variant::Lane { tokens: 1, .. });
        let columns = self.rows.width;
        (single && columns.is_multiple_of(4) && columns <= MOST_UNIFORMS).then_some(columns as u32 / 4)
    }
}

/// As `shared/activation.wgsl` numbers them.
fn number(activation: Option<Activation>) -> u32 {
    match activation {
        None => 0,
        Some(Activation::GeluErf) => 1,
        Some(Activation::GeluTanh) => 2,
        Some(Activation::GeluQuick) => 3,
        Some(Activation::Silu) => 4,
    }
}
