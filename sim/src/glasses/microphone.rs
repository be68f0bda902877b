//! The microphone of the glasses, at the other end of the link.

use std::sync::{Arc, Mutex};

use lorgnette_device::microphone::{Driver, Format, Mute, Opened, SAMPLE_RATE, ring};
use lorgnette_device::{Error, ErrorKind, Result};

use super::body::Body;
use super::lock;

/// Opens the microphone of simulated glasses, as often as it takes.
pub struct Port(Arc<Mutex<Body>>);

impl Port {
    pub(super) fn new(body: Arc<Mutex<Body>>) -> Self {
        Self(body)
    }
}

impl Driver for Port {
    fn open(&mut self, mute: &Mute) -> Result<Opened> {
        let mut body = lock(&self.0);
        if !body.can_be_heard() {
            return Err(Error::new(ErrorKind::NotFound, "there is no microphone").of("glasses"));
        }
        let (intake, outlet) = ring::ring(Format { rate: SAMPLE_RATE, channels: 1 }, mute)?;
        body.other_end.intake = Some(intake);
        Ok(Opened { device: "glasses".to_owned(), outlet, stream: Box::new(()) })
    }
}
