//! When a turn begins and ends: speech, pauses, silence.

use std::collections::VecDeque;
use std::time::Duration;

use super::voice::{FRAME, VoiceDetector};
use crate::Error;

/// When speech counts as begun, paused and ended.
#[derive(Clone, Copy, Debug)]
pub struct ListeningOptions {
    /// The probability from which on a frame is speech.
    pub threshold: f32,
    /// How much lower it may be while somebody speaks already.
    pub hysteresis: f32,
    /// Speech without a break before it counts: shorter is a click or a cough.
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
            onset: Duration::from_millis(48),
            pre_roll: Duration::from_millis(300),
            pause: Duration::from_millis(100),
            end: Duration::from_millis(250),
            longest: Duration::from_secs(30),
        }
    }
}

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
    Speaking { samples: usize, silence: usize, held: Vec<f32>, paused: bool },
}

impl State {
    fn quiet() -> Self {
        Self::Quiet { before: VecDeque::new(), speech: 0 }
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
                self.state = State::Speaking { samples: 0, silence: 0, held: Vec::new(), paused: false };
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
                self.state =
                    State::Speaking { samples: first.len(), silence: 0, held: Vec::new(), paused: false };
                heard.extend([Heard::Started, Heard::Speech(first)]);
            }
            State::Speaking { samples: so_far, silence, held, paused } => {
                *so_far += FRAME;
                if probability >= options.threshold - options.hysteresis {
                    if std::mem::take(paused) {
                        heard.push(Heard::Resumed);
                    }
                    *silence = 0;
                    heard.push(Heard::Speech([std::mem::take(held), self.frame.clone()].concat()));
                } else {
                    *silence += FRAME;
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

/// Samples at 16 kHz in so long.
fn samples(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).map_or(usize::MAX, |ms| ms.saturating_mul(16))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hears speech where samples are not zero.
    struct Loudness;

    impl VoiceDetector for Loudness {
        fn probability(&mut self, frame: &[f32; FRAME]) -> f32 {
            if frame.iter().any(|sample| *sample != 0.0) { 1.0 } else { 0.0 }
        }

        fn reset(&mut self) {}
    }

    fn listening() -> Listening {
        Listening::new(ListeningOptions::default(), Box::new(Loudness))
    }

    /// Alternating frames of silence and speech.
    fn sound(frames: &[usize]) -> Vec<f32> {
        let part = |(i, &frames): (usize, &usize)| vec![if i % 2 == 0 { 0.0 } else { 0.5 }; frames * FRAME];
        frames.iter().enumerate().flat_map(part).collect()
    }

    /// Events with all samples between two others together.
    fn joined(heard: impl IntoIterator<Item = Heard>) -> Vec<Heard> {
        let mut joined: Vec<Heard> = Vec::new();
        for next in heard {
            match (joined.last_mut(), next) {
                (Some(Heard::Speech(last)), Heard::Speech(more)) => last.extend(more),
                (_, next) => joined.push(next),
            }
        }
        joined
    }

    fn names(heard: &[Heard]) -> Vec<&'static str> {
        let name = |heard: &Heard| match heard {
            Heard::Started => "started",
            Heard::Speech(_) => "speech",
            Heard::Paused => "paused",
            Heard::Resumed => "resumed",
            Heard::Ended => "ended",
        };
        joined(heard.to_vec()).iter().map(name).collect()
    }

    #[test]
    fn a_turn_has_its_first_syllable_and_ends_with_silence() {
        let heard = joined(listening().push(&sound(&[40, 20, 30])));
        assert_eq!(names(&heard), ["started", "speech", "paused", "ended"]);
        let Heard::Speech(speech) = &heard[1] else { panic!("{heard:?}") };
        let silence = speech.iter().take_while(|sample| **sample == 0.0).count();
        assert_eq!(silence, 300 * 16, "the pre-roll");
        assert_eq!(speech.iter().filter(|sample| **sample != 0.0).count(), 20 * FRAME);
    }

    #[test]
    fn a_click_is_no_turn() {
        assert_eq!(names(&listening().push(&sound(&[10, 2, 30, 1, 30]))), [""; 0]);
    }

    #[test]
    fn a_pause_for_thought_does_not_end_the_turn() {
        let heard = joined(listening().push(&sound(&[5, 20, 10, 20, 40])));
        let expected = ["started", "speech", "paused", "resumed", "speech", "paused", "ended"];
        assert_eq!(names(&heard), expected);
        let speech =
            heard.iter().map(|heard| if let Heard::Speech(samples) = heard { samples.len() } else { 0 });
        let silence_counted = 7 * FRAME;
        assert_eq!(
            speech.sum::<usize>(),
            (5 + 20 + 10 + 20) * FRAME + silence_counted,
            "nothing is lost in between"
        );
    }

    #[test]
    fn the_longest_turn_is_cut() {
        let options = ListeningOptions { longest: Duration::from_secs(1), ..ListeningOptions::default() };
        let mut listening = Listening::new(options, Box::new(Loudness));
        assert_eq!(names(&listening.push(&sound(&[0, 65]))), ["started", "speech", "ended"]);
    }

    #[test]
    fn a_button_begins_and_ends_a_turn_without_speech() {
        let mut listening = listening();
        let heard = [listening.begin(), listening.push(&sound(&[4])[..900]), listening.end()].concat();
        assert_eq!(names(&heard), ["started", "speech", "ended"]);
        assert!(heard.contains(&Heard::Speech(vec![0.0; 900])));
        assert!(listening.end().is_empty());
    }

    proptest! {
        #[test]
        fn turns_are_the_same_in_chunks_of_any_size(
            frames in prop::collection::vec(0_usize..40, 1..9),
            chunks in prop::collection::vec(1_usize..3_000, 1..9),
        ) {
            let sound = sound(&frames);
            let whole = joined(listening().push(&sound));
            let mut listening = listening();
            let (mut rest, mut heard) = (&sound[..], Vec::new());
            for chunk in chunks.into_iter().cycle() {
                let (next, after) = rest.split_at(chunk.min(rest.len()));
                heard.extend(listening.push(next));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(joined(heard), whole);
        }
    }
}
