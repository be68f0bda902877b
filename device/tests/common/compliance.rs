//! What every camera has to do. Each implementation runs the same suite.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Camera, Event, Frame, Rate};
use lorgnette_device::clock::{Clock, MonotonicClock};

use super::made::{NUMBERS, number_of};

/// A kind of camera, which shows the pictures of [`super::made`] again and again.
pub(crate) struct Case<'a> {
    /// Opens one.
    pub(crate) open: &'a dyn Fn() -> Box<dyn Camera>,
    /// The clock that it goes by.
    pub(crate) clock: &'a dyn Clock,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rate: Rate,
    /// Whether pictures carry their number; a still picture does not change.
    pub(crate) numbered: bool,
}

/// Longer than any camera under test takes for a frame, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn check(case: &Case<'_>) {
    frames_are_numbered_timed_and_count_what_was_dropped(case);
    who_comes_late_gets_the_newest_frame(case);
    a_past_deadline_does_not_wait_and_a_timeout_leaves_the_frame_alone(case);
    brightness_and_colours_have_the_size_of_the_frame(case);
}

/// The next frame, past events of other kinds.
pub(crate) fn next_frame(camera: &mut dyn Camera, clock: &dyn Clock, frame: &mut Frame) {
    let deadline = clock.now() + PATIENCE;
    loop {
        match camera.next(frame, deadline) {
            Event::Frame => return,
            event @ (Event::Timeout | Event::End | Event::Lost(_)) => panic!("no frame but {event:?}"),
            _ => {}
        }
    }
}

/// The next event of a live camera that `wanted` knows, past frames and others.
pub(crate) fn await_event<T>(camera: &mut dyn Camera, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let deadline = MonotonicClock.now() + 2 * PATIENCE;
    let mut frame = Frame::default();
    loop {
        let event = camera.next(&mut frame, deadline);
        if let Some(found) = wanted(&event) {
            return found;
        }
        assert!(!matches!(event, Event::Timeout), "nothing came");
    }
}

fn frames_are_numbered_timed_and_count_what_was_dropped(case: &Case<'_>) {
    let mut camera = (case.open)();
    let mut frame = Frame::default();
    let mut last: Option<(u64, Timestamp)> = None;
    for _ in 0..20 {
        next_frame(&mut *camera, case.clock, &mut frame);
        assert!(frame.captured() <= case.clock.now(), "captured in the future");
        if case.numbered {
            assert_eq!(
                number_of(&frame),
                frame.sequence() % NUMBERS,
                "the picture is that of another number"
            );
        }
        if let Some((sequence, captured)) = last {
            assert!(frame.sequence() > sequence && frame.captured() > captured);
            assert_eq!(frame.dropped(), frame.sequence() - sequence - 1);
        }
        last = Some((frame.sequence(), frame.captured()));
    }
}

fn who_comes_late_gets_the_newest_frame(case: &Case<'_>) {
    let mut camera = (case.open)();
    let mut frame = Frame::default();
    next_frame(&mut *camera, case.clock, &mut frame);
    // On a busy machine, the camera itself may come late once.
    for attempt in 1.. {
        let before = frame.sequence();
        case.clock.sleep_until(case.clock.now() + case.rate.time_of(12));
        let asked = case.clock.now();
        next_frame(&mut *camera, case.clock, &mut frame);
        assert_eq!(frame.dropped(), frame.sequence() - before - 1);
        let age = asked.since(frame.captured());
        if frame.dropped() >= 5 && age <= case.rate.time_of(3) {
            break;
        }
        assert!(attempt < 100, "{} dropped, and the frame is {age:?} old", frame.dropped());
    }
    if case.numbered {
        assert_eq!(number_of(&frame), frame.sequence() % NUMBERS, "a stale picture under a new number");
    }
}

fn a_past_deadline_does_not_wait_and_a_timeout_leaves_the_frame_alone(case: &Case<'_>) {
    let mut camera = (case.open)();
    let mut frame = Frame::default();
    next_frame(&mut *camera, case.clock, &mut frame);
    let mut timeouts = 0;
    while timeouts < 3 {
        let (sequence, captured, bytes) = (frame.sequence(), frame.captured(), frame.bytes().to_vec());
        match camera.next(&mut frame, Timestamp::default()) {
            Event::Timeout => {
                timeouts += 1;
                assert_eq!(
                    (frame.sequence(), frame.captured(), frame.bytes()),
                    (sequence, captured, &bytes[..])
                );
                case.clock.sleep_until(case.clock.now() + case.rate.time_of(1) / 4);
            }
            Event::Frame => assert!(frame.sequence() > sequence, "the same frame twice"),
            event => panic!("{event:?}"),
        }
    }
}

fn brightness_and_colours_have_the_size_of_the_frame(case: &Case<'_>) {
    let mut camera = (case.open)();
    let mut frame = Frame::default();
    next_frame(&mut *camera, case.clock, &mut frame);
    assert_eq!((frame.width(), frame.height()), (case.width, case.height));
    let picture = frame.picture().unwrap();
    assert_eq!((picture.width(), picture.height()), (case.width, case.height));
    assert!(lorgnette_device::gate::sharpness(frame.luma(&mut Vec::new()).unwrap()) > 0.0);
}
