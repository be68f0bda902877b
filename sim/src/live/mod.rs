//! A simulator that runs: glasses, what answers, and those who watch and drive them, in real time.

mod hub;
mod recording;
mod senses;
mod state;
mod talking;
mod threads;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lorgnette_device::Timestamp;
use lorgnette_device::clock::Clock;
use lorgnette_runtime::live::{EVENTS, Event, Trace};
use tokio::sync::mpsc;

pub use self::hub::{Hub, Listener};
pub use self::state::{Hello, Meters, PROTOCOL, Speed, State};
pub use self::threads::{Stopwatch, Threads};

use self::threads::named;

use crate::Result;
use crate::brain::{Brain, Model};
use crate::cloud::{Cloud, Left};
use crate::desk::Desk;
use crate::event::{Happened, Watcher};
use crate::glasses::Glasses;
use crate::glasses::panel::Panel;
use crate::input::{Input, Source, Sources};
use crate::record::{self, Recorder};

/// How hard can be thought; the last one where there is a cloud.
const MODES: [&str; 3] = ["instant", "thinking", "contemplating"];

/// A simulator that runs until it is stopped.
pub struct Simulator {
    desk: Mutex<Desk>,
    glasses: Glasses,
    clock: Arc<dyn Clock>,
    hub: Hub,
    model: Option<Model>,
    cloud: Cloud,
    /// Whether something may have left that was not told yet.
    asked: AtomicBool,
    watcher: Mutex<Watcher>,
    meters: Mutex<Meters>,
    traces: Mutex<VecDeque<Trace>>,
    recorder: Mutex<Option<Recorder>>,
    sessions: PathBuf,
    events: mpsc::Sender<Event>,
    ended: Arc<AtomicBool>,
    /// Who sends the browser's pictures and sound.
    browser: AtomicU64,
}

impl Simulator {
    /// Starts a simulator with what is on `desk`, answered by `brain`. Sessions are recorded into the folder `sessions`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when there is no thread to be had,
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) without a microphone.
    pub fn start(desk: Desk, brain: Brain, sessions: PathBuf) -> Result<(Arc<Self>, Threads)> {
        let glasses = desk.glasses().clone();
        let clock = glasses.clock();
        let (events, waiting) = mpsc::channel(EVENTS);
        let cloud = desk.cloud().clone();
        let brain = cloud.around(brain, Arc::clone(&clock))?;
        let simulator = Arc::new(Self {
            desk: Mutex::new(desk),
            hub: Hub::default(),
            model: brain.model.clone(),
            cloud,
            asked: AtomicBool::new(false),
            watcher: Mutex::new(Watcher::new(glasses.clone())),
            meters: Mutex::default(),
            traces: Mutex::default(),
            recorder: Mutex::new(None),
            sessions,
            events,
            ended: Arc::new(AtomicBool::new(false)),
            browser: AtomicU64::new(0),
            glasses,
            clock,
        });
        let camera = simulator.glasses.camera();
        let microphone = simulator.glasses.microphone()?;
        let mut threads = Vec::new();
        let me = Arc::clone(&simulator);
        threads.push(named("talk", move || me.talk(brain, waiting))?);
        let me = Arc::clone(&simulator);
        threads.push(named("eyes", move || senses::look(camera, &me))?);
        let me = Arc::clone(&simulator);
        threads.push(named("ears", move || senses::hear(microphone, &me))?);
        let me = Arc::clone(&simulator);
        threads.push(named("pulse", move || senses::pulse(&me))?);
        Ok((simulator, Threads::new(threads)))
    }

    /// Ends it.
    pub fn stop(&self) {
        self.ended.store(true, Ordering::Relaxed);
        // A loop that is gone has ended.
        drop(self.events.try_send(Event::Shutdown));
    }

    /// The time by its clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where it tells what happens.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The glasses.
    pub fn glasses(&self) -> &Glasses {
        &self.glasses
    }

    /// What is on the desk.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }

    /// Does `input`, for the listener of that number, if there is one.
    ///
    /// # Errors
    /// Why it was not done.
    pub fn input(&self, input: &Input, from: Option<u64>) -> Result<()> {
        let now = self.now();
        if let Input::Record(on) = input {
            self.record(*on)?;
        }
        let (event, words) = {
            let mut desk = self.desk();
            let event = desk.apply(input, now)?;
            (event, desk.take_words())
        };
        if let Some((text, spoken)) = words {
            lock(&self.watcher).asks(&text, spoken);
        }
        if let (Some(from), Input::Source(Sources { camera, microphone })) = (from, input)
            && [camera, microphone].iter().any(|source| **source == Some(Source::Browser))
        {
            self.browser.store(from, Ordering::Relaxed);
        }
        self.hub.tell(&Happened::Input { input: input.clone() }, now);
        event.map_or(Ok(()), |event| self.send_now(event))
    }

    /// Whether the listener of that number sends the browser's pictures and sound.
    pub fn is_browser(&self, listener: u64) -> bool {
        self.browser.load(Ordering::Relaxed) == listener
    }

    /// What does not change.
    pub fn with_hello<T>(&self, then: impl FnOnce(&Hello<'_>) -> T) -> T {
        let desk = self.desk();
        then(&Hello {
            version: env!("CARGO_PKG_VERSION"),
            protocol: PROTOCOL,
            model: self.model.as_ref(),
            panels: Panel::ALL.iter().map(|panel| panel.measures()).collect(),
            scenes: desk.scenes().iter().collect(),
            recordings: desk.scenes().loose().iter().collect(),
            modes: if self.cloud.is_there() { MODES.to_vec() } else { MODES[..2].to_vec() },
            sources: desk.sources(),
        })
    }

    /// How things are.
    pub fn state(&self) -> State {
        let snapshot = self.glasses.snapshot();
        let meters = *lock(&self.meters);
        let watched = lock(&self.watcher).watched();
        let recording = lock(&self.recorder).as_ref().map(Recorder::name);
        let left = self.cloud.left().bytes;
        State::new(snapshot, self.desk().settings(), &meters, watched, recording, left)
    }

    /// Where the time of the last turns went.
    pub fn traces(&self) -> Vec<Trace> {
        lock(&self.traces).iter().cloned().collect()
    }

    /// What left the device: its bytes, and each request.
    pub fn ledger(&self) -> Left {
        self.cloud.left()
    }

    /// The sessions that were recorded.
    pub fn sessions(&self) -> Vec<record::About> {
        record::list(&self.sessions)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
