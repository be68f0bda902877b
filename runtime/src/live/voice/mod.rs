//! Whether somebody speaks.

#[cfg(feature = "npu")]
mod silero;

use earshot::Detector;

#[cfg(feature = "npu")]
pub use self::silero::Silero;
use crate::Error;

/// Samples at 16 kHz that are judged together: 16 ms.
pub const FRAME: usize = 256;

/// Tells speech from everything else.
pub trait VoiceDetector: Send {
    /// How likely it is that somebody speaks in the next frame, from 0 to 1. Depends on the frames since the last reset.
    fn probability(&mut self, frame: &[f32; FRAME]) -> f32;

    /// Forgets what it heard.
    fn reset(&mut self);

    /// Why it could not judge a frame since the last call, if it could not.
    fn failure(&mut self) -> Option<Error> {
        None
    }
}

/// The detector that comes with the runtime: a recurrent network of 40 KiB.
#[derive(Default)]
pub struct Earshot(Box<Detector>);

impl VoiceDetector for Earshot {
    fn probability(&mut self, frame: &[f32; FRAME]) -> f32 {
        self.0.predict_f32(frame)
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}
