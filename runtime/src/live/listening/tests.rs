//! Sound that is speech where it is not zero.

use std::time::Duration;

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
    let speech = heard.iter().map(|heard| if let Heard::Speech(samples) = heard { samples.len() } else { 0 });
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

/// Forgets speech slowly: an amplitude of 1 is sure speech, what is less falls by 0.08 a frame, but not below it.
struct Slow(f32);

impl VoiceDetector for Slow {
    fn probability(&mut self, frame: &[f32; FRAME]) -> f32 {
        self.0 = frame[0].max(self.0 - 0.08);
        self.0
    }

    fn reset(&mut self) {
        self.0 = 0.0;
    }
}

/// Frames of silence after `speech` until the turn ends.
fn silence_that_ends(speech: &[f32]) -> Option<usize> {
    let mut listening = Listening::new(ListeningOptions::default(), Box::new(Slow(0.0)));
    for amplitude in speech {
        assert!(!listening.push(&[*amplitude; FRAME]).contains(&Heard::Ended), "it ended in speech");
    }
    (1..60).find(|_| listening.push(&[0.0; FRAME]).contains(&Heard::Ended))
}

#[test]
fn silence_is_counted_from_where_the_detector_began_to_forget() {
    // Of 0.92, 0.84, 0.76 and then 0.68: 16 frames are 256 ms.
    assert_eq!(silence_that_ends(&[1.0; 20]), Some(3 + 16));
}

#[test]
fn unsure_speech_is_speech_but_for_its_last_frames() {
    let unsure = [vec![1.0; 5], vec![0.5; 100]].concat();
    // 0.42 is still heard, and then not more than 10 frames had been falling.
    assert_eq!(silence_that_ends(&unsure), Some(2 + 16 - 10));
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
