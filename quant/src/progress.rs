//! How long work says where it is, and asks whether to go on.

use crate::error::{Error, ErrorKind, Result};

/// Watches long work, from any thread. `()` watches nothing.
pub trait Progress: Sync {
    /// `done` of `total` bytes (or steps, where the work says so) are through; `item` is in work.
    fn advance(&self, item: &str, done: u64, total: u64) {
        let _ = (item, done, total);
    }

    /// Whether the work should stop. Asked every few milliseconds.
    fn cancelled(&self) -> bool {
        false
    }

    /// [`ErrorKind::Cancelled`] once the work should stop.
    fn check(&self) -> Result<()> {
        if self.cancelled() { Err(Error::new(ErrorKind::Cancelled, "", "cancelled")) } else { Ok(()) }
    }
}

impl Progress for () {}
