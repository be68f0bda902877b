//! This machine's own camera and microphone, as whoever has them lends them.

use crate::glasses::{Feed, Jack};
use crate::{Error, ErrorKind, Result};

/// What this machine has: its own camera and microphone, for those who want to sit before them.
pub trait Machine: Send {
    /// Whether there is any such thing.
    fn is_there(&self) -> bool;

    /// Lets its camera show what it sees to `feed`, until what is returned is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Device`] when it has none.
    fn see(&self, feed: Feed) -> Result<Box<dyn Send>>;

    /// Lets its microphone say what it hears into `jack`, until what is returned is dropped.
    ///
    /// # Errors
    /// As [`Machine::see`].
    fn hear(&self, jack: Jack) -> Result<Box<dyn Send>>;
}

/// A machine without camera and microphone.
pub struct NoMachine;

impl Machine for NoMachine {
    fn is_there(&self) -> bool {
        false
    }

    fn see(&self, _: Feed) -> Result<Box<dyn Send>> {
        Err(Error::new(ErrorKind::Device, "source.camera", "this machine's camera cannot be had here"))
    }

    fn hear(&self, _: Jack) -> Result<Box<dyn Send>> {
        Err(Error::new(
            ErrorKind::Device,
            "source.microphone",
            "this machine's microphone cannot be had here",
        ))
    }
}
