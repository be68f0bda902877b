use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lorgnette_device::Result;
use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::cpal::CpalDriver;
use lorgnette_device::microphone::{AudioChunk, CHUNK_TIME, Event, Microphone, Player, Recording};
use serde::Serialize;

use super::{PATIENCE, Sense, Sensed};

/// What a microphone gave so far.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Sound {
    pub(super) seconds: f64,
    /// How often sound was lost.
    pub(super) overruns: u64,
    /// The loudest sample, in decibels of full scale; none where all was silence.
    pub(super) peak_dbfs: Option<f32>,
    /// Of the last 20 ms.
    #[serde(skip)]
    pub(super) rms_dbfs: f32,
}

/// What `name` says: nothing for the default microphone, else a recording or a name.
pub(in crate::commands) fn open(name: Option<&str>, clock: Arc<dyn Clock>) -> Result<Box<dyn Microphone>> {
    if let Some(path) = name.map(Path::new).filter(|path| path.is_file()) {
        return Ok(Box::new(Player::new(Recording::wav(path)?, clock)?));
    }
    let driver = CpalDriver::new(clock);
    let driver = match name {
        Some(name) => driver.device(name),
        None => driver,
    };
    Ok(Box::new(driver.microphone()?))
}

/// Listens until it is to end or there is nothing more to hear.
pub(super) fn listen(mut microphone: Box<dyn Microphone>, sense: &Sense) {
    let mut heard = Sound { seconds: 0.0, overruns: 0, peak_dbfs: None, rms_dbfs: f32::NEG_INFINITY };
    while !sense.ended.load(Ordering::Relaxed) {
        let event = match microphone.next(sense.clock.now() + PATIENCE) {
            Event::Chunk(chunk) => {
                heard.count(&chunk);
                Sensed::Heard(heard)
            }
            Event::Timeout => continue,
            Event::Damaged(error) => Sensed::Event(format!("microphone: {error}")),
            Event::Lost(error) => Sensed::Event(format!("microphone: lost: {error}")),
            Event::Reopened(input) => Sensed::Event(format!("microphone: back, {}", input.device)),
            Event::Rerouted => Sensed::Event("microphone: the default is another one now".to_owned()),
            Event::End => return,
            _ => continue,
        };
        if sense.out.send(event).is_err() {
            return;
        }
    }
}

impl Sound {
    fn count(&mut self, chunk: &AudioChunk) {
        let level = chunk.level();
        self.seconds += CHUNK_TIME.as_secs_f64();
        self.overruns = chunk.overruns;
        self.rms_dbfs = level.rms_dbfs;
        let loudest = self.peak_dbfs.map_or(level.peak_dbfs, |peak| peak.max(level.peak_dbfs));
        self.peak_dbfs = Some(loudest).filter(|peak| peak.is_finite());
    }
}
