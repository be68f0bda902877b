//! The thread that takes pictures from the driver.

use std::time::Duration;

use super::stream::{Captured, Stream};
use super::{Options, open};
use crate::camera::slot::Slot;
use crate::camera::{Event, Frame, Layout, Mode};
use crate::clock::{Clock, MonotonicClock};
use crate::{Error, ErrorKind, Timestamp};

/// How often the thread looks whether it should end.
const GLANCE: Duration = Duration::from_millis(50);
/// Pictures that may wait in the driver. Behind so many, one is given out even if there are more.
const BACKLOG: u32 = 4;
/// A stamp from before that is not believed.
const OLDEST: Duration = Duration::from_secs(10);

/// Takes pictures until the slot is closed, and opens the camera again whenever it is lost.
pub(super) fn run(mut stream: Stream, options: &Options, slot: &Slot, clock: &dyn Clock) {
    let mut counter = Counter::default();
    let mut back = Frame::default();
    loop {
        let mode = say_changed(slot, stream.agreed.asked, stream.agreed.given);
        let mut session = Session { slot, clock, mode, counter: &mut counter, back: &mut back };
        let Some(error) = session.run(&mut stream, options.patience) else { return };
        // A driver may not let a camera be opened while it is held.
        drop(stream);
        slot.say(Event::Lost(error));
        let Some(opened) = reopen(options, slot) else { return };
        stream = opened;
        counter.restart();
        slot.say(Event::Reopened(stream.agreed.given));
    }
}

/// Tries until it succeeds; `None` once the slot is closed.
fn reopen(options: &Options, slot: &Slot) -> Option<Stream> {
    loop {
        slot.pause(options.retry);
        if slot.is_closed() {
            return None;
        }
        if let Ok(stream) = open(options) {
            return Some(stream);
        }
    }
}

/// Says when pictures come otherwise than expected; how they come.
fn say_changed(slot: &Slot, expected: Mode, found: Mode) -> Mode {
    if found != expected {
        slot.say(Event::Changed { expected, found });
    }
    found
}

/// From the opening of a camera to its loss.
struct Session<'a> {
    slot: &'a Slot,
    clock: &'a dyn Clock,
    mode: Mode,
    counter: &'a mut Counter,
    /// The frame that is written while others are looked at.
    back: &'a mut Frame,
}

impl Session<'_> {
    /// Takes pictures until the camera is lost; `None` once the slot is closed.
    fn run(&mut self, stream: &mut Stream, patience: Duration) -> Option<Error> {
        let layout = stream.agreed.layout;
        let mut last = MonotonicClock.now();
        // Pictures taken since one was given out: of those that wait in the driver, only the newest is.
        let mut taken = 0;
        while !self.slot.is_closed() {
            let captured = match stream.next(if taken > 0 { Duration::ZERO } else { GLANCE }) {
                Ok(captured) => captured,
                Err(error) => return Some(Error::io("take a picture", error)),
            };
            if let Some(captured) = &captured {
                last = MonotonicClock.now();
                taken += u32::from(self.take(layout, captured, last));
            }
            if taken > 0 && (captured.is_none() || taken >= BACKLOG) {
                self.slot.put(self.back);
                taken = 0;
            }
            if MonotonicClock.now().since(last) >= patience {
                let detail = format!("no picture for {:.1} s", patience.as_secs_f64());
                return Some(Error::new(ErrorKind::Gone, detail));
            }
        }
        None
    }

    /// Copies a picture; whether it is one.
    fn take(&mut self, layout: Layout, captured: &Captured<'_>, now: Timestamp) -> bool {
        let sequence = self.counter.number(captured.sequence);
        if captured.damaged {
            let detail = format!("picture {sequence}: damaged, says the driver");
            self.slot.say(Event::Damaged(Error::new(ErrorKind::Malformed, detail)));
            return false;
        }
        let age = captured.stamp.map_or(Duration::ZERO, |stamp| now.since(stamp));
        let age = if age > OLDEST { Duration::ZERO } else { age };
        let time = self.counter.time(self.clock.now() - age);
        if let Err(error) = self.back.fill(layout, time, sequence, captured.bytes) {
            self.slot.say(Event::Damaged(error));
            return false;
        }
        // A JPEG says its own size, whatever was agreed.
        let found = Mode { width: self.back.width(), height: self.back.height(), ..self.mode };
        self.mode = say_changed(self.slot, self.mode, found);
        true
    }
}

/// Numbers and times that only grow, out of what drivers say.
#[derive(Default)]
struct Counter {
    /// The driver's number of the last picture.
    last: Option<u32>,
    /// The number that would follow.
    next: u64,
    time: Timestamp,
}

impl Counter {
    /// The number of a picture. What the driver left out is counted; a driver that does not count is counted for.
    fn number(&mut self, sequence: u32) -> u64 {
        let step = self.last.map_or(1, |last| sequence.wrapping_sub(last));
        let skipped = if step == 0 || step > u32::MAX / 2 { 0 } else { step - 1 };
        self.last = Some(sequence);
        let number = self.next + u64::from(skipped);
        self.next = number + 1;
        number
    }

    fn time(&mut self, time: Timestamp) -> Timestamp {
        self.time = time.max(self.time + Duration::from_nanos(1));
        self.time
    }

    /// The camera starts to count again.
    fn restart(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_over_gaps_overflows_and_new_starts_and_where_the_driver_does_not_count() {
        let mut counter = Counter::default();
        let numbers = [u32::MAX - 1, u32::MAX, 3, 3, 4].map(|sequence| counter.number(sequence));
        assert_eq!(numbers, [0, 1, 5, 6, 7]);
        counter.restart();
        assert_eq!([counter.number(0), counter.number(2)], [8, 10]);
    }
}
