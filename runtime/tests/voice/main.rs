//! One suite for every voice detector, on questions that were spoken by espeak-ng (`make.py`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it leaves out"
)]

use lorgnette_runtime::live::{Earshot, FRAME, Heard, Listening, ListeningOptions, VoiceDetector};
use lorgnette_runtime::model::audio::decode_wav;

/// The first samples of each question, and those after it, as `make.py` prints them.
const QUESTIONS: [(usize, usize); 2] = [(8_000, 32_399), (46_799, 65_698)];

/// 64 ms.
const MARGIN: usize = 4 * FRAME;

fn speech() -> Vec<f32> {
    decode_wav(include_bytes!("speech.wav")).unwrap().samples().to_vec()
}

/// White noise 50 dB under full scale, and a hum of 50 Hz.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let white = (state >> 8) as f32 / 8_388_608.0 - 1.0;
        0.005 * white + 0.02 * (i as f32 * 50.0 / 16_000.0 * std::f32::consts::TAU).sin()
    };
    (0..count).map(next).collect()
}

fn probabilities(detector: &mut dyn VoiceDetector, samples: &[f32]) -> Vec<f32> {
    let frames = samples.chunks_exact(FRAME);
    frames.map(|frame| detector.probability(frame.try_into().unwrap())).collect()
}

fn share(probabilities: &[f32], from: usize, to: usize) -> f32 {
    let judged = &probabilities[from / FRAME..to / FRAME];
    judged.iter().filter(|probability| **probability >= 0.5).count() as f32 / judged.len() as f32
}

/// Everything that a detector has to do.
fn suite(detector: &mut dyn VoiceDetector) {
    let speech = speech();
    let judged = probabilities(detector, &speech);
    assert!(judged.iter().all(|probability| (0.0..=1.0).contains(probability)));
    for (start, end) in QUESTIONS {
        let found = share(&judged, start, end);
        assert!(found > 0.7, "{found} of a question is speech");
    }
    let silence = [(MARGIN, QUESTIONS[0].0 - MARGIN), (QUESTIONS[0].1 + 8 * MARGIN, QUESTIONS[1].0 - MARGIN)];
    for (from, to) in silence {
        assert_eq!(share(&judged, from, to), 0.0, "silence from {from} to {to} is none");
    }
    detector.reset();
    assert_eq!(probabilities(detector, &speech), judged, "what was heard before is forgotten");
    detector.reset();
    let noise = noise(48_000);
    let found = share(&probabilities(detector, &noise), 0, noise.len());
    assert!(found < 0.02, "{found} of noise is speech");
    assert!(detector.failure().is_none());
}

/// Whole turns: each question is heard from its first syllable on, and as one.
fn turns(detector: Box<dyn VoiceDetector>) {
    let mut listening = Listening::new(ListeningOptions::default(), detector);
    let mut at = 0;
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for chunk in speech().chunks(320) {
        at += chunk.len();
        for heard in listening.push(chunk) {
            match heard {
                Heard::Started => starts.push(at),
                Heard::Ended => ends.push(at),
                _ => {}
            }
        }
    }
    assert_eq!((starts.len(), ends.len()), (2, 2), "{starts:?} {ends:?}");
    for ((start, end), (started, ended)) in QUESTIONS.into_iter().zip(starts.into_iter().zip(ends)) {
        // The pre-roll reaches back 300 ms.
        assert!(started < start + 4_800, "begun {started}, spoken from {start}");
        assert!((end..end + 9_600).contains(&ended), "over {ended}, spoken to {end}");
    }
}

#[test]
fn earshot_hears_what_is_spoken_and_nothing_else() {
    suite(&mut Earshot::default());
    turns(Box::new(Earshot::default()));
}

#[cfg(feature = "npu")]
mod silero {
    use std::env;
    use std::path::{Path, PathBuf};

    use lorgnette_runtime::ErrorKind;
    use lorgnette_runtime::live::Silero;

    use super::{suite, turns};

    /// The graph, where this machine has it and a library to compute it with.
    fn graph() -> Option<PathBuf> {
        let (library, graph) = (env::var_os("ORT_DYLIB_PATH"), env::var_os("SILERO_VAD"));
        if library.is_none() || graph.is_none() {
            eprintln!("left out: ORT_DYLIB_PATH and SILERO_VAD do not both name a file; make silero");
        }
        library.and(graph).map(PathBuf::from)
    }

    #[test]
    fn silero_hears_what_is_spoken_and_nothing_else() {
        let Some(graph) = graph() else { return };
        suite(&mut Silero::load(&graph).unwrap());
        turns(Box::new(Silero::load(&graph).unwrap()));
    }

    #[test]
    fn what_is_no_graph_of_silero_is_refused() {
        let nothing = Silero::load(Path::new("no/such/file.onnx")).err().unwrap();
        assert_eq!(nothing.kind(), ErrorKind::Missing);
        assert!(nothing.to_string().contains("no/such/file.onnx"), "{nothing}");
        let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/voice/main.rs");
        let error = Silero::load(&this).err().unwrap();
        // Without a library that is what is missing.
        let is_refused = error.kind() == ErrorKind::Unsupported;
        assert!(is_refused || graph().is_none() && error.kind() == ErrorKind::Missing, "{error}");
    }
}
