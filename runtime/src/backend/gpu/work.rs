//! Work is recorded in slices of time, which are submitted when something is to be read: all of a token in one compute
//! pass.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::buffer::{Bound, Buffer};
use super::device::{Device, IMMEDIATES, Pipeline, lock};
use super::kernel::{GROUP, Kernel};
use super::submit::Submission;
use crate::Result;

/// Groups of threads in one dimension, at most.
const MOST_GROUPS: usize = 65535;

/// Slices that are submitted while others are recorded: one is computed, one waits for its end.
const AHEAD: usize = 2;

/// What waits to be submitted, and what was.
#[derive(Default)]
pub(super) struct Work {
    /// Slices to which nothing is added.
    pub(super) full: VecDeque<Slice>,
    pub(super) open: Slice,
    /// Slices that were submitted, or are about to be: the first one is number 1.
    pub(super) submitted: u64,
    /// Those that nobody waited for yet.
    pub(super) in_flight: VecDeque<Submission>,
}

/// What is submitted at once.
#[derive(Default)]
pub(super) struct Slice {
    pub(super) commands: Vec<Command>,
    pub(super) multiplications: u64,
}

pub(super) enum Command {
    Dispatch { pipeline: Arc<Pipeline>, group: wgpu::BindGroup, immediates: Vec<u8>, grid: [u32; 2] },
    Copy { from: wgpu::Buffer, from_offset: u64, to: wgpu::Buffer, to_offset: u64, bytes: u64 },
}

impl Work {
    /// The number of the open slice.
    fn number(&self) -> u64 {
        self.submitted + self.full.len() as u64 + 1
    }

    /// The slice that is next, if any is left.
    pub(super) fn take(&mut self) -> Option<Slice> {
        let open = (!self.open.commands.is_empty()).then_some(&mut self.open);
        let next = self.full.pop_front().or_else(|| open.map(std::mem::take));
        self.submitted += u64::from(next.is_some());
        next
    }

    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.commands.is_empty()
    }
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

    /// The same for what takes so many `multiplications`; the slice ends before if both together would be longer.
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
        self.make_room(multiplications)?;
        let pipeline = self.pipeline(kernel)?;
        let bound: Vec<Bound<'_>> = bound.iter().map(|&bound| bound.into()).collect();
        let group = self.group(&pipeline, &bound);
        let rows = groups.div_ceil(MOST_GROUPS);
        let grid = [groups.div_ceil(rows) as u32, rows as u32];
        let immediates = bytemuck::cast_slice(immediates).to_vec();
        self.record(&bound, Command::Dispatch { pipeline, group, immediates, grid });
        lock(&self.work).open.multiplications += multiplications;
        self.counts.dispatches.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Ends the open slice if so many more are too many for it.
    fn make_room(&self, multiplications: u64) -> Result<()> {
        let mut work = lock(&self.work);
        if !lock(&self.pace).is_over(work.open.multiplications, multiplications) {
            return Ok(());
        }
        let ended = std::mem::take(&mut work.open);
        work.full.push_back(ended);
        let idle = work.in_flight.len() < AHEAD;
        drop(work);
        if idle { self.submit_next().map(drop) } else { Ok(()) }
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

    pub(super) fn record(&self, bound: &[Bound<'_>], command: Command) {
        let mut work = lock(&self.work);
        for bound in bound {
            let Bound::Buffer(buffer) = bound else { continue };
            buffer.memory.recorded.store(work.number(), Ordering::Relaxed);
        }
        work.open.commands.push(command);
    }

    /// A buffer that begins with `bytes`, whole words.
    pub(super) fn written(self: &Arc<Self>, bytes: &[u8]) -> Buffer {
        let submitted = lock(&self.work).submitted;
        let buffer = Buffer::idle_since(self, bytes.len() as u64, submitted);
        // What is about to be submitted may still use it.
        let _turn = lock(&self.turn);
        self.queue.write_buffer(&buffer.memory.raw, 0, bytes);
        buffer
    }
}
