//! Waiting without an async runtime.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What comes of `future`, for which this thread waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// As [`block_on`], as long as `goes_on`, which is asked about twenty times a second; `None` when it does not.
pub fn block_on_while<T>(future: impl Future<Output = T>, mut goes_on: impl FnMut() -> bool) -> Option<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return Some(value),
            Poll::Pending if goes_on() => thread::park_timeout(Duration::from_millis(50)),
            Poll::Pending => return None,
        }
    }
}

/// What comes of `future` within `time`; `None` when nothing did. It is polled first, so that what is ready needs no
/// time; for one that is not, a thread keeps the time under any executor.
pub async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    // Dropped with this future, it lets the thread go.
    let mut alarm: Option<Sender<Waker>> = None;
    let end = Instant::now() + time;
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        let alarm = alarm.get_or_insert_with(|| set_alarm(end));
        // The thread ends at the end, and does not hear of who waits from then on.
        match alarm.send(context.waker().clone()) {
            Ok(()) if Instant::now() < end => Poll::Pending,
            _ => Poll::Ready(None),
        }
    })
    .await
}

/// Wakes who was sent last at `end`, unless the sender is dropped before.
fn set_alarm(end: Instant) -> Sender<Waker> {
    let (sender, wakers) = channel::<Waker>();
    // Where no thread can be had the receiver is dropped, which says so.
    let _ = thread::Builder::new().name("tool deadline".to_owned()).spawn(move || {
        let mut last: Option<Waker> = None;
        loop {
            match wakers.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(waker) => last = Some(waker),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        if let Some(waker) = last {
            waker.wake();
        }
    });
    sender
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_needs_no_time_and_what_never_is_comes_to_an_end() {
        assert_eq!(block_on(within(Duration::ZERO, async { 7 })), Some(7));
        assert_eq!(block_on(within(Duration::from_millis(1), std::future::pending::<()>())), None);
    }

    #[test]
    fn a_waker_of_another_thread_wakes() {
        let (sender, receiver) = channel();
        let mut sender = Some(sender);
        let answered = poll_fn(move |context| {
            if let Some(sender) = sender.take() {
                let waker = context.waker().clone();
                thread::spawn(move || {
                    sender.send(5).unwrap();
                    waker.wake();
                });
            }
            receiver.try_recv().map_or(Poll::Pending, Poll::Ready)
        });
        assert_eq!(block_on(within(Duration::from_secs(600), answered)), Some(5));
    }
}
