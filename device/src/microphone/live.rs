//! A microphone that is listening now, and opens its device again when it is lost.

use std::sync::Arc;
use std::time::Duration;

use super::listener::Listener;
use super::mute::Mute;
use super::ring::{Outlet, Signals};
use super::{CHUNK_TIME, Event, Input, Microphone};
use crate::clock::Clock;
use crate::{Error, ErrorKind, Result, Timestamp};

/// What opens a device: a sound system, a link.
pub trait Driver: Send {
    /// Opens the device that it was made for, or what has taken its place, and lets it fill a
    /// [`ring`](super::ring::ring) that goes by `mute`.
    ///
    /// # Errors
    /// Why it cannot be opened now.
    fn open(&mut self, mute: &Mute) -> Result<Opened>;
}

/// A device that is filling its ring.
pub struct Opened {
    /// What people call it.
    pub device: String,
    /// The end to listen at.
    pub outlet: Outlet,
    /// Closes the device when dropped.
    pub stream: Box<dyn Send>,
}

/// The first pause before a lost device is tried again; each further one is twice as long.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest.
const LAST_RETRY: Duration = Duration::from_secs(5);
/// A device that gives no block for so long is lost, whatever it says. alsa-lib's plugin for PulseAudio, when the
/// machine is busy, now and then opens one that never gives any.
const SILENCE: Duration = Duration::from_secs(2);
/// The same for the first block of a device: some have to wake up or to connect.
const FIRST_SILENCE: Duration = Duration::from_secs(5);
/// The shortest sleep, so that a device whose blocks come late is not asked all the time.
const NAP: Duration = Duration::from_millis(2);

/// A microphone over the device of a [`Driver`]. The clock must be the one that the driver stamps its blocks with.
pub struct LiveMicrophone<D> {
    driver: D,
    clock: Arc<dyn Clock>,
    listener: Listener,
    device: Device,
    /// Those of the devices that are closed.
    overruns: u64,
}

enum Device {
    Open(Line),
    Closed { retry_at: Timestamp, pause: Duration },
}

/// An open device and what is known of it.
struct Line {
    input: Input,
    outlet: Outlet,
    _stream: Box<dyn Send>,
    samples: Vec<f32>,
    /// Overruns before the last block.
    overruns: u64,
    reroutes: u64,
    heard: u64,
    heard_at: Timestamp,
    /// When it was opened again: how long to wait if nothing is ever heard.
    silent_pause: Option<Duration>,
}

/// A device that is to be tried again after `pause`.
fn closed(now: Timestamp, pause: Duration) -> Device {
    Device::Closed { retry_at: now + pause, pause: (pause * 2).min(LAST_RETRY) }
}

impl<D: Driver> LiveMicrophone<D> {
    /// Opens the driver's device.
    ///
    /// # Errors
    /// Those of the driver.
    pub fn new(mut driver: D, clock: Arc<dyn Clock>) -> Result<Self> {
        let mute = Mute::new(clock.clone());
        let opened = driver.open(&mute)?;
        let listener = Listener::new(opened.outlet.format().rate, mute)?;
        let device = Device::Open(Line::new(opened, clock.now()));
        Ok(Self { driver, clock, listener, device, overruns: 0 })
    }

    /// What is being listened to; `None` while the device is lost.
    pub fn input(&self) -> Option<&Input> {
        match &self.device {
            Device::Open(line) => Some(&line.input),
            Device::Closed { .. } => None,
        }
    }

    /// What can be told without waiting.
    fn poll(&mut self) -> Option<Event> {
        let now = self.clock.now();
        if let Some(change) = self.listener.change() {
            return Some(change);
        }
        match &mut self.device {
            Device::Open(line) => {
                if let Some(event) = line.poll(&mut self.listener, self.overruns) {
                    return Some(event);
                }
                let loss = line.loss(now)?;
                self.overruns += line.signals().overruns();
                self.device = match line.silent_pause {
                    // A device that opens and gives nothing is as good as one that does not open.
                    Some(pause) if line.heard == 0 => closed(now, pause),
                    _ => Device::Closed { retry_at: now, pause: FIRST_RETRY },
                };
                Some(Event::Lost(loss))
            }
            Device::Closed { retry_at, .. } if now < *retry_at => None,
            Device::Closed { pause, .. } => {
                let pause = *pause;
                let opened = self.reopen(pause);
                if opened.is_err() {
                    self.device = closed(self.clock.now(), pause);
                }
                opened.map(Event::Reopened).ok()
            }
        }
    }

    /// Opens the device again, which is to be tried next after `pause` if it gives nothing.
    fn reopen(&mut self, pause: Duration) -> Result<Input> {
        let opened = self.driver.open(self.listener.mute())?;
        self.listener.restart(opened.outlet.format().rate)?;
        let line = Line { silent_pause: Some(pause), ..Line::new(opened, self.clock.now()) };
        let input = line.input.clone();
        self.device = Device::Open(line);
        Ok(input)
    }

    /// How long nothing is to be expected.
    fn nap(&self, now: Timestamp) -> Duration {
        match &self.device {
            Device::Open(_) => CHUNK_TIME / 4,
            Device::Closed { retry_at, .. } => retry_at.since(now),
        }
        .max(NAP)
    }
}

impl<D: Driver> Microphone for LiveMicrophone<D> {
    fn next(&mut self, deadline: Timestamp) -> Event {
        loop {
            if let Some(event) = self.poll() {
                return event;
            }
            let now = self.clock.now();
            if now >= deadline {
                return Event::Timeout;
            }
            self.clock.sleep_until(deadline.min(now + self.nap(now)));
        }
    }

    fn mute(&self) -> Mute {
        self.listener.mute().clone()
    }
}

impl Line {
    fn new(opened: Opened, now: Timestamp) -> Self {
        let Opened { device, outlet, stream } = opened;
        let input = Input { device, format: outlet.format() };
        let samples = Vec::new();
        let (overruns, reroutes, heard) = (0, 0, 0);
        let silent_pause = None;
        Self {
            input,
            outlet,
            _stream: stream,
            samples,
            overruns,
            reroutes,
            heard,
            heard_at: now,
            silent_pause,
        }
    }

    fn signals(&self) -> &Signals {
        self.outlet.signals()
    }

    /// A chunk, or that the line leads elsewhere now. `overruns` are those of lines before this one.
    fn poll(&mut self, listener: &mut Listener, overruns: u64) -> Option<Event> {
        if self.signals().reroutes() != self.reroutes {
            self.reroutes = self.signals().reroutes();
            listener.interrupt();
            return Some(Event::Rerouted);
        }
        loop {
            if let Some(chunk) = listener.chunk(overruns + self.overruns) {
                return Some(Event::Chunk(chunk));
            }
            self.samples.clear();
            let block = self.outlet.pop(&mut self.samples)?;
            if block.overruns != self.overruns {
                self.overruns = block.overruns;
                listener.interrupt();
            }
            listener.hear(&self.samples, block.captured);
        }
    }

    /// Why the line is dead, if it is.
    fn loss(&mut self, now: Timestamp) -> Option<Error> {
        let heard = self.signals().heard();
        if heard != self.heard {
            (self.heard, self.heard_at) = (heard, now);
        }
        let silence = now.since(self.heard_at);
        let longest = if self.heard == 0 { FIRST_SILENCE } else { SILENCE };
        let loss = match self.signals().loss() {
            Some(kind) => Error::new(kind, "the device does not answer any more"),
            None if silence >= longest => {
                Error::new(ErrorKind::Gone, format!("no sound came for {silence:.1?}"))
            }
            None => return None,
        };
        Some(loss.of(&self.input.device))
    }
}
