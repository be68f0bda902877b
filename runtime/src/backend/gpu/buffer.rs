//! Memory of the device, and the pool that it comes from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use super::texels::Texels;

/// Bytes that may be read past the end of weights: a unit of f32.
pub(super) const PADDING: u64 = 128;

/// The smallest buffer.
const SMALLEST: u64 = 256;

/// A piece of the device's memory. What comes from the pool goes back there.
pub(super) struct Buffer {
    pub(super) memory: Arc<Memory>,
    device: Arc<Device>,
    home: Home,
}

/// Where memory goes when it is not needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    /// Back to the driver.
    Driver,
    Pool,
    /// To others that use it too.
    Device,
}

pub(super) struct Memory {
    pub(super) raw: wgpu::Buffer,
    /// What it is known by in bind groups.
    pub(super) id: u64,
    /// The last slice of work that it was recorded for.
    pub(super) recorded: AtomicU64,
}

/// What is bound to a kernel.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    Buffer(&'a Buffer),
    Texels(&'a Texels),
}

impl<'a> From<&'a Buffer> for Bound<'a> {
    fn from(buffer: &'a Buffer) -> Self {
        Self::Buffer(buffer)
    }
}

impl Bound<'_> {
    pub(super) fn id(self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.memory.id,
            Self::Texels(texels) => texels.id,
        }
    }

    pub(super) fn resource(&self) -> wgpu::BindingResource<'_> {
        match self {
            Self::Buffer(buffer) => buffer.memory.raw.as_entire_binding(),
            Self::Texels(texels) => wgpu::BindingResource::TextureView(&texels.view),
        }
    }
}

impl Buffer {
    /// A buffer of its own.
    pub(super) fn owned(device: &Arc<Device>, raw: wgpu::Buffer) -> Self {
        Self { memory: device.memory(raw), device: Arc::clone(device), home: Home::Driver }
    }

    /// Memory that the device keeps.
    pub(super) fn shared(device: &Arc<Device>, memory: &Arc<Memory>) -> Self {
        Self { memory: Arc::clone(memory), device: Arc::clone(device), home: Home::Device }
    }

    /// One of at least `bytes`, with whatever is in it.
    pub(super) fn pooled(device: &Arc<Device>, bytes: u64) -> Self {
        Self::idle_since(device, bytes, u64::MAX)
    }

    /// The same, for which nothing was recorded after that slice of work.
    pub(super) fn idle_since(device: &Arc<Device>, bytes: u64, slice: u64) -> Self {
        let size = bytes.max(SMALLEST).next_power_of_two();
        let memory = device.pool.take(size, slice).unwrap_or_else(|| {
            let usage = wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::UNIFORM
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST;
            device.memory(device.create(size, usage, false))
        });
        Self { memory, device: Arc::clone(device), home: Home::Pool }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.home {
            Home::Pool => self.device.pool.put(Arc::clone(&self.memory)),
            Home::Driver => self.device.forget_groups_of(self.memory.id),
            Home::Device => {}
        }
    }
}

/// Buffers that are not in use, by size. What is recorded is computed in order, so that one may be used again before
/// its last use was submitted.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<u64, Vec<Arc<Memory>>>>);

impl Pool {
    /// The last one that was put back of those that were idle since.
    fn take(&self, size: u64, slice: u64) -> Option<Arc<Memory>> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = free.get_mut(&size)?;
        let idle = |memory: &Arc<Memory>| memory.recorded.load(Ordering::Relaxed) <= slice;
        fitting.iter().rposition(idle).map(|index| fitting.remove(index))
    }

    fn put(&self, memory: Arc<Memory>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.entry(memory.raw.size()).or_default().push(memory);
    }
}

/// The next number of a buffer.
pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
