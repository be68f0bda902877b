//! The thread that takes pictures from the driver.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::buffers::MOST_BUFFERS;
use super::stream::{Captured, Stream};
use super::{Identity, Options, open};
use crate::camera::slot::Slot;
use crate::camera::{Event, Frame, Layout, Mode};
use crate::clock::{Clock, MonotonicClock};
use crate::{Error, ErrorKind, Timestamp};

/// How often the thread looks whether it should end.
const GLANCE: Duration = Duration::from_millis(50);
/// Pictures that may wait in the driver. Behind so many, one is given out even if there are more.
const BACKLOG: u32 = 4;
/// Pictures from before that are not shown, and stamps from before that not believed.
const OLDEST: Duration = Duration::from_secs(10);

/// Takes pictures until the slot is closed, and opens the camera again whenever it is lost.
pub(super) fn run(mut stream: Stream, options: &Options, slot: &Slot, clock: &dyn Clock) {
    let mut counter = Counter::default();
    let mut back = Frame::default();
    let identity = stream.identity.clone();
    loop {
        let mode = say_changed(slot, stream.agreed.asked, stream.agreed.given);
        let (counter, back) = (&mut counter, &mut back);
        let mut session = Session { slot, clock, mode, counter, back, stamps: Stamps::default() };
        // A panic here would end the pictures without a word.
        let ran = panic::catch_unwind(AssertUnwindSafe(|| session.run(&mut stream, options.patience)));
        let broken = |_| Some(Error::new(ErrorKind::Io, "taking pictures broke down"));
        let Some(error) = ran.unwrap_or_else(broken) else { return };
        // A driver may not let a camera be opened while it is held.
        drop(stream);
        slot.say(Event::Lost(error));
        let Some(opened) = reopen(options, &identity, slot) else { return };
        stream = opened;
        counter.restart();
        slot.say(Event::Reopened(stream.agreed.given));
    }
}

/// Tries to open the same camera until it succeeds; `None` once the slot is closed.
fn reopen(options: &Options, identity: &Identity, slot: &Slot) -> Option<Stream> {
    loop {
        slot.pause(options.retry);
        if slot.is_closed() {
            return None;
        }
        if let Ok(stream) = open(options, Some(identity)) {
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
    stamps: Stamps,
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
            let now = MonotonicClock.now();
            if let Some(captured) = &captured {
                last = now;
                taken += u32::from(self.take(layout, captured, now));
            } else if now.since(last) >= patience {
                let detail = format!("no picture for {:.1} s", patience.as_secs_f64());
                return Some(Error::new(ErrorKind::Gone, detail));
            }
            if taken > 0 && (captured.is_none() || taken >= BACKLOG) {
                self.slot.put(self.back);
                taken = 0;
            }
        }
        None
    }

    /// Copies a picture; whether it is one, and no stale one.
    fn take(&mut self, layout: Layout, captured: &Captured<'_>, now: Timestamp) -> bool {
        let sequence = self.counter.number(captured.sequence);
        if captured.damaged {
            let detail = format!("picture {sequence}: damaged, says the driver");
            self.slot.say(Event::Damaged(Error::new(ErrorKind::Malformed, detail)));
            return false;
        }
        let Some(age) = self.stamps.age(captured.stamp, now) else { return false };
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

/// How far the stamps of a driver are believed.
#[derive(Default)]
struct Stamps {
    /// So many stamps may be old before they are taken for wrong. More than [`MOST_BUFFERS`] pictures cannot have waited
    /// in the driver, and before the first good stamp none has.
    old: usize,
}

impl Stamps {
    /// How old a picture is, as far as anybody knows; `None` when it waited while this process was stopped.
    fn age(&mut self, stamp: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let age = stamp.map_or(Duration::ZERO, |stamp| now.since(stamp));
        if age > OLDEST {
            let believed = self.old.checked_sub(1);
            self.old = believed.unwrap_or(0);
            return believed.is_none().then_some(Duration::ZERO);
        }
        self.old = if stamp.is_some() { MOST_BUFFERS } else { 0 };
        Some(age)
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
    fn pictures_that_waited_are_left_out_and_stamps_that_are_always_old_are_wrong() {
        let at = |seconds| Timestamp::from_start(Duration::from_secs(seconds));
        let mut stamps = Stamps::default();
        assert_eq!(stamps.age(Some(at(0)), at(100)), Some(Duration::ZERO), "by another clock");
        assert_eq!(stamps.age(Some(at(99)), at(100)), Some(Duration::from_secs(1)));
        assert_eq!(stamps.age(Some(at(100)), at(200)), None, "it waited");
        assert_eq!(stamps.age(Some(at(200)), at(200)), Some(Duration::ZERO));
        let shown = (0..40).filter(|_| stamps.age(Some(at(0)), at(200)).is_some()).count();
        assert_eq!(shown, 40 - MOST_BUFFERS);
    }

    #[test]
    fn numbers_grow_over_gaps_overflows_and_new_starts_and_where_the_driver_does_not_count() {
        let mut counter = Counter::default();
        let numbers = [u32::MAX - 1, u32::MAX, 3, 3, 4].map(|sequence| counter.number(sequence));
        assert_eq!(numbers, [0, 1, 5, 6, 7]);
        counter.restart();
        assert_eq!([counter.number(0), counter.number(2)], [8, 10]);
    }
}
