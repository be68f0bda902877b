//! Work is recorded, and submitted when something is to be read: all of a token in one compute pass.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::buffer::{Bound, Buffer};
use super::device::{Device, IMMEDIATES, Pipeline, lock};
use super::kernel::{GROUP, Kernel};
use crate::Result;

/// Groups of threads in one dimension, at most.
const MOST_GROUPS: usize = 65535;

/// What waits to be submitted.
#[derive(Default)]
pub(super) struct Work {
    commands: Vec<Command>,
    /// Counts submissions, from 1 on.
    submission: u64,
}

enum Command {
    Dispatch { pipeline: Arc<Pipeline>, group: wgpu::BindGroup, immediates: Vec<u8>, grid: [u32; 2] },
    Copy { from: wgpu::Buffer, from_offset: u64, to: wgpu::Buffer, to_offset: u64, bytes: u64 },
}

/// Numbers for the immediates of a kernel.
pub(super) trait Immediate {
    fn bits(self) -> u32;
}

impl Immediate for usize {
    /// Checked when buffers are made: what can be bound has fewer than 2^32 elements.
    fn bits(self) -> u32 {
        debug_assert!(u32::try_from(self).is_ok());
        self as u32
    }
}

impl Immediate for u32 {
    fn bits(self) -> u32 {
        self
    }
}

impl Immediate for f32 {
    fn bits(self) -> u32 {
        self.to_bits()
    }
}

macro_rules! immediates {
    ($($value:expr),* $(,)?) => { &[$($crate::backend::gpu::work::Immediate::bits($value)),*] };
}
pub(super) use immediates;

/// Groups of [`GROUP`] threads for so many items.
pub(super) fn groups_for(items: usize) -> usize {
    items.div_ceil(GROUP as usize)
}

impl Device {
    /// Records `groups` groups of threads of `kernel`. `bound` is in the order of [`Kernel::bindings`].
    pub(super) fn dispatch<'a>(
        &self,
        kernel: &Kernel,
        bound: &[impl Copy + Into<Bound<'a>>],
        immediates: &[u32],
        groups: usize,
    ) -> Result<()> {
        self.dispatch_long(kernel, bound, immediates, groups, 0)
    }

    /// The same for what takes so many `multiplications`; what was recorded is submitted before if both together would
    /// take too long.
    pub(super) fn dispatch_long<'a>(
        &self,
        kernel: &Kernel,
        bound: &[impl Copy + Into<Bound<'a>>],
        immediates: &[u32],
        groups: usize,
        multiplications: u64,
    ) -> Result<()> {
        debug_assert!(4 * immediates.len() <= IMMEDIATES as usize);
        if groups == 0 {
            return Ok(());
        }
        if lock(&self.pace).record(multiplications) {
            self.submit_all_but(multiplications)?;
        }
        let pipeline = self.pipeline(kernel)?;
        let bound: Vec<Bound<'_>> = bound.iter().map(|&bound| bound.into()).collect();
        let group = self.group(&pipeline, &bound);
        let rows = groups.div_ceil(MOST_GROUPS);
        let grid = [groups.div_ceil(rows) as u32, rows as u32];
        let immediates = bytemuck::cast_slice(immediates).to_vec();
        self.record(&bound, Command::Dispatch { pipeline, group, immediates, grid });
        self.counts.dispatches.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Records a copy of `bytes`, a multiple of 4 as are the offsets.
    pub(super) fn copy(&self, from: &Buffer, from_offset: u64, to: &Buffer, to_offset: u64, bytes: u64) {
        let command = Command::Copy {
            from: from.memory.raw.clone(),
            from_offset,
            to: to.memory.raw.clone(),
            to_offset,
            bytes,
        };
        self.record(&[from.into(), to.into()], command);
    }

    fn record(&self, bound: &[Bound<'_>], command: Command) {
        let mut work = lock(&self.work);
        for bound in bound {
            let Bound::Buffer(buffer) = bound else { continue };
            buffer.memory.recorded.store(work.submission + 1, Ordering::Relaxed);
        }
        work.commands.push(command);
    }

    /// Puts `bytes`, whole words, at the start of `buffer`, after all that was recorded for it.
    pub(super) fn write(&self, buffer: &Buffer, bytes: &[u8]) -> Result<()> {
        let waits = buffer.memory.recorded.load(Ordering::Relaxed) > lock(&self.work).submission;
        if waits {
            self.submit()?;
        }
        self.queue.write_buffer(&buffer.memory.raw, 0, bytes);
        Ok(())
    }

    /// Submits what was recorded.
    pub(super) fn submit(&self) -> Result<()> {
        self.submit_all_but(0)
    }

    /// The same, so many multiplications being about to be recorded.
    fn submit_all_but(&self, multiplications: u64) -> Result<()> {
        let commands = {
            let mut work = lock(&self.work);
            work.submission += 1;
            std::mem::take(&mut work.commands)
        };
        let mut encoder = self.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut commands = commands.into_iter().peekable();
        while let Some(command) = commands.next() {
            let Command::Dispatch { .. } = &command else {
                encode_copy(&mut encoder, &command);
                continue;
            };
            self.counts.passes.fetch_add(1, Ordering::Relaxed);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            encode_dispatch(&mut pass, &command);
            while let Some(next) = commands.next_if(|next| matches!(next, Command::Dispatch { .. })) {
                encode_dispatch(&mut pass, &next);
            }
        }
        self.queue.submit([encoder.finish()]);
        self.counts.submits.fetch_add(1, Ordering::Relaxed);
        lock(&self.pace).submitted(multiplications);
        self.check()
    }

    /// Submits and waits.
    pub(super) fn finish(&self) -> Result<()> {
        if !lock(&self.work).commands.is_empty() {
            self.submit()?;
        }
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        self.raw.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| self.error(&e.to_string()))?;
        lock(&self.pace).waited();
        self.check()
    }

    /// Submits, waits and reads `bytes` of `buffer` from `offset` on.
    pub(super) fn read(&self, buffer: &Buffer, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let staging = self.staging(bytes);
        let command = Command::Copy {
            from: buffer.memory.raw.clone(),
            from_offset: offset,
            to: staging.clone(),
            to_offset: 0,
            bytes,
        };
        self.record(&[buffer.into()], command);
        self.submit()?;
        staging.map_async(wgpu::MapMode::Read, ..bytes, |_| {});
        self.wait()?;
        let view = staging.get_mapped_range(..bytes).map_err(|e| self.error(&e.to_string()))?;
        let read = view.to_vec();
        drop(view);
        staging.unmap();
        self.counts.bytes_read.fetch_add(bytes, Ordering::Relaxed);
        lock(&self.staging).push(staging);
        Ok(read)
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

fn encode_dispatch(pass: &mut wgpu::ComputePass<'_>, command: &Command) {
    if let Command::Dispatch { pipeline, group, immediates, grid } = command {
        pass.set_pipeline(&pipeline.raw);
        pass.set_bind_group(0, group, &[]);
        pass.set_immediates(0, immediates);
        pass.dispatch_workgroups(grid[0], grid[1], 1);
    }
}

fn encode_copy(encoder: &mut wgpu::CommandEncoder, command: &Command) {
    if let Command::Copy { from, from_offset, to, to_offset, bytes } = command {
        encoder.copy_buffer_to_buffer(from, *from_offset, to, *to_offset, *bytes);
    }
}
