//! When a turn begins and ends: speech, pauses, silence.

mod options;

use std::collections::VecDeque;

pub use self::options::ListeningOptions;
use self::options::samples;
use super::voice::{FRAME, VoiceDetector};
use crate::Error;

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A turn begins.
    Started,
    /// The next samples of the turn.
    Speech(Vec<f32>),
    /// The wearer may be through: the turn has what it needs, if nothing follows.
    Paused,
    /// The wearer was not through.
    Resumed,
    /// The turn is over.
    Ended,
}

/// Cuts sound into turns. Chunks may have any length: the turns are the same.
pub struct Listening {
    options: ListeningOptions,
    detector: Box<dyn VoiceDetector>,
    frame: Vec<f32>,
    state: State,
}

enum State {
    /// Nobody speaks. `before` are the last samples, `speech` the frames of speech that ended them.
    Quiet { before: VecDeque<f32>, speech: usize },
    /// Somebody does. Samples of the turn so far, and those since the last frame of speech: they belong to the turn up to
    /// the pause, and if speech goes on.
    Speaking { samples: usize, silence: usize, fade: Fade, held: Vec<f32>, paused: bool },
}

/// For how many frames the probability of speech has been falling.
struct Fade {
    last: f32,
    frames: usize,
}

impl Fade {
    /// Speech that was unsure for longer than a detector takes to forget, 160 ms, was speech.
    const MOST: usize = 10;
    /// What is not yet a rise.
    const STEADY: f32 = 0.02;

    fn new() -> Self {
        Self { last: 1.0, frames: 0 }
    }

    fn push(&mut self, probability: f32, sure: f32) {
        let falls = probability < sure && probability <= self.last + Self::STEADY;
        self.frames = if falls { (self.frames + 1).min(Self::MOST) } else { 0 };
        self.last = probability;
    }
}

impl State {
    fn quiet() -> Self {
        Self::Quiet { before: VecDeque::new(), speech: 0 }
    }

    fn speaking(samples: usize) -> Self {
        Self::Speaking { samples, silence: 0, fade: Fade::new(), held: Vec::new(), paused: false }
    }
}

impl Listening {
    /// Listens with `detector`.
    pub fn new(options: ListeningOptions, mut detector: Box<dyn VoiceDetector>) -> Self {
        detector.reset();
        Self { options, detector, frame: Vec::with_capacity(FRAME), state: State::quiet() }
    }

    /// Takes the next samples.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for &sample in samples {
            self.frame.push(sample);
            if let Ok(frame) = <&[f32; FRAME]>::try_from(self.frame.as_slice()) {
                let probability = self.detector.probability(frame);
                self.judge(probability, &mut heard);
                self.frame.clear();
            }
        }
        heard
    }

    /// Why the detector could not judge, if it could not.
    pub fn failure(&mut self) -> Option<Error> {
        self.detector.failure()
    }

    /// Ends the turn, if there is one, as a released button does: with all that was heard.
    pub fn end(&mut self) -> Vec<Heard> {
        let State::Speaking { held, .. } = std::mem::replace(&mut self.state, State::quiet()) else {
            return Vec::new();
        };
        let rest = [held, std::mem::take(&mut self.frame)].concat();
        if rest.is_empty() { vec![Heard::Ended] } else { vec![Heard::Speech(rest), Heard::Ended] }
    }

    /// Begins a turn now, whether somebody speaks or not, as a pressed button does.
    pub fn begin(&mut self) -> Vec<Heard> {
        match self.state {
            State::Speaking { .. } => Vec::new(),
            State::Quiet { .. } => {
                self.state = State::speaking(0);
                vec![Heard::Started]
            }
        }
    }

    /// Forgets the turn begun, and what was heard before.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.frame.clear();
        self.state = State::quiet();
    }

    fn judge(&mut self, probability: f32, heard: &mut Vec<Heard>) {
        let options = &self.options;
        match &mut self.state {
            State::Quiet { before, speech } => {
                *speech = if probability >= options.threshold { *speech + 1 } else { 0 };
                before.extend(&self.frame);
                let kept = samples(options.pre_roll) + *speech * FRAME;
                before.drain(..before.len().saturating_sub(kept));
                if *speech * FRAME < samples(options.onset) {
                    return;
                }
                let first: Vec<f32> = std::mem::take(before).into();
                self.state = State::speaking(first.len());
                heard.extend([Heard::Started, Heard::Speech(first)]);
            }
            State::Speaking { samples: so_far, silence, fade, held, paused } => {
                *so_far += FRAME;
                fade.push(probability, options.sure);
                if probability >= options.threshold - options.hysteresis {
                    if std::mem::take(paused) {
                        heard.push(Heard::Resumed);
                    }
                    *silence = 0;
                    heard.push(Heard::Speech([std::mem::take(held), self.frame.clone()].concat()));
                } else {
                    *silence = (*silence + FRAME).max(fade.frames * FRAME);
                    held.extend(&self.frame);
                    if !*paused && *silence >= samples(options.pause) {
                        *paused = true;
                        heard.extend([Heard::Speech(std::mem::take(held)), Heard::Paused]);
                    }
                }
                if *silence >= samples(options.end) || *so_far >= samples(options.longest) {
                    self.state = State::quiet();
                    heard.push(Heard::Ended);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
