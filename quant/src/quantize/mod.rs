//! Makes small files out of big ones: a type for each tensor, every row encoded, a report of what it cost.

mod importance;
mod mix;
mod plan;
mod report;
mod tensor;

use std::path::Path;

use regex_lite::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{Gguf, Header, Metadata, keys};
use crate::{OutputFile, Progress, TensorType, block};

pub use importance::Importance;
pub use mix::Mix;
pub use report::{Report, TensorReport, Totals, WorstBlock};

/// What to make.
#[derive(Default)]
pub struct Options {
    /// The mix of types.
    pub mix: Mix,
    /// How much each input column of each tensor matters.
    pub importance: Option<Importance>,
    /// Types for the tensors whose name a pattern is found in; the first that matches wins over the mix. As in
    /// llama-quantize they count only when the mix is a quantized one.
    pub overrides: Vec<(Regex, TensorType)>,
    /// Quantize what is quantized already, at a loss.
    pub allow_requantize: bool,
    /// Threads to use, or 0 for one on each core; never more than [`MAX_THREADS`].
    pub threads: usize,
}

/// More threads than this only cost memory.
pub const MAX_THREADS: usize = 512;

/// Reads the model at `input`, sharded or not, and writes it to `output` in the types of `options`.
///
/// Each tensor gets the type that llama-quantize gives it (its rules for Falcon and GLM-5-Next alone are left out).
/// The memory used beyond the mapped input is a few
/// megabytes a thread, whatever the size of a tensor.
///
/// # Errors
/// What opening and writing say; a tensor that is quantized already, holds a value that is not finite, or whose
/// importance has another length; [`ErrorKind::Cancelled`]. No error leaves an output file behind.
pub fn quantize(input: &Path, output: &Path, options: &Options, progress: &dyn Progress) -> Result<Report> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.min(MAX_THREADS))
        .build()
        .map_err(|e| Error::io("start threads", std::io::Error::other(e)))?;
    let model = Gguf::open(input)?;
    let steps = plan::plan(&model, options).map_err(|e| e.in_file(input))?;
    let infos = steps.iter().map(|step| step.target.clone()).collect();
    let header = Header::new(metadata(&model, options), infos)?;
    let file = OutputFile::create(output)?;
    file.write_all_at(&header.to_bytes(), 0)?;
    file.set_len(header.file_len() as u64)?;

    let total: u64 = steps.iter().map(|step| step.source.data.len() as u64).sum();
    let mut report = Report::new(input, output, options.mix);
    let mut done = 0;
    for (i, step) in steps.iter().enumerate() {
        progress.advance(step.target.name(), done, total);
        let out = tensor::Place { file: &file, offset: header.data_offset(i) as u64 };
        let loss = pool.install(|| tensor::write(step, out, progress)).map_err(|e| e.in_file(input))?;
        report.add(step, &loss);
        model.release(&step.source);
        done += step.source.data.len() as u64;
    }
    progress.advance("", total, total);
    file.commit()?;
    Ok(report)
}

/// The input's metadata under the new file type, in llama-quantize's order.
fn metadata(model: &Gguf, options: &Options) -> Metadata {
    let mut metadata = model.metadata().clone();
    let mut put = |key: &str, value: crate::gguf::Value| {
        metadata.remove(key);
        metadata.set(key, value);
    };
    put(keys::QUANTIZATION_VERSION, crate::gguf::QUANTIZATION_VERSION.into());
    put(keys::FILE_TYPE, options.mix.file_type().into());
    if let Some(importance) = &options.importance {
        put("quantize.imatrix.file", importance.source().into());
        if let Some(dataset) = importance.dataset() {
            put("quantize.imatrix.dataset", dataset.into());
        }
        put("quantize.imatrix.entries_count", (importance.len() as u32).into());
        if importance.chunks() > 0 {
            put("quantize.imatrix.chunks_count", importance.chunks().into());
        }
    }
    metadata
}

/// Reads `PATTERN=TYPE`, as in `attn_v=q8_0` or `blk\.[0-3]\.ffn_down=Q6_K`. Letters match in either case; there is
/// no look-around.
///
/// # Errors
/// [`ErrorKind::Argument`] when there is no `=`, the pattern is not one, or nothing can be stored as the type.
pub fn parse_override(text: &str) -> Result<(Regex, TensorType)> {
    let (pattern, ty) = text
        .split_once('=')
        .filter(|(pattern, _)| !pattern.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::Argument, text, "expected PATTERN=TYPE"))?;
    let regex = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build()
        .map_err(|e| Error::new(ErrorKind::Argument, pattern, format!("not a regular expression: {e}")))?;
    let ty: TensorType = ty.parse()?;
    if !block::can_encode(ty) {
        return Err(Error::new(ErrorKind::Argument, ty.name(), "holds integers, not weights"));
    }
    Ok((regex, ty))
}
