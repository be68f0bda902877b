//! What quantizing cost, tensor by tensor.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::Mix;
use super::plan::Step;
use super::tensor::Loss;
use crate::printable::Printable;

/// The report on one file. Its `Display` is a table for people, its `Serialize` is for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file read.
    pub input: String,
    /// The file written.
    pub output: String,
    /// Name of the mix.
    pub mix: &'static str,
    /// Each tensor, in the order of the output.
    pub tensors: Vec<TensorReport>,
    /// All of them together.
    pub totals: Totals,
}

/// One tensor before and after.
#[derive(Clone, Debug, Serialize)]
pub struct TensorReport {
    /// The tensor's name.
    pub name: String,
    /// Lengths, contiguous dimension first.
    pub shape: Vec<usize>,
    /// Type in the input.
    pub from: &'static str,
    /// Type in the output.
    pub to: &'static str,
    /// The type the mix wanted, where the rows are not whole blocks of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<&'static str>,
    /// Whether an importance matrix weighed the columns.
    pub importance: bool,
    /// Bytes of data in the output.
    pub bytes: usize,
    /// Bits an element takes in the output.
    pub bits_per_weight: f64,
    /// Root of the mean squared difference between input and output.
    pub rmse: f64,
    /// Where the difference is largest; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_block: Option<WorstBlock>,
}

/// The block with the largest mean squared difference.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WorstBlock {
    /// Counted from the start of the tensor, in blocks of the output type (of 32 for plain numbers).
    pub index: usize,
    /// Root of its mean squared difference.
    pub rmse: f64,
}

/// All tensors of a file together.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Totals {
    /// Elements.
    pub weights: usize,
    /// Bytes of tensor data read.
    pub bytes_in: usize,
    /// Bytes of tensor data written.
    pub bytes_out: usize,
    /// Bits an element takes in the output.
    pub bits_per_weight: f64,
    /// Root of the mean squared difference over all elements.
    pub rmse: f64,
    /// Tensors that could not have the type the mix wanted.
    pub fallbacks: usize,
    #[serde(skip)]
    squared: f64,
}

impl Report {
    pub(super) fn new(input: &Path, output: &Path, mix: Mix) -> Self {
        let text = |path: &Path| path.display().to_string();
        Self {
            input: text(input),
            output: text(output),
            mix: mix.name(),
            tensors: vec![],
            totals: Totals::default(),
        }
    }

    pub(super) fn add(&mut self, step: &Step, loss: &Loss) {
        let (from, to) = (step.source.info, &step.target);
        let weights = to.shape().elements();
        let totals = &mut self.totals;
        totals.weights += weights;
        totals.bytes_in += from.bytes();
        totals.bytes_out += to.bytes();
        totals.squared += loss.squared;
        totals.fallbacks += usize::from(step.wanted != to.ty());
        totals.bits_per_weight = totals.bytes_out as f64 * 8.0 / totals.weights as f64;
        totals.rmse = (totals.squared / totals.weights as f64).sqrt();
        self.tensors.push(TensorReport {
            name: to.name().to_owned(),
            shape: to.shape().dims().to_vec(),
            from: from.ty().name(),
            to: to.ty().name(),
            instead_of: (step.wanted != to.ty()).then(|| step.wanted.name()),
            importance: step.importance.is_some(),
            bytes: to.bytes(),
            bits_per_weight: to.ty().bits_per_weight(),
            rmse: (loss.squared / weights as f64).sqrt(),
            worst_block: loss.worst.map(|(index, mean)| WorstBlock { index, rmse: mean.sqrt() }),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.tensors.iter().map(|t| t.name.len()).max().unwrap_or(0).max("tensor".len());
        writeln!(
            f,
            "{:width$}  {:>16}  {:>5}    {:<6}  {:>6}  {:>10}  worst block",
            "tensor", "shape", "from", "to", "bits", "rmse"
        )?;
        for t in &self.tensors {
            let shape = t.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
            write!(
                f,
                "{:width$}  {shape:>16}  {:>5} -> {:<6}  {:>6.3}  {:>10.3e}",
                Printable(&t.name),
                t.from,
                t.to,
                t.bits_per_weight,
                t.rmse
            )?;
            if let Some(worst) = t.worst_block {
                write!(f, "  {:.3e} at {}", worst.rmse, worst.index)?;
            }
            if let Some(wanted) = t.instead_of {
                write!(f, "  (instead of {wanted})")?;
            }
            writeln!(f)?;
        }
        let Totals { weights, bytes_in, bytes_out, bits_per_weight, rmse, fallbacks, .. } = self.totals;
        let mib = |bytes: usize| bytes as f64 / (1 << 20) as f64;
        writeln!(
            f,
            "{weights} weights, {:.2} MiB -> {:.2} MiB, {bits_per_weight:.3} bits a weight, rmse {rmse:.3e}",
            mib(bytes_in),
            mib(bytes_out)
        )?;
        if fallbacks > 0 {
            writeln!(f, "{fallbacks} tensors could not have the type the mix wanted")?;
        }
        Ok(())
    }
}
