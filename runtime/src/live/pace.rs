//! Whether the engine keeps up with the wearer, and what is left out when it does not.
//!
//! The measure is sound: how much of it still waits for the engine when the next piece comes. It is counted, so that no
//! clock can lie about it.

use std::time::Duration;

use lorgnette_device::power::{ChargeState, PowerReading};

use super::effort::Effort;

/// Samples at 16 kHz in a millisecond.
const MILLISECOND: usize = 16;

/// Sound that may wait while the wearer speaks.
const BEHIND: usize = 1000 * MILLISECOND;

/// Sound that may wait when the wearer pauses, beside a piece that is worked on.
const LATE: usize = 300 * MILLISECOND;

/// Turns in a row that ended with less than half of that, before more is done again.
const CALM: usize = 3;

/// A piece of sound where pieces are large.
const LARGE: usize = 640 * MILLISECOND;

/// Counts what waits, and chooses the effort: one less in a turn in which too much waits, one more after some in which
/// little does.
pub(super) struct Pace {
    chosen: Effort,
    /// What holds for this turn.
    current: Effort,
    /// What there is power for.
    powered: Effort,
    /// The least there is.
    least: Effort,
    waiting: usize,
    /// What waited when the last piece of this turn came, if there was one.
    backlog: Option<usize>,
    /// The backlog that is told of next.
    limit: usize,
    is_behind: bool,
    calm_turns: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            chosen: Effort::Full,
            current: Effort::Full,
            powered: Effort::Full,
            least: Effort::LargeBlocks,
            waiting: 0,
            backlog: None,
            limit: BEHIND,
            is_behind: false,
            calm_turns: 0,
        }
    }

    /// There is a smaller model.
    pub(super) fn allow_small_model(&mut self) {
        self.least = Effort::SmallModel;
    }

    /// How much is to be done in this turn.
    pub(super) fn current(&self) -> Effort {
        self.current
    }

    /// How much is to be done in the next one.
    pub(super) fn effort(&self) -> Effort {
        self.chosen.max(self.powered).min(self.least)
    }

    /// Samples that are handed over together, if so many come.
    pub(super) fn piece(&self) -> usize {
        if self.current >= Effort::LargeBlocks { LARGE } else { 0 }
    }

    /// A turn begins. How much is done for it, if that is not what was done for the last.
    pub(super) fn begin_turn(&mut self) -> Option<Effort> {
        (self.backlog, self.limit, self.is_behind) = (None, BEHIND, false);
        let before = self.current;
        self.current = self.effort();
        Some(self.current).filter(|current| *current != before)
    }

    /// The engine was given `samples`. By how much it is behind, if that is to be told: at a second, and whenever it
    /// has doubled.
    pub(super) fn given(&mut self, samples: usize) -> Option<Duration> {
        self.backlog = Some(self.waiting);
        self.waiting += samples;
        self.tell_from(self.limit)
    }

    /// It worked them off.
    pub(super) fn worked_off(&mut self, samples: usize) {
        self.waiting = self.waiting.saturating_sub(samples);
    }

    /// The wearer paused, and would have an answer. By how much the engine is behind, if that is news.
    pub(super) fn paused(&mut self) -> Option<Duration> {
        if self.is_behind { None } else { self.tell_from(LATE + self.piece()) }
    }

    /// The question is over.
    pub(super) fn end_turn(&mut self) {
        // What was typed says nothing of the pace.
        let Some(backlog) = self.backlog else { return };
        let is_calm = !self.is_behind && backlog < LATE / 2 + self.piece();
        self.calm_turns = if is_calm { self.calm_turns + 1 } else { 0 };
        if self.calm_turns == CALM {
            self.calm_turns = 0;
            self.chosen = self.chosen.more();
        }
    }

    /// How things are with power.
    pub(super) fn power(&mut self, reading: &PowerReading) {
        let draining = reading.state != Some(ChargeState::Charging);
        let charge = reading.charge.filter(|_| draining).unwrap_or(1.0);
        let speed = reading.frequency_limit().unwrap_or(1.0);
        self.powered = match charge.min(speed / 2.0) {
            left if left <= 0.05 => Effort::SmallModel,
            left if left <= 0.1 => Effort::LargeBlocks,
            left if left <= 0.25 => Effort::SmallFrames,
            _ => Effort::Full,
        };
    }

    fn tell_from(&mut self, limit: usize) -> Option<Duration> {
        let backlog = self.backlog.filter(|backlog| *backlog >= limit)?;
        self.limit = 2 * backlog.max(BEHIND / 2);
        if !std::mem::replace(&mut self.is_behind, true) {
            self.chosen = self.effort().less().min(self.least);
        }
        Some(Duration::from_millis((backlog / MILLISECOND) as u64))
    }
}

#[cfg(test)]
mod tests {
    use lorgnette_device::power::FrequencyLimit;

    use super::*;

    /// A turn of `seconds` in which the engine works off `percent` of the sound while it comes.
    fn turn(pace: &mut Pace, seconds: usize, percent: usize) -> Vec<u128> {
        let mut told = Vec::new();
        let _ = pace.begin_turn();
        for _ in 0..seconds * 50 {
            told.extend(pace.given(320));
            pace.worked_off(320 * percent / 100);
        }
        told.extend(pace.paused());
        pace.end_turn();
        pace.worked_off(usize::MAX);
        told.iter().map(Duration::as_millis).collect()
    }

    #[test]
    fn who_keeps_up_does_all_and_is_told_nothing() {
        let mut pace = Pace::new();
        for _ in 0..10 {
            assert_eq!(turn(&mut pace, 10, 100), [0; 0]);
        }
        assert_eq!((pace.effort(), pace.piece()), (Effort::Full, 0));
    }

    #[test]
    fn who_does_not_is_told_of_at_a_second_and_whenever_it_doubles() {
        let told = turn(&mut Pace::new(), 10, 0);
        assert_eq!(told, [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(turn(&mut Pace::new(), 1, 50), [490], "at the end less is late");
    }

    #[test]
    fn each_turn_that_is_late_leaves_out_one_thing_more() {
        let mut pace = Pace::new();
        pace.allow_small_model();
        let mut efforts = || {
            turn(&mut pace, 4, 20);
            pace.effort()
        };
        let expected = [Effort::SmallFrames, Effort::LargeBlocks, Effort::SmallModel, Effort::SmallModel];
        assert_eq!([efforts(), efforts(), efforts(), efforts()], expected);
    }

    #[test]
    fn without_a_smaller_model_there_is_none_to_go_to() {
        let mut pace = Pace::new();
        (0..5).for_each(|_| drop(turn(&mut pace, 4, 20)));
        assert_eq!((pace.effort(), pace.piece()), (Effort::LargeBlocks, LARGE));
    }

    #[test]
    fn three_calm_turns_bring_one_thing_back() {
        let mut pace = Pace::new();
        (0..2).for_each(|_| drop(turn(&mut pace, 4, 20)));
        let calm: Vec<_> = (0..7)
            .map(|_| {
                turn(&mut pace, 4, 100);
                pace.effort()
            })
            .collect();
        use Effort::{Full, LargeBlocks as Blocks, SmallFrames as Frames};
        assert_eq!(calm, [Blocks, Blocks, Frames, Frames, Frames, Full, Full]);
    }

    #[test]
    fn little_power_leaves_out_things_too() {
        let effort = |charge, khz, state| {
            let mut pace = Pace::new();
            let limit = FrequencyLimit { group: "all".into(), allowed_khz: khz, hardware_khz: 1000 };
            let reading = PowerReading { charge, state, frequency_limits: vec![limit], ..Default::default() };
            pace.power(&reading);
            pace.effort()
        };
        assert_eq!(effort(None, 1000, None), Effort::Full);
        assert_eq!(effort(Some(0.09), 1000, Some(ChargeState::Discharging)), Effort::LargeBlocks);
        assert_eq!(effort(Some(0.09), 1000, Some(ChargeState::Charging)), Effort::Full);
        assert_eq!(effort(Some(0.9), 400, None), Effort::SmallFrames, "throttled");
    }
}
