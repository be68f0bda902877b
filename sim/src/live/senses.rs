//! The threads that look, listen and tell how things are.

use std::sync::atomic::Ordering;
use std::time::Duration;

use lorgnette_device::camera::{Camera, Event as Seen, Frame};
use lorgnette_device::microphone::{AudioChunk, Event as Heard, Microphone};
use lorgnette_device::power::PowerSource;
use lorgnette_runtime::live::{Event, Presence};

use super::{Simulator, lock};
use crate::event::{Happened, Level};
use crate::glasses::Phase;

/// How long a sense waits for its device before it looks whether to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// Between two looks at how things are.
const PULSE: Duration = Duration::from_millis(100);

/// How often the state is told though nothing changed, in pulses.
const CALM: u32 = 10;

/// Chunks of sound between two levels that are told.
const LEVEL_CHUNKS: u64 = 5;

pub(super) fn look(mut camera: impl Camera, simulator: &Simulator) {
    let mut frame = Frame::default();
    while !simulator.ended.load(Ordering::Relaxed) {
        let event = match camera.next(&mut frame, simulator.clock.now() + PATIENCE) {
            Seen::Frame => {
                let mut meters = lock(&simulator.meters);
                meters.size = (frame.width(), frame.height());
                meters.seen += 1;
                meters.dropped += frame.dropped();
                drop(meters);
                Event::Frame(std::mem::take(&mut frame))
            }
            Seen::Lost(_) => Event::Camera(Presence::Lost),
            Seen::Reopened(_) => Event::Camera(Presence::Back),
            Seen::Damaged(error) => {
                simulator.happened(&Happened::Failed { error: error.to_string() });
                continue;
            }
            Seen::End => return,
            _ => continue,
        };
        if !simulator.send(event) {
            return;
        }
    }
}

pub(super) fn hear(mut microphone: impl Microphone, simulator: &Simulator) {
    while !simulator.ended.load(Ordering::Relaxed) {
        let event = match microphone.next(simulator.clock.now() + PATIENCE) {
            Heard::Chunk(chunk) => {
                measure(&chunk, simulator);
                Event::Sound(chunk)
            }
            Heard::Muted => {
                lock(&simulator.meters).level = Level::default();
                Event::Mute(true)
            }
            Heard::Unmuted => Event::Mute(false),
            Heard::Lost(_) => {
                lock(&simulator.meters).level = Level::default();
                Event::Microphone(Presence::Lost)
            }
            Heard::Reopened(_) => Event::Microphone(Presence::Back),
            Heard::End => return,
            _ => continue,
        };
        if !simulator.send(event) {
            return;
        }
    }
}

fn measure(chunk: &AudioChunk, simulator: &Simulator) {
    if !chunk.sequence.is_multiple_of(LEVEL_CHUNKS) {
        return;
    }
    let level = chunk.level();
    let finite = |level: f32| Some((level * 10.0).round() / 10.0).filter(|level| level.is_finite());
    let speech = simulator.glasses.with_display(|display| display.phase()) == Phase::Listening;
    let level = Level { rms_dbfs: finite(level.rms_dbfs), peak_dbfs: finite(level.peak_dbfs), speech };
    lock(&simulator.meters).level = level;
    simulator.hub.tell_in_passing(&Happened::Level(level), simulator.now());
}

/// Tells how things are when they changed, and now and then; the runtime how they are with power.
pub(super) fn pulse(simulator: &Simulator) {
    let mut told = None;
    let mut power = simulator.glasses.power_source();
    for beat in 0.. {
        if simulator.ended.load(Ordering::Relaxed) {
            return;
        }
        if beat % CALM == 0 {
            lock(&simulator.meters).speed.memory_bytes = memory();
            // A runtime that has too much to do hears of it the next time.
            drop(simulator.send_now(Event::Power(power.read())));
            simulator.asked.fetch_or(simulator.cloud.left().is_open(), Ordering::Relaxed);
        }
        simulator.look_what_left();
        let state = simulator.state();
        if told.as_ref() != Some(&state) || beat % CALM == 0 {
            simulator.hub.tell_in_passing(&state, simulator.now());
            told = Some(state);
        }
        simulator.hub.show(simulator.glasses.view());
        std::thread::sleep(PULSE);
    }
}

/// Bytes of memory that this process has, where the system tells.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
