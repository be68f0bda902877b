//! A talk without waiting.

use std::collections::VecDeque;

use lorgnette_device::Timestamp;

use super::event::{Action, Event, Report};
use super::session::Session;
use super::worker::{Worker, attempt};

/// Plays `events`, each with its time, and does all work that comes of one before the next: as a machine would that
/// computes in no time. `on` hears every report.
pub fn replay(
    session: &mut Session,
    engine: &mut (impl Worker + ?Sized),
    events: impl IntoIterator<Item = (Timestamp, Event)>,
    on: &mut dyn FnMut(Timestamp, Report),
) {
    for (now, event) in events {
        let mut pending = VecDeque::from([event]);
        while let Some(event) = pending.pop_front() {
            for action in session.on(event, now) {
                match action {
                    Action::Do(job) => {
                        attempt(engine, job, &mut |done| pending.push_back(Event::Engine(done)));
                    }
                    Action::Tell(report) => on(now, report),
                }
            }
        }
    }
}
