//! Rows of activations on the device, and what puts them side by side.

use std::sync::Arc;

use super::buffer::Buffer;
use super::device::Device;
use super::kernel::Kernel;
use super::weights::Weights;
use super::work::{groups_for, immediates};
use crate::backend::{LayerNorm, Norm, RmsNorm};
use crate::{Error, ErrorKind, Result, TokenId};

/// `[count][width]`, row after row.
pub struct Rows {
    pub(super) buffer: Buffer,
    pub(super) width: usize,
    pub(super) count: usize,
}

impl Rows {
    /// Rows with whatever is in them.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when there are more than can be bound.
    pub(super) fn new(device: &Arc<Device>, count: usize, width: usize) -> Result<Self> {
        let bytes = Self::check(device, count, width)?;
        Ok(Self { buffer: Buffer::pooled(device, bytes), width, count })
    }

    /// The bytes of so many.
    fn check(device: &Device, count: usize, width: usize) -> Result<u64> {
        let bytes = 4 * count as u64 * width as u64;
        if bytes.next_power_of_two() > device.traits.max_binding {
            let detail = format!("found {count} of {width}, which are more than the adapter can bind");
            return Err(Error::new(ErrorKind::Argument, "rows", detail));
        }
        Ok(bytes)
    }

    pub(super) fn elements(&self) -> usize {
        self.count * self.width
    }

    pub(super) fn bytes(&self) -> u64 {
        4 * self.elements() as u64
    }
}

/// Words for a kernel to read.
pub(super) fn words(device: &Arc<Device>, words: &[u32]) -> Buffer {
    device.written(bytemuck::cast_slice(words))
}

pub(super) fn upload(device: &Arc<Device>, width: usize, values: &[f32]) -> Result<Rows> {
    if width == 0 || values.is_empty() || !values.len().is_multiple_of(width) {
        let detail = format!("found {} values, expected rows of {width}", values.len());
        return Err(Error::new(ErrorKind::Argument, "rows", detail));
    }
    let count = values.len() / width;
    Rows::check(device, count, width)?;
    Ok(Rows { buffer: device.written(bytemuck::cast_slice(values)), width, count })
}

pub(super) fn download(device: &Arc<Device>, rows: &Rows) -> Result<Vec<f32>> {
    let bytes = device.read(&rows.buffer, 0, rows.bytes())?;
    Ok(bytemuck::pod_collect_to_vec(&bytes))
}

pub(super) fn concat(device: &Arc<Device>, parts: &[&Rows]) -> Result<Rows> {
    let width = parts.first().map_or(1, |rows| rows.width);
    let out = Rows::new(device, parts.iter().map(|rows| rows.count).sum(), width)?;
    let mut at = 0;
    for part in parts {
        device.copy(&part.buffer, 0, &out.buffer, at, part.bytes());
        at += part.bytes();
    }
    Ok(out)
}

/// A norm of a stage.
#[derive(Clone, Copy)]
pub(super) enum NormOf<'a> {
    Rms(&'a RmsNorm<Weights>),
    Layer(&'a LayerNorm<Weights>),
}

impl<'a> From<&'a Norm<Weights>> for NormOf<'a> {
    fn from(norm: &'a Norm<Weights>) -> Self {
        match norm {
            Norm::Rms(norm) => Self::Rms(norm),
            Norm::Layer(norm) => Self::Layer(norm),
        }
    }
}

/// Each of the rows from `first` on, normed.
pub(super) fn normed(device: &Arc<Device>, norm: NormOf<'_>, rows: &Rows, first: usize) -> Result<Rows> {
    let out = Rows::new(device, rows.count - first, rows.width)?;
    let (weight, epsilon, bias) = match norm {
        NormOf::Rms(norm) => (&norm.weight, norm.epsilon, None),
        NormOf::Layer(norm) => (&norm.weight, norm.epsilon, Some(&norm.bias)),
    };
    let mut buffers = vec![&rows.buffer, weight.vector(rows.width)?, &out.buffer];
    if let Some(bias) = bias {
        buffers.push(bias.vector(rows.width)?);
    }
    let kernel = Kernel::Norm { layer: bias.is_some() };
    device.dispatch(&kernel, &buffers, immediates![rows.width, out.count, epsilon, first], out.count)?;
    Ok(out)
}

/// The rows of `table` that are numbered in the first `count` words of `numbers`.
pub(super) fn embed(device: &Arc<Device>, table: &Weights, numbers: &Buffer, count: usize) -> Result<Rows> {
    let out = Rows::new(device, count, table.columns)?;
    for part in &table.parts {
        let kernel = Kernel::Embed { format: table.format, numbers: true, add: false };
        let end = part.first + part.rows;
        let values = immediates![table.columns, table.units(), count, part.first, end, 0_u32];
        let groups = groups_for(count * table.units());
        device.dispatch(&kernel, &[(&out.buffer).into(), numbers.into(), part.bound()], values, groups)?;
    }
    Ok(out)
}

/// # Errors
/// [`ErrorKind::Argument`] when a token is not in the table.
pub(super) fn check_tokens(table: &Weights, tokens: &[TokenId]) -> Result<()> {
    match tokens.iter().find(|&&token| token as usize >= table.rows) {
        Some(token) => Err(missing_row(&table.name, *token as usize, table.rows)),
        None => Ok(()),
    }
}

fn missing_row(name: &str, row: usize, rows: usize) -> Error {
    let detail = format!("row {row} of {rows} asked for");
    Error::new(ErrorKind::Argument, format!("tensor {name:?}"), detail)
}

pub(super) fn add_positions(device: &Device, table: &Weights, first: usize, rows: &Rows) -> Result<()> {
    let last = (first + rows.count).saturating_sub(1);
    if last >= table.rows || table.columns != rows.width {
        return Err(missing_row(&table.name, last, table.rows));
    }
    for part in &table.parts {
        let kernel = Kernel::Embed { format: table.format, numbers: false, add: true };
        let end = part.first + part.rows;
        let values = immediates![table.columns, table.units(), rows.count, part.first, end, first];
        let groups = groups_for(rows.count * table.units());
        device.dispatch(&kernel, &[(&rows.buffer).into(), part.bound()], values, groups)?;
    }
    Ok(())
}

pub(super) fn gather(
    device: &Arc<Device>,
    rows: &Rows,
    sources: &[Option<usize>],
    group: usize,
) -> Result<Rows> {
    if let Some(source) = sources.iter().flatten().find(|source| **source >= rows.count) {
        let detail = format!("row {source} of {} asked for", rows.count);
        return Err(Error::new(ErrorKind::Argument, "rows", detail));
    }
    let out = Rows::new(device, sources.len() / group, group * rows.width)?;
    let numbers: Vec<u32> = sources.iter().map(|source| source.map_or(u32::MAX, |i| i as u32)).collect();
    let numbers = words(device, &numbers);
    let values = immediates![rows.width, out.elements(), rows.count];
    let buffers = [&rows.buffer, &numbers, &out.buffer];
    device.dispatch(&Kernel::Gather, &buffers, values, groups_for(out.elements()))?;
    Ok(out)
}

pub(super) fn mean_pool(device: &Arc<Device>, rows: &Rows, count: usize) -> Result<Rows> {
    let out = Rows::new(device, rows.count / count, rows.width)?;
    let values = immediates![rows.width, out.elements(), count];
    let buffers = [&rows.buffer, &out.buffer];
    device.dispatch(&Kernel::MeanPool, &buffers, values, groups_for(out.elements()))?;
    Ok(out)
}
