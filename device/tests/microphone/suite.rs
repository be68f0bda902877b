//! What every microphone does.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{AudioChunk, CHUNK_TIME, Event, Level, Microphone};

/// Longer than any microphone under test takes for a chunk, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Holds a microphone, which has sound left to give for as long as this takes, to the promises of the trait. Time goes
/// by `clock`, the microphone's own.
pub(crate) fn complies(microphone: &mut dyn Microphone, clock: &Arc<dyn Clock>) {
    let mut before = chunk(microphone, clock);
    for _ in 0..20 {
        let next = chunk(microphone, clock);
        follows(&before, &next);
        assert!(next.captured < clock.now(), "a chunk was recorded after now");
        before = next;
    }
    waits_no_longer_than_it_is_told(microphone, clock);
    before = muted_it_keeps_silent(microphone, clock, &before);
    muted_for_a_moment_it_forgets(microphone, clock, &before);
}

/// A chunk after another.
fn follows(before: &AudioChunk, next: &AudioChunk) {
    assert_eq!(next.sequence, before.sequence + 1);
    assert!(next.captured > before.captured, "{} came after {}", next.captured, before.captured);
    assert!(next.overruns >= before.overruns);
    assert!(next.samples.iter().all(|sample| sample.is_finite()));
    assert_eq!(next.level(), Level::of(&*next.samples));
}

fn waits_no_longer_than_it_is_told(microphone: &mut dyn Microphone, clock: &Arc<dyn Clock>) {
    // What has come already is given at once, one thing a call.
    let waiting = (0..10_000).find_map(|_| match next(microphone, clock.now()) {
        Event::Chunk(_) => None,
        other => Some(other),
    });
    assert!(matches!(waiting, Some(Event::Timeout)), "found {waiting:?}, expected chunks and then a timeout");
    let deadline = clock.now() + PATIENCE;
    let answer = next(microphone, deadline);
    assert!(matches!(answer, Event::Chunk(_)), "found {answer:?}, expected a chunk");
    assert!(clock.now() < deadline);
}

fn muted_it_keeps_silent(
    microphone: &mut dyn Microphone,
    clock: &Arc<dyn Clock>,
    before: &AudioChunk,
) -> AudioChunk {
    let mute = microphone.mute();
    mute.mute();
    assert!(mute.is_muted() && microphone.mute().is_muted());
    assert!(matches!(next(microphone, clock.now() + PATIENCE), Event::Muted));
    let deadline = clock.now() + CHUNK_TIME * 15;
    let answer = next(microphone, deadline);
    assert!(matches!(answer, Event::Timeout), "found {answer:?}, but a muted microphone has nothing to tell");
    assert!(clock.now() >= deadline, "and it waits as long as it is told to");

    let unmuted = clock.now();
    mute.unmute();
    assert!(!microphone.mute().is_muted());
    assert!(matches!(next(microphone, clock.now() + PATIENCE), Event::Unmuted));
    let next = chunk(microphone, clock);
    recorded_after(&next, unmuted);
    assert!(next.sequence > before.sequence);
    next
}

fn muted_for_a_moment_it_forgets(
    microphone: &mut dyn Microphone,
    clock: &Arc<dyn Clock>,
    before: &AudioChunk,
) {
    // There is sound on its way that was recorded before.
    clock.sleep_until(clock.now() + CHUNK_TIME * 3);
    let mute = microphone.mute();
    mute.mute();
    let unmuted = clock.now();
    mute.unmute();
    assert!(matches!(next(microphone, clock.now() + PATIENCE), Event::Muted));
    assert!(matches!(next(microphone, clock.now() + PATIENCE), Event::Unmuted));
    let next = chunk(microphone, clock);
    recorded_after(&next, unmuted);
    assert!(next.sequence > before.sequence);
}

fn recorded_after(chunk: &AudioChunk, moment: Timestamp) {
    assert!(chunk.captured >= moment, "recorded at {}, before {moment}", chunk.captured);
}

/// The next chunk, when there is nothing else to tell.
fn chunk(microphone: &mut dyn Microphone, clock: &Arc<dyn Clock>) -> AudioChunk {
    match next(microphone, clock.now() + PATIENCE) {
        Event::Chunk(chunk) => chunk,
        other => panic!("found {other:?}, expected a chunk"),
    }
}

/// What comes next, past what a busy machine does to a live device: it may be taken for lost, and opened again.
fn next(microphone: &mut dyn Microphone, deadline: Timestamp) -> Event {
    loop {
        match microphone.next(deadline) {
            Event::Lost(_) | Event::Reopened(_) => {}
            other => return other,
        }
    }
}
