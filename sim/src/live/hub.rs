//! Where everything that happens is told to everybody who listens, however slowly.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use lorgnette_device::Timestamp;
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::event::Happened;
use crate::glasses::Shot;

/// Events that a listener may be late by before it loses the oldest.
const LATE: usize = 256;

/// Events that are kept for those who ask.
const KEPT: usize = 1000;

/// Tells what happens. Nobody who listens holds up anybody else: who is late loses the oldest, and who speaks never waits.
pub struct Hub {
    past: Mutex<Past>,
    news: broadcast::Sender<Utf8Bytes>,
    view: watch::Sender<Option<Shot>>,
}

#[derive(Default)]
struct Past {
    last: u64,
    kept: VecDeque<(u64, Utf8Bytes)>,
}

/// An event with its number and time.
#[derive(Serialize)]
struct Envelope<'a, T> {
    id: u64,
    time: f64,
    #[serde(flatten)]
    event: &'a T,
}

/// What somebody hears who listens.
pub struct Listener {
    /// Events, as JSON.
    pub news: broadcast::Receiver<Utf8Bytes>,
    /// What the glasses see: the newest only.
    pub view: watch::Receiver<Option<Shot>>,
}

impl Default for Hub {
    fn default() -> Self {
        let (past, news, view) = (Mutex::default(), broadcast::Sender::new(LATE), watch::Sender::new(None));
        Self { past, news, view }
    }
}

impl Hub {
    /// Tells of something that is kept.
    pub fn tell(&self, happened: &Happened, now: Timestamp) {
        let mut past = self.lock();
        past.last += 1;
        let text = written(past.last, now, happened);
        let id = past.last;
        past.kept.push_back((id, text.clone()));
        if past.kept.len() > KEPT {
            past.kept.pop_front();
        }
        // In the order of the numbers. With nobody to listen there is nothing to do.
        let _ = self.news.send(text);
    }

    /// Tells of something that is old as soon as there is a newer one.
    pub fn tell_in_passing(&self, event: &impl Serialize, now: Timestamp) {
        let past = self.lock();
        let _ = self.news.send(written(past.last, now, event));
    }

    /// What the glasses see now.
    pub fn show(&self, view: Option<Shot>) {
        self.view.send_if_modified(|shown| {
            let same = match (&*shown, &view) {
                (Some(shown), Some(view)) => shown.is(view),
                (None, None) => true,
                _ => false,
            };
            if !same {
                *shown = view;
            }
            !same
        });
    }

    /// Listens to what happens from now on.
    pub fn listen(&self) -> Listener {
        Listener { news: self.news.subscribe(), view: self.view.subscribe() }
    }

    /// `event` as it is told, under the number of the last event.
    pub fn envelope(&self, event: &impl Serialize, now: Timestamp) -> Utf8Bytes {
        written(self.lock().last, now, event)
    }

    /// What happened after event `id`, as far as it is kept, and the number of the last.
    pub fn since(&self, id: u64) -> (Vec<Utf8Bytes>, u64) {
        let past = self.lock();
        let events = past.kept.iter().filter(|(other, _)| *other > id).map(|(_, text)| text.clone());
        (events.collect(), past.last)
    }

    fn lock(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(id: u64, now: Timestamp, event: &impl Serialize) -> Utf8Bytes {
    let time = (now.since_start().as_secs_f64() * 1e6).round() / 1e6;
    serde_json::to_string(&Envelope { id, time, event }).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(turn: u64) -> Happened {
        Happened::Listening { turn }
    }

    #[test]
    fn who_is_late_loses_the_oldest_and_holds_up_nobody() {
        let hub = Hub::default();
        let (mut late, mut early) = (hub.listen(), hub.listen());
        for i in 0..10 * LATE as u64 {
            hub.tell(&turn(i), Timestamp::default());
            assert!(early.news.try_recv().is_ok());
        }
        assert!(matches!(late.news.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
        assert!(late.news.try_recv().is_ok());
    }

    #[test]
    fn what_happened_is_kept_for_a_while() {
        let hub = Hub::default();
        (0..KEPT as u64 + 10).for_each(|i| hub.tell(&turn(i), Timestamp::default()));
        hub.tell_in_passing(&serde_json::json!({"event": "state"}), Timestamp::default());
        let (events, last) = hub.since(KEPT as u64 + 7);
        assert_eq!((events.len(), last), (3, KEPT as u64 + 10));
        assert!(events[0].contains("\"event\":\"listening\""), "{}", events[0]);
        assert_eq!(hub.since(0).0.len(), KEPT);
    }

    #[test]
    fn the_same_view_is_shown_once() {
        let hub = Hub::default();
        let mut listener = hub.listen();
        let shot = Shot::new(vec![1]);
        hub.show(Some(shot.clone()));
        assert!(listener.view.has_changed().unwrap());
        listener.view.mark_unchanged();
        hub.show(Some(shot));
        assert!(!listener.view.has_changed().unwrap());
    }
}
