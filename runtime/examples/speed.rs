//! Tokens a second of a language model: `speed MODEL.gguf [PREFILL] [DECODE] [ROUNDS]`, the best of all rounds.

#![allow(clippy::print_stdout, reason = "an example prints what it measured")]

use std::sync::Arc;
use std::time::Instant;

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::decoder::{Decoder, Wanted};
use lorgnette_runtime::{Error, ErrorKind, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = || Error::new(ErrorKind::Argument, "", "usage: speed MODEL.gguf [PREFILL] [DECODE] [ROUNDS]");
    let path = args.next().ok_or_else(usage)?;
    let counts = args.map(|arg| arg.parse().map_err(|_| usage())).collect::<Result<Vec<usize>>>()?;
    let count = |i: usize, default| counts.get(i).copied().unwrap_or(default);
    let (prefill, decode, rounds) = (count(0, 512), count(1, 64), count(2, 5));
    let model = Decoder::load(Cpu, &Arc::new(Gguf::open(&path)?))?;
    let (mut prefill_speed, mut decode_speed) = (0_f64, 0_f64);
    for _ in 0..rounds {
        prefill_speed = prefill_speed.max(speed(&model, prefill, prefill)?);
        decode_speed = decode_speed.max(speed(&model, decode, 1)?);
    }
    println!("prefill {prefill}: {prefill_speed:.1} tok/s, decode {decode}: {decode_speed:.1} tok/s");
    Ok(())
}

/// Of `count` tokens, `step` at a time, from an empty sequence on.
fn speed(model: &Decoder<Cpu>, count: usize, step: usize) -> Result<f64> {
    let vocabulary = model.config().vocabulary;
    let tokens: Vec<TokenId> = (0..count).map(|i| (i * 7919 % vocabulary) as TokenId).collect();
    let mut sequence = model.sequence(count)?;
    let start = Instant::now();
    for tokens in tokens.chunks(step.max(1)) {
        model.forward(&mut sequence, tokens, Wanted::Last)?;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
