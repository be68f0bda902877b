//! Ends a process that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Seconds without a sign of life. A scene takes one or two.
const PATIENCE: u64 = 300;

/// Is to be patted. While it lives it watches.
pub(crate) struct Watchdog(Arc<AtomicU64>);

impl Watchdog {
    pub(crate) fn start() -> Self {
        let waited = Arc::new(AtomicU64::new(0));
        let watched = Arc::downgrade(&waited);
        thread::spawn(move || {
            // It counts what it sleeps: a process that is stopped meanwhile does not hang.
            while let Some(waited) = watched.upgrade() {
                assert_or_abort(waited.fetch_add(1, Relaxed) < PATIENCE);
                drop(waited);
                thread::sleep(Duration::from_secs(1));
            }
        });
        Self(waited)
    }

    pub(crate) fn pat(&self) {
        self.0.store(0, Relaxed);
    }
}

#[allow(clippy::print_stderr, reason = "nobody else can say it")]
fn assert_or_abort(is_alive: bool) {
    if !is_alive {
        eprintln!("the talk hangs: nothing came of it in {PATIENCE} seconds");
        std::process::abort();
    }
}
