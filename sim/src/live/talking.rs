//! The talk with the runtime: what it is told, and what is told of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lorgnette_runtime::live::{Earshot, Event, Listening, ListeningOptions, Report, Session, Trace, talk};
use lorgnette_runtime::mode::Mode;
use tokio::runtime::Builder;
use tokio::sync::mpsc::Receiver;

use super::{Simulator, lock};
use crate::brain::Brain;
use crate::event::Happened;
use crate::{Error, ErrorKind, Result};

/// Turns whose timelines are kept.
const TRACES: usize = 64;

impl Simulator {
    pub(super) fn talk(&self, brain: Brain, waiting: Receiver<Event>) {
        let listening = Listening::new(ListeningOptions::default(), Box::new(Earshot::default()));
        let session = Session::new(listening, Mode::Instant, brain.cancel.clone());
        let runtime = Builder::new_current_thread().build();
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
            if matches!(news, Happened::Agent { .. } | Happened::Answer(_)) {
                self.asked.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Tells what left, where something may have.
    pub(super) fn look_what_left(&self) {
        if !self.asked.swap(false, Ordering::Relaxed) {
            return;
        }
        match self.cloud.look() {
            Ok(Some(left)) => self.happened(&Happened::Ledger(left)),
            Ok(None) => {}
            Err(error) => self.happened(&Happened::Failed { error: error.to_string() }),
        }
    }

    pub(super) fn happened(&self, happened: &Happened) {
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
    pub(super) fn send(&self, event: Event) -> bool {
        self.take_down(&event);
        !self.ended.load(Ordering::Relaxed) && self.events.blocking_send(event).is_ok()
    }

    /// Sends the runtime an event, if there is room for it.
    pub(super) fn send_now(&self, event: Event) -> Result<()> {
        self.take_down(&event);
        let sent = self.events.try_send(event);
        sent.map_err(|_| {
            Error::new(ErrorKind::Runtime, "runtime", "found it busy or ended, expected it to listen")
        })
    }
}
