//! Cuts sounds into turns: `turns [--silero GRAPH.onnx] [--onset MS] [--threshold P] SOUND.wav...`, a JSON line for each
//! sound, with the milliseconds at which turns were begun and ended and how long judging took.

#![allow(clippy::print_stdout, reason = "an example prints what it was asked for")]

use std::error::Error;
use std::time::{Duration, Instant};

use lorgnette_runtime::live::{Earshot, Heard, Listening, ListeningOptions, VoiceDetector};
use lorgnette_runtime::model::audio::decode_wav;

/// Samples in a chunk of a microphone.
const CHUNK: usize = 320;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        let at = arguments.windows(2).position(|pair| pair[0] == name)?;
        arguments.drain(at..at + 2).nth(1)
    };
    let silero = option("--silero");
    let mut options = ListeningOptions::default();
    if let Some(onset) = option("--onset") {
        options.onset = Duration::from_millis(onset.parse()?);
    }
    if let Some(threshold) = option("--threshold") {
        options.threshold = threshold.parse()?;
    }
    for path in &arguments {
        let samples = decode_wav(&std::fs::read(path)?)?.samples().to_vec();
        let mut listening = Listening::new(options, detector(silero.as_deref())?);
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        for (number, chunk) in samples.chunks(CHUNK).enumerate() {
            let now = (number + 1) * CHUNK / 16;
            for heard in listening.push(chunk) {
                match heard {
                    Heard::Started => starts.push(now),
                    Heard::Ended => ends.push(now),
                    _ => {}
                }
            }
        }
        let took = begin.elapsed().as_secs_f64();
        let line = serde_json::json!({
            "sound": path, "seconds": samples.len() as f64 / 16_000.0, "starts": starts, "ends": ends, "took": took,
        });
        println!("{line}");
    }
    Ok(())
}

fn detector(silero: Option<&str>) -> Result<Box<dyn VoiceDetector>, Box<dyn Error>> {
    match silero {
        None => Ok(Box::new(Earshot::default())),
        #[cfg(feature = "npu")]
        Some(graph) => Ok(Box::new(lorgnette_runtime::live::Silero::load(graph.as_ref())?)),
        #[cfg(not(feature = "npu"))]
        Some(_) => Err("built without the feature npu".into()),
    }
}
