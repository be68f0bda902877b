//! Writes planned models, a piece of a tensor at a time.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::Model;
use super::checkpoint::Source;
use super::rules::{Data, Planned, Rows};
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{TensorInfo, Writer};
use crate::{OutputFile, Progress, TensorType, block};

/// About how many values are converted at a time.
const PIECE: usize = 1 << 19;

/// Writes all `models` into `dir` under temporary names, then gives all of them their names.
pub(super) fn write_all(models: &[Model<'_>], dir: &Path, progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    let bytes =
        |model: &Model<'_>| model.tensors.iter().map(|tensor| tensor.info.bytes() as u64).sum::<u64>();
    let mut meter = Meter { done: 0, total: models.iter().map(bytes).sum(), progress };
    std::fs::create_dir_all(dir).map_err(|e| Error::io("create", e).in_file(dir))?;
    let mut files = Vec::with_capacity(models.len());
    for model in models {
        let path = dir.join(&model.file_name);
        files.push(write_model(model, &path, &mut meter).map_err(|e| e.in_file(&path))?);
    }
    meter.report("");
    let paths = files.iter().map(|file| file.target().to_owned()).collect();
    files.into_iter().try_for_each(OutputFile::commit)?;
    Ok(paths)
}

/// Counts what is written of all files.
struct Meter<'a> {
    done: u64,
    total: u64,
    progress: &'a dyn Progress,
}

impl Meter<'_> {
    fn report(&self, item: &str) {
        self.progress.advance(item, self.done, self.total);
    }
}

fn write_model(model: &Model<'_>, path: &Path, meter: &mut Meter<'_>) -> Result<OutputFile> {
    let infos: Vec<_> = model.tensors.iter().map(|tensor| tensor.info.clone()).collect();
    let out = BufWriter::new(OutputFile::create(path)?);
    let mut writer = Writer::new(out, &model.metadata, &infos)?;
    for Planned { info, data } in &model.tensors {
        let mut write = |bytes: &[u8]| {
            meter.progress.check()?;
            meter.report(info.name());
            meter.done += bytes.len() as u64;
            writer.write(bytes)
        };
        match data {
            Data::Values(values) => write(&little_endian(values))?,
            Data::Source(source, rows) => convert_tensor(info, *source, *rows, &mut write)?,
        }
    }
    writer.finish()?.into_inner().map_err(|e| Error::io("write", e.into_error()))
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Hands the values of `source` to `write` as `info` wants them, a few rows at a time.
fn convert_tensor(
    info: &TensorInfo,
    source: Source<'_>,
    rows: Rows,
    write: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let unreadable = || Error::new(ErrorKind::Unsupported, source.field(), "not a type of weights");
    let source_type = source.dtype.ty.ok_or_else(unreadable)?;
    let count = source.shape.first().copied().unwrap_or(1);
    let row_bytes = source.data.len() / count;
    let step = (PIECE * source_type.block_bytes() / row_bytes).clamp(1, count);

    let mut gathered = Vec::new();
    let mut recoder = Recoder { from: source_type, to: info.ty(), values: Vec::new(), out: Vec::new() };
    for start in (0..count).step_by(step) {
        let end = (start + step).min(count);
        let bytes = match rows {
            Rows::Same => &source.data[start * row_bytes..end * row_bytes],
            _ => {
                gathered.clear();
                for row in start..end {
                    let at = rows.source_of(row, count) * row_bytes;
                    gathered.extend_from_slice(&source.data[at..at + row_bytes]);
                }
                &gathered
            }
        };
        let recoded = recoder.recode(bytes, info.shape().row_len());
        write(recoded.map_err(|e| unfit(&source, &e))?)?;
    }
    Ok(())
}

/// A value that the output type cannot hold.
fn unfit(source: &Source<'_>, error: &Error) -> Error {
    Error::new(ErrorKind::Malformed, source.field(), error.to_string()).in_file(source.path)
}

/// Converts pieces of a tensor, with buffers that are used again.
struct Recoder {
    from: TensorType,
    to: TensorType,
    values: Vec<f32>,
    out: Vec<u8>,
}

impl Recoder {
    fn recode<'a>(&'a mut self, bytes: &'a [u8], row_len: usize) -> Result<&'a [u8]> {
        if self.from == self.to {
            return Ok(bytes);
        }
        self.values.resize(bytes.len() / self.from.block_bytes(), 0.0);
        block::decode(self.from, bytes, &mut self.values)?;
        self.out.resize(self.values.len() / self.to.block_len() * self.to.block_bytes(), 0);
        block::encode(self.to, &self.values, row_len, None, &mut self.out)?;
        Ok(&self.out)
    }
}
