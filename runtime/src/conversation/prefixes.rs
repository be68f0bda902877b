//! Beginnings of prompts, kept with their keys and values.

use super::prompt::Slot;
use crate::backend::Backend;
use crate::model::decoder::Sequence;

/// The beginnings that were used last, with at most so many positions together.
pub(super) struct Prefixes<B: Backend> {
    most_positions: usize,
    /// The one that was used last is the last.
    kept: Vec<(Vec<Slot>, Sequence<B>)>,
}

impl<B: Backend> Prefixes<B> {
    pub(super) fn new(most_positions: usize) -> Self {
        Self { most_positions, kept: Vec::new() }
    }

    /// Whether so many positions can be kept at all.
    pub(super) fn has_room(&self, positions: usize) -> bool {
        positions <= self.most_positions
    }

    /// The longest beginning of `slots` that is kept and not longer than `most`.
    pub(super) fn longest(&mut self, slots: &[Slot], most: usize) -> Option<&Sequence<B>> {
        let fits = |kept: &[Slot]| kept.len() <= most && slots.starts_with(kept);
        let found = self.kept.iter().enumerate().filter(|(_, (kept, _))| fits(kept));
        let (index, _) = found.max_by_key(|(_, (kept, _))| kept.len())?;
        let used = self.kept.remove(index);
        self.kept.push(used);
        self.kept.last().map(|(_, sequence)| sequence)
    }

    /// Keeps `sequence`, which holds `slots`, and gives up others to make room.
    pub(super) fn insert(&mut self, slots: Vec<Slot>, sequence: Sequence<B>) {
        self.kept.retain(|(kept, _)| *kept != slots);
        self.kept.push((slots, sequence));
        while self.kept.iter().map(|(slots, _)| slots.len()).sum::<usize>() > self.most_positions {
            self.kept.remove(0);
        }
    }
}
