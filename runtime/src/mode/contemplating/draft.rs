use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::sync::watch;

use super::event::{Event, Events};
use crate::{Error, ErrorKind};

/// The answer that the device can give by itself.
pub trait Local: Send {
    /// Answers, and gives each piece to `on` as it comes, which breaks the answer off.
    ///
    /// # Errors
    /// What the model says.
    fn answer(self: Box<Self>, on: &mut dyn FnMut(&str) -> ControlFlow<()>) -> crate::Result<()>;
}

impl<F> Local for F
where
    F: FnOnce(&mut dyn FnMut(&str) -> ControlFlow<()>) -> crate::Result<()> + Send,
{
    fn answer(self: Box<Self>, on: &mut dyn FnMut(&str) -> ControlFlow<()>) -> crate::Result<()> {
        self(on)
    }
}

/// The device's own answer, made meanwhile on a thread of its own. Dropping it breaks the answer off, within a token.
#[derive(Debug)]
pub(super) struct Draft {
    state: watch::Receiver<State>,
    stop: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    ended: Option<Result<(), Arc<Error>>>,
}

impl Draft {
    pub(super) fn start(local: Box<dyn Local>) -> Self {
        let (sender, state) = watch::channel(State::default());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            let ended = local.answer(&mut |piece| {
                sender.send_modify(|state| state.text.push_str(piece));
                if stopped.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            sender.send_modify(|state| state.ended = Some(ended.map_err(Arc::new)));
        };
        // Where no thread can be had the sender is dropped, which `text` says.
        drop(thread::Builder::new().name("draft".to_owned()).spawn(work));
        Self { state, stop }
    }

    /// All of it, once it is there.
    ///
    /// # Errors
    /// What the model says.
    pub(super) async fn text(&self) -> Result<String, Arc<Error>> {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| state.ended.is_some()).await.map_err(|_| died())?;
        match &ended.ended {
            Some(Err(e)) => Err(Arc::clone(e)),
            _ => Ok(ended.text.clone()),
        }
    }

    /// Says it from its beginning, as it comes.
    ///
    /// # Errors
    /// What the model says.
    pub(super) async fn say(&self, events: &Events) -> Result<String, Arc<Error>> {
        let mut state = self.state.clone();
        let mut said = 0;
        loop {
            let (text, ended) = {
                let state = state.borrow_and_update();
                (state.text[said..].to_owned(), state.ended.is_some())
            };
            said += text.len();
            if !text.is_empty() {
                events.say(Event::Piece { text }).await;
            }
            if ended || state.changed().await.is_err() {
                return self.text().await;
            }
        }
    }
}

fn died() -> Arc<Error> {
    Arc::new(Error::new(ErrorKind::Unsupported, "draft", "the thread of the device's answer ended"))
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
