//! A device that follows a script, and the clock that it and its microphone go by. Nothing sleeps: whoever waits lets
//! the device play.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::ring::{Intake, Signals, ring};
use lorgnette_device::microphone::{
    AudioChunk, Driver, Event, Format, LiveMicrophone, Microphone, Mute, Opened,
};
use lorgnette_device::{Error, ErrorKind, Result, Timestamp};

/// Time between two blocks of the device.
const BLOCK: Duration = Duration::from_millis(10);

#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) now: Timestamp,
    /// What the device is like when it is opened next.
    pub(crate) format: Format,
    /// Why it cannot be opened.
    pub(crate) closed: Option<ErrorKind>,
    /// The times at which somebody tried to open it.
    pub(crate) attempts: Vec<Timestamp>,
    /// Whether the open device gives blocks.
    pub(crate) playing: bool,
    /// The value of the samples that it gives.
    pub(crate) value: f32,
    intake: Option<Intake>,
    next_block: Timestamp,
}

impl Stage {
    /// A device of `format` that plays.
    pub(crate) fn new(format: Format) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Timestamp::default(),
            format,
            closed: None,
            attempts: Vec::new(),
            playing: true,
            value: 0.25,
            intake: None,
            next_block: Timestamp::default(),
        })))
    }

    /// A microphone over it.
    pub(crate) fn microphone(&self) -> LiveMicrophone<Self> {
        LiveMicrophone::new(self.clone(), Arc::new(self.clone())).unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Where the open device reports.
    pub(crate) fn signals(&self) -> Signals {
        self.state().intake.as_ref().unwrap().signals()
    }

    /// Gives a block beside the script.
    pub(crate) fn push(&self, block: &[f32], captured: Timestamp) {
        self.state().intake.as_mut().unwrap().push(block, captured, |&sample| sample);
    }

    /// The chunks of `samples` that come in blocks of `sizes`.
    pub(crate) fn cut(format: Format, samples: &[f32], sizes: &[usize]) -> Vec<AudioChunk> {
        let stage = Self::new(format);
        stage.state().playing = false;
        let mut microphone = stage.microphone();
        let mut chunks = Vec::new();
        let mut at = 0;
        for &size in sizes {
            let captured = Timestamp::from_start(Duration::from_secs(at as u64) / format.rate);
            let block = &samples[at..at + size];
            stage.push(block, captured);
            at += size;
            while let Event::Chunk(chunk) = microphone.next(stage.now()) {
                chunks.push(chunk);
            }
        }
        chunks
    }
}

impl State {
    /// Gives the block that ends now.
    fn play(&mut self) {
        let frames = (f64::from(self.format.rate) * BLOCK.as_secs_f64()) as usize;
        let block = vec![self.value; frames * usize::from(self.format.channels)];
        let captured = self.now - BLOCK;
        if let Some(intake) = self.intake.as_mut().filter(|_| self.playing) {
            intake.push(&block, captured, |&sample| sample);
        }
    }
}

impl Clock for Stage {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep_until(&self, moment: Timestamp) {
        let mut state = self.state();
        while state.next_block <= moment {
            state.now = state.next_block;
            state.next_block = state.next_block + BLOCK;
            state.play();
        }
        state.now = moment.max(state.now);
    }
}

impl Driver for Stage {
    fn open(&mut self, mute: &Mute) -> Result<Opened> {
        let mut state = self.state();
        let now = state.now;
        state.attempts.push(now);
        if let Some(kind) = state.closed {
            return Err(Error::new(kind, "the script says so"));
        }
        let (intake, outlet) = ring(state.format, mute)?;
        state.intake = Some(intake);
        state.next_block = now + BLOCK;
        Ok(Opened { device: format!("{} Hz", state.format.rate), outlet, stream: Box::new(()) })
    }
}
