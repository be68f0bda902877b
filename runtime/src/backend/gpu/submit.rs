//! Slices of work go to the device, and are waited for.

use std::sync::atomic::Ordering;

use super::device::{Device, lock};
use super::work::{Command, Slice};
use crate::Result;

/// A slice that was submitted.
pub(super) struct Submission {
    number: u64,
    index: wgpu::SubmissionIndex,
    multiplications: u64,
}

impl Device {
    /// Submits all that was recorded, each slice by itself, and returns the number of the last one.
    pub(super) fn submit(&self) -> Result<u64> {
        while self.submit_next()? {}
        Ok(lock(&self.work).submitted)
    }

    /// Submits the next slice, if any is left.
    pub(super) fn submit_next(&self) -> Result<bool> {
        // What is taken first must be submitted first.
        let _turn = lock(&self.turn);
        let next = lock(&self.work).take();
        next.map_or(Ok(false), |slice| self.submit_slice(slice).map(|()| true))
    }

    fn submit_slice(&self, slice: Slice) -> Result<()> {
        let mut encoder = self.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut commands = slice.commands.into_iter().peekable();
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
        let index = self.queue.submit([encoder.finish()]);
        self.counts.submits.fetch_add(1, Ordering::Relaxed);
        lock(&self.pace).submitted();
        let mut work = lock(&self.work);
        let number = work.submitted;
        work.in_flight.push_back(Submission { number, index, multiplications: slice.multiplications });
        drop(work);
        self.check()
    }

    /// Waits for the slice of this number, and so for those before it.
    pub(super) fn wait_for(&self, number: u64) -> Result<()> {
        let last = {
            let work = lock(&self.work);
            let count = work.in_flight.partition_point(|slice| slice.number <= number);
            count.checked_sub(1).map(|last| work.in_flight[last].index.clone())
        };
        let Some(index) = last else { return self.check() };
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: None };
        self.raw.poll(wait).map_err(|e| self.error(&e.to_string()))?;
        let mut work = lock(&self.work);
        let count = work.in_flight.partition_point(|slice| slice.number <= number);
        let done = work.in_flight.drain(..count).map(|slice| slice.multiplications).sum();
        lock(&self.pace).waited(done, !work.in_flight.is_empty());
        drop(work);
        self.check()
    }

    /// Submits everything and waits.
    pub(super) fn finish(&self) -> Result<()> {
        let last = self.submit()?;
        self.wait_for(last)
    }

    /// See [`Backend::go_on`](crate::backend::Backend::go_on). One slice is still being computed then.
    pub(super) fn go_on(&self) -> Result<bool> {
        if !self.submit_next()? {
            return Ok(false);
        }
        let last = lock(&self.work).submitted;
        self.wait_for(last - 1)?;
        Ok(!lock(&self.work).is_empty())
    }

    /// See [`Backend::abandon`](crate::backend::Backend::abandon).
    pub(super) fn abandon(&self) {
        let mut work = lock(&self.work);
        work.full.clear();
        work.open = Slice::default();
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
