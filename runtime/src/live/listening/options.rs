//! How much sound, speech and silence it takes.

use std::time::Duration;

/// When speech counts as begun, paused and ended.
#[derive(Clone, Copy, Debug)]
pub struct ListeningOptions {
    /// The probability from which on a frame is speech.
    pub threshold: f32,
    /// How much lower it may be while somebody speaks already.
    pub hysteresis: f32,
    /// The probability from which on a frame is surely speech. A detector forgets speech over some frames: silence is counted
    /// from where its probability began to fall from here.
    pub sure: f32,
    /// Speech without a break before it counts: shorter is a click or a cough. The shortest words take 200 ms and more.
    pub onset: Duration,
    /// Sound from before the onset that belongs to the turn, so that its first syllable is not lost.
    pub pre_roll: Duration,
    /// Silence after which an answer is begun that may turn out too early.
    pub pause: Duration,
    /// Silence that ends the turn.
    pub end: Duration,
    /// The longest turn; what is longer ends there.
    pub longest: Duration,
}

impl Default for ListeningOptions {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            hysteresis: 0.15,
            sure: 0.7,
            onset: Duration::from_millis(96),
            pre_roll: Duration::from_millis(300),
            pause: Duration::from_millis(100),
            end: Duration::from_millis(250),
            longest: Duration::from_secs(30),
        }
    }
}

/// Samples at 16 kHz in so long.
pub(super) fn samples(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).map_or(usize::MAX, |ms| ms.saturating_mul(16))
}
