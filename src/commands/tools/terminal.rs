use std::future::poll_fn;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

use lorgnette_runtime::tool::{Approval, BoxFuture, Request};

/// Asks on the terminal. Where there is none it allows only what was allowed beforehand.
pub(crate) struct Terminal {
    allowed: Vec<String>,
}

/// What was answered, and who waits for it.
#[derive(Default)]
struct Answer {
    allowed: Option<bool>,
    waiting: Option<Waker>,
}

impl Terminal {
    /// Calls of `allowed` are not asked for.
    pub(crate) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.to_vec() }
    }
}

impl Approval for Terminal {
    fn ask<'a>(&'a self, request: &'a Request<'a>) -> BoxFuture<'a, bool> {
        let before = self.allowed.iter().any(|name| name == request.tool);
        if before || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Box::pin(std::future::ready(before));
        }
        let question = request.to_string();
        Box::pin(async move { asked(question).await })
    }
}

/// A thread waits for the line, so that whoever asked can go on without it.
async fn asked(question: String) -> bool {
    let answer = Arc::new(Mutex::new(Answer::default()));
    let answered = Arc::clone(&answer);
    thread::spawn(move || {
        let mut line = String::new();
        let shown = write!(io::stderr(), "\nlorgnette: the model wants to call {question}. Allow it? [y/N] ");
        let read = shown.and_then(|()| io::stdin().read_line(&mut line));
        let allowed = read.is_ok() && ["y", "yes"].contains(&line.trim().to_lowercase().as_str());
        let mut answer = answered.lock().unwrap_or_else(PoisonError::into_inner);
        answer.allowed = Some(allowed);
        if let Some(waker) = answer.waiting.take() {
            waker.wake();
        }
    });
    poll_fn(|context| {
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.waiting = Some(context.waker().clone());
        answer.allowed.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
