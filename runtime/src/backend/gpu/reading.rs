//! What is on its way from the device to the host.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::buffer::Buffer;
use super::device::{Device, lock};
use super::work::Command;
use crate::Result;

/// Bytes that were asked for.
pub(super) struct Reading {
    device: Arc<Device>,
    staging: wgpu::Buffer,
    bytes: u64,
    /// The slice after which they are there.
    slice: u64,
}

impl Reading {
    /// Submits everything, and then `bytes` of `buffer` from `offset` on come.
    pub(super) fn start(device: &Arc<Device>, buffer: &Buffer, offset: u64, bytes: u64) -> Result<Self> {
        let staging = device.staging(bytes);
        let command = Command::Copy {
            from: buffer.memory.raw.clone(),
            from_offset: offset,
            to: staging.clone(),
            to_offset: 0,
            bytes,
        };
        device.record(&[buffer.into()], command);
        let slice = device.submit()?;
        staging.map_async(wgpu::MapMode::Read, ..bytes, |_| {});
        Ok(Self { device: Arc::clone(device), staging, bytes, slice })
    }

    /// Waits for them.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        self.device.wait_for(self.slice)?;
        let view = self.staging.get_mapped_range(..self.bytes);
        let read = view.map_err(|e| self.device.error(&e.to_string()))?.to_vec();
        self.device.counts.bytes_read.fetch_add(self.bytes, Ordering::Relaxed);
        Ok(read)
    }
}

impl Drop for Reading {
    /// Others may use the memory, also where nobody waited for the bytes.
    fn drop(&mut self) {
        self.staging.unmap();
        lock(&self.device.staging).push(self.staging.clone());
    }
}

impl Device {
    /// Submits, waits and reads `bytes` of `buffer` from `offset` on.
    pub(super) fn read(self: &Arc<Self>, buffer: &Buffer, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        Reading::start(self, buffer, offset, bytes)?.bytes()
    }

    /// A buffer that can be read by the host, of at least so many bytes.
    fn staging(&self, bytes: u64) -> wgpu::Buffer {
        let mut free = lock(&self.staging);
        let fitting = free.iter().position(|buffer| buffer.size() >= bytes);
        fitting.map(|index| free.swap_remove(index)).unwrap_or_else(|| {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            self.create(bytes.max(256).next_power_of_two(), usage, false)
        })
    }
}
