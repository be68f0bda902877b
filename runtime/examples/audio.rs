//! How long a second of sound takes, and how far blocks are off: `audio MMPROJ.gguf [SECONDS] [ROUNDS]`, the best of all
//! rounds.
//!
//! Drift is the distance of the tokens of blocks from those of the tower as it is, by the length of the latter; 0 is the
//! same, 1.4 is unrelated. The sound is noise that swells: what a trained tower does with speech is for speech to say.

#![allow(clippy::print_stdout, reason = "an example prints what it measured")]

use std::sync::Arc;
use std::time::Instant;

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::audio::{AudioTower, Clip, SAMPLE_RATE};
use lorgnette_runtime::{Error, ErrorKind, Result};

fn main() -> Result<()> {
    let usage = || Error::new(ErrorKind::Argument, "", "usage: audio MMPROJ.gguf [SECONDS] [ROUNDS]");
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or_else(usage)?;
    let numbers = args.map(|arg| arg.parse().map_err(|_| usage())).collect::<Result<Vec<usize>>>()?;
    let (seconds, rounds) = (numbers.first().copied().unwrap_or(10), numbers.get(1).copied().unwrap_or(3));
    let model = Arc::new(Gguf::open(path)?);
    let load = || AudioTower::load(Cpu, &model)?.ok_or_else(|| Error::missing("audio tower", "one"));
    let clip = noise(seconds * SAMPLE_RATE as usize)?;

    let tower = load()?;
    let whole = encoded(&tower, &clip, rounds)?;
    println!("as it is: {:.1} ms a second, {} tokens", whole.millis / seconds as f64, whole.rows());
    let token = tower.frames_of_token();
    for tokens in [1, 2, 4, 8, 16, 32, 64] {
        let Ok(tower) = load()?.with_blocks(tokens * token) else { break };
        let blocks = encoded(&tower, &clip, rounds)?;
        println!(
            "blocks of {} ms: {:.1} ms a second, drift {:.3}",
            10 * tokens * token,
            blocks.millis / seconds as f64,
            blocks.drift(&whole)
        );
    }
    Ok(())
}

struct Encoded {
    millis: f64,
    width: usize,
    values: Vec<f32>,
}

impl Encoded {
    fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Over the tokens that both have.
    fn drift(&self, from: &Self) -> f64 {
        let length =
            |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>();
        let distance = length(&mut self.values.iter().zip(&from.values).map(|(a, b)| a - b));
        (distance / length(&mut from.values.iter().copied())).sqrt()
    }
}

fn encoded(tower: &AudioTower<Cpu>, clip: &Clip, rounds: usize) -> Result<Encoded> {
    let mut best = Encoded { millis: f64::INFINITY, width: tower.width(), values: Vec::new() };
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        let rows = tower.encode(clip)?;
        best.millis = best.millis.min(start.elapsed().as_secs_f64() * 1e3);
        best.values = Cpu.download(rows)?;
    }
    Ok(best)
}

/// White noise under a swell of half a second.
fn noise(samples: usize) -> Result<Clip> {
    let mut state = 1_u32;
    let sample = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let swell = (i % 8000) as f32 / 8000.0;
        swell * (state as f32 / u32::MAX as f32 - 0.5)
    };
    Clip::new((0..samples).map(sample).collect())
}
