//! A simulator that runs: glasses, what answers, and those who watch and drive them, in real time.

mod hub;
mod senses;
mod state;
mod threads;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lorgnette_device::Timestamp;
use lorgnette_device::clock::Clock;
use lorgnette_runtime::live::{
    EVENTS, Earshot, Event, Listening, ListeningOptions, Report, Session, Trace, talk,
};
use lorgnette_runtime::mode::Mode;
use tokio::sync::mpsc;

pub use self::hub::{Hub, Listener};
pub use self::state::{Hello, Meters, PROTOCOL, Speed, State};
pub use self::threads::{Stopwatch, Threads};

use self::threads::named;

use crate::brain::{Brain, Model};
use crate::desk::Desk;
use crate::event::{Happened, Watcher};
use crate::glasses::Glasses;
use crate::glasses::panel::Panel;
use crate::input::{Input, Source, Sources};
use crate::record::{self, Recorder};
use crate::{Error, ErrorKind, Result};

/// Turns whose timelines are kept.
const TRACES: usize = 64;

/// A simulator that runs until it is stopped.
pub struct Simulator {
    desk: Mutex<Desk>,
    glasses: Glasses,
    clock: Arc<dyn Clock>,
    hub: Hub,
    model: Option<Model>,
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
    /// [`ErrorKind::Io`] when there is no thread to be had, [`ErrorKind::Device`] without a microphone.
    pub fn start(desk: Desk, brain: Brain, sessions: PathBuf) -> Result<(Arc<Self>, Threads)> {
        let glasses = desk.glasses().clone();
        let clock = glasses.clock();
        let (events, waiting) = mpsc::channel(EVENTS);
        let simulator = Arc::new(Self {
            desk: Mutex::new(desk),
            hub: Hub::default(),
            model: brain.model.clone(),
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
            modes: vec!["instant", "thinking"],
            sources: desk.sources(),
        })
    }

    /// How things are.
    pub fn state(&self) -> State {
        let snapshot = self.glasses.snapshot();
        let meters = *lock(&self.meters);
        let (turn, gate) = {
            let watcher = lock(&self.watcher);
            (watcher.turn(), watcher.gate())
        };
        let recording = lock(&self.recorder).as_ref().map(Recorder::name);
        State::new(snapshot, self.desk().settings(), &meters, turn, gate, recording, 0)
    }

    /// Where the time of the last turns went.
    pub fn traces(&self) -> Vec<Trace> {
        lock(&self.traces).iter().cloned().collect()
    }

    /// What left the device: its bytes, and each request.
    pub fn ledger(&self) -> serde_json::Value {
        serde_json::json!({ "bytes": 0, "records": [] })
    }

    /// The sessions that were recorded.
    pub fn sessions(&self) -> Vec<record::About> {
        record::list(&self.sessions)
    }

    fn talk(&self, brain: Brain, waiting: mpsc::Receiver<Event>) {
        let listening = Listening::new(ListeningOptions::default(), Box::new(Earshot::default()));
        let session = Session::new(listening, Mode::Instant, brain.cancel.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let talked = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
            let (clock, sender) = (Arc::clone(&self.clock), self.events.clone());
            let mut on = |report| self.report(report);
            let talk = talk(session, brain, clock, sender, waiting, &mut on);
            runtime.block_on(talk).map_err(|error| error.to_string())
        });
        if let Err(error) = talked {
            self.happened(&Happened::Failed { error });
        }
        self.ended.store(true, Ordering::Relaxed);
        // What is recorded until now is a session too.
        drop(self.record(false));
    }

    fn report(&self, report: Report) {
        if let Report::Turn(trace) = &report {
            self.measure(trace);
        }
        let mut happened = Vec::new();
        lock(&self.watcher).take(report, &mut |news| happened.push(news));
        for news in &happened {
            self.happened(news);
        }
    }

    fn happened(&self, happened: &Happened) {
        let now = self.now();
        self.hub.tell(happened, now);
        let recorded =
            lock(&self.recorder).as_mut().map_or(Ok(()), |recorder| recorder.happened(happened, now));
        self.kept(recorded);
    }

    /// Reads meters off a timeline, which is kept.
    fn measure(&self, trace: &Trace) {
        let computed = lock(&self.meters).speed.read_off(trace);
        self.glasses.computed(computed);
        let mut traces = lock(&self.traces);
        traces.push_back(trace.clone());
        if traces.len() > TRACES {
            traces.pop_front();
        }
    }

    /// Sends the runtime an event, and waits while too many others do. Whether it wants more.
    fn send(&self, event: Event) -> bool {
        self.take_down(&event);
        !self.ended.load(Ordering::Relaxed) && self.events.blocking_send(event).is_ok()
    }

    /// Sends the runtime an event, if there is room for it.
    fn send_now(&self, event: Event) -> Result<()> {
        self.take_down(&event);
        let sent = self.events.try_send(event);
        sent.map_err(|_| {
            Error::new(ErrorKind::Runtime, "runtime", "found it busy or ended, expected it to listen")
        })
    }

    fn take_down(&self, event: &Event) {
        let now = self.now();
        let taken = lock(&self.recorder).as_mut().map_or(Ok(()), |recorder| recorder.event(event, now));
        self.kept(taken);
    }

    /// Begins or ends a recording, which has the time as its name.
    fn record(&self, on: bool) -> Result<()> {
        let mut recorder = lock(&self.recorder);
        match (recorder.is_some(), on) {
            (false, true) => {
                let name = chrono::Local::now().format("%Y-%m-%dT%H-%M-%S").to_string();
                *recorder = Some(Recorder::begin(&self.sessions.join(&name), self.now())?);
                self.hub.tell(&Happened::Recording { name: Some(name) }, self.now());
            }
            (true, false) => {
                let finished = recorder.take().map(|recorder| recorder.finish(self.now()));
                self.glasses.set_recording(false);
                self.hub.tell(&Happened::Recording { name: None }, self.now());
                finished.transpose()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A recording that cannot go on ends, and that is said.
    fn kept(&self, taken: Result<()>) {
        if let Err(error) = taken {
            *lock(&self.recorder) = None;
            self.glasses.set_recording(false);
            let now = self.now();
            self.hub.tell(&Happened::Failed { error: error.to_string() }, now);
            self.hub.tell(&Happened::Recording { name: None }, now);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
