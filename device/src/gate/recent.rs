//! The sharpest of the latest frames.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Timestamp;
use crate::camera::Frame;

/// Keeps frames of the last while that could still be the sharpest of them.
///
/// A frame that came before a sharper one never will be, so few are kept, and the memory of the others is handed back
/// for the next frame.
#[derive(Debug)]
pub struct Recent {
    /// From the oldest and sharpest to the newest and least sharp.
    frames: VecDeque<(Frame, f32)>,
    spare: Vec<Frame>,
    window: Duration,
}

impl Recent {
    /// Keeps frames for `window`, and of those at most `capacity`, at least one: the sharpest, and the newest.
    pub fn new(window: Duration, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let spare = std::iter::repeat_with(Frame::default).take(capacity).collect();
        Self { frames: VecDeque::with_capacity(capacity), spare, window }
    }

    /// Takes `frame`, as sharp as [`super::sharpness`] says, and leaves another one in its place for reuse.
    pub fn push(&mut self, frame: &mut Frame, sharpness: f32) {
        while self.frames.back().is_some_and(|(_, other)| *other <= sharpness) {
            self.spare.extend(self.frames.pop_back().map(|(frame, _)| frame));
        }
        self.forget_before(frame.captured() - self.window);
        if self.spare.is_empty() {
            self.spare.extend(self.frames.pop_back().map(|(frame, _)| frame));
        }
        let mut taken = self.spare.pop().unwrap_or_default();
        std::mem::swap(&mut taken, frame);
        self.frames.push_back((taken, sharpness));
    }

    /// The sharpest of the frames captured no longer than the window before `now`.
    pub fn sharpest(&self, now: Timestamp) -> Option<&Frame> {
        let oldest = now - self.window;
        self.frames.iter().map(|(frame, _)| frame).find(|frame| frame.captured() >= oldest)
    }

    /// Forgets the frames captured before `since`, as those of another scene.
    pub fn forget_before(&mut self, since: Timestamp) {
        while self.frames.front().is_some_and(|(frame, _)| frame.captured() < since) {
            self.spare.extend(self.frames.pop_front().map(|(frame, _)| frame));
        }
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.spare.extend(self.frames.drain(..).map(|(frame, _)| frame));
    }
}
