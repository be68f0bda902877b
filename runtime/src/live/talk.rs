//! A talk in real time.

use std::sync::Arc;
use std::thread;

use lorgnette_device::clock::Clock;
use tokio::sync::mpsc;

use super::event::{Action, Event, Report};
use super::job::Done;
use super::queue::Queue;
use super::session::Session;
use super::trace::{Span, Stage};
use super::worker::{Worker, attempt, broken};
use crate::{Error, ErrorKind, Result};

/// Events that may wait for the loop: two seconds of sound, and frames.
pub const EVENTS: usize = 128;

/// Talks until [`Event::Shutdown`] or [`Event::Finish`] comes. Senses send their events through `sender`, of which `events` is the other
/// end; `on` hears every report, the last of which is [`Report::Ended`].
///
/// The loop itself does only what takes microseconds; the engine works on a thread called `engine`.
///
/// # Errors
/// [`ErrorKind::Io`] when there is no thread to be had.
pub async fn talk(
    mut session: Session,
    engine: impl Worker + 'static,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Event>,
    mut events: mpsc::Receiver<Event>,
    on: &mut dyn FnMut(Report),
) -> Result<()> {
    let queue = Arc::new(Queue::default());
    let (jobs, times) = (Arc::clone(&queue), Arc::clone(&clock));
    let worker = thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || work(engine, &jobs, &*times, &sender))
        .map_err(|error| Error::new(ErrorKind::Io, "engine", error.to_string()))?;
    let mut ended = false;
    while let Some(event) = events.recv().await {
        match event {
            Event::Engine(Done::All) => break,
            // After the end only what the engine still has to say is of interest.
            Event::Engine(_) => {}
            _ if ended => continue,
            _ => {}
        }
        let now = clock.now();
        for action in session.on(event, now) {
            match action {
                Action::Do(job) => queue.push(job, now),
                Action::Tell(Report::Ended) => {
                    queue.close();
                    ended = true;
                }
                Action::Tell(report) => on(report),
            }
        }
    }
    on(Report::Ended);
    worker.join().map_err(|_| broken("its thread ended".to_owned()))
}

/// What the thread of the engine does.
fn work(mut engine: impl Worker, queue: &Queue, clock: &dyn Clock, sender: &mpsc::Sender<Event>) {
    while let Some((since, job)) = queue.pop() {
        // A loop that is gone wants no news.
        let mut tell = |done| drop(sender.blocking_send(Event::Engine(done)));
        tell(Done::Worked(Span::new(Stage::Queue, since, clock.now(), 1)));
        attempt(&mut engine, job, &mut tell);
    }
    drop(sender.blocking_send(Event::Engine(Done::All)));
}
