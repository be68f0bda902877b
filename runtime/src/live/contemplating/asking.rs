//! A question that is out: on threads of its own, told of on that of the engine.

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::lock;
use crate::live::job::{AnswerId, Cancel, Done, Job};
use crate::live::worker::{Worker, broken};
use crate::mode::Mode;
use crate::mode::contemplating::{Asked, Contemplator, Event, Events, Outcome};
use crate::{Error, Result};

/// Between two looks at whether the answer is still wanted: a cancel has to be felt at once.
const LOOK: Duration = Duration::from_millis(20);

/// A question that agents think about and the device drafts an answer to, until it is dropped.
pub(super) struct Asking {
    id: AnswerId,
    task: JoinHandle<()>,
    heard: Receiver<News>,
}

enum News {
    Agents(Event),
    /// What comes of the device's draft, beside its pieces.
    Drafted(Done),
    Over(Result<Outcome, Arc<Error>>),
}

impl Asking {
    pub(super) fn start<W: Worker + 'static>(
        runtime: &Runtime,
        contemplator: Arc<Contemplator>,
        asked: Asked,
        id: AnswerId,
        device: Arc<Mutex<W>>,
    ) -> Self {
        let (news, heard) = mpsc::channel();
        Self { id, task: runtime.spawn(ask(contemplator, asked, id, device, news)), heard }
    }

    /// Tells what happens until it is over; `None` once the answer is not wanted any more.
    pub(super) fn wait(&self, cancel: &Cancel, on: &mut dyn FnMut(Done)) -> Option<Result<Outcome>> {
        while !cancel.is_cancelled(self.id) {
            match self.heard.recv_timeout(LOOK) {
                Ok(News::Agents(Event::Piece { text })) => on(Done::Piece(self.id, text)),
                Ok(News::Agents(event)) => on(Done::Agents(self.id, event)),
                Ok(News::Drafted(done)) => on(done),
                Ok(News::Over(outcome)) => return Some(outcome.map_err(owned)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err(broken("the thread that asks ended".to_owned())));
                }
            }
        }
        None
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn ask<W: Worker + 'static>(
    contemplator: Arc<Contemplator>,
    asked: Asked,
    id: AnswerId,
    device: Arc<Mutex<W>>,
    news: Sender<News>,
) {
    let drafts = news.clone();
    let local = Box::new(move |on: &mut dyn FnMut(&str) -> ControlFlow<()>| draft(&device, id, &drafts, on));
    let (events, mut heard) = Events::channel();
    // Done with the answer, the sender of its events is gone, and so ends who passes them on.
    let answering = async { contemplator.contemplate(&asked, local, &{ events }).await };
    let telling = async {
        while let Some(event) = heard.recv().await {
            // Who waits no longer wants no news.
            drop(news.send(News::Agents(event)));
        }
    };
    let (outcome, ()) = tokio::join!(answering, telling);
    drop(news.send(News::Over(outcome)));
}

/// The device's own answer. Its switch breaks it off, whatever `on` says.
fn draft<W: Worker>(
    device: &Mutex<W>,
    id: AnswerId,
    news: &Sender<News>,
    on: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<()> {
    let mut failed = None;
    lock(device).run(Job::Answer(id, Some(Mode::Instant)), &mut |done| match done {
        Done::Piece(_, text) => drop(on(&text)),
        Done::Failed(Some(_), error) => failed = Some(error),
        done => drop(news.send(News::Drafted(done))),
    });
    failed.map_or(Ok(()), Err)
}

/// The draft that knew of it too is gone.
fn owned(error: Arc<Error>) -> Error {
    Arc::into_inner(error).unwrap_or_else(|| broken("the device's answer failed".to_owned()))
}
