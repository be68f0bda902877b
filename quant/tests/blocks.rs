//! Blocks against ggml's encoder and the Python decoder. `golden/blocks.py` made the expectations and has the same
//! generator of inputs as this file.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking")]

mod common;

use std::collections::BTreeMap;

use common::blocks::{decode, encode};
use common::{Random, fnv1a};
use lorgnette_quant::{TensorType, block};
use serde::Deserialize;

const ROW: usize = 512;
const LEN: usize = 4 * ROW;
/// Three blocks of 32: fewer than are searched at once.
const SHORT_ROW: usize = 96;
const SHORT_LEN: usize = 20 * SHORT_ROW;
const RANDOM_BLOCKS: usize = 64;

/// Where the bytes differ from ggml's on purpose.
const DIVERGENT: &[(TensorType, &str)] = &[(TensorType::MXFP4, "denormal")];

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Golden {
    first_block: String,
    short_rows_weighted: Option<String>,
    random: String,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    encoded: String,
    weighted: String,
    decoded: String,
    rmse: Option<f64>,
}

#[test]
fn encoding_gives_the_bytes_of_ggml() -> Outcome {
    let columns = importance();
    for (ty, golden) in golden()? {
        for (kind, case) in golden.cases.iter().filter(|(kind, _)| !is_divergent(ty, kind)) {
            let values = input(kind);
            assert_eq!(fnv1a(&encode(ty, &values, ROW, None)?), case.encoded, "{ty} {kind}");
            assert_eq!(
                fnv1a(&encode(ty, &values, ROW, Some(&columns))?),
                case.weighted,
                "{ty} {kind}, weighted"
            );
        }
    }
    Ok(())
}

#[test]
fn short_rows_give_the_bytes_of_ggml() -> Outcome {
    let (values, columns) = (input("normal"), importance());
    for (ty, golden) in golden()? {
        let Some(expected) = golden.short_rows_weighted else { continue };
        let mut blocks = vec![0; SHORT_LEN / ty.block_len() * ty.block_bytes()];
        block::encode(ty, &values[..SHORT_LEN], SHORT_ROW, Some(&columns[..SHORT_ROW]), &mut blocks)?;
        assert_eq!(fnv1a(&blocks), expected, "{ty}");
    }
    Ok(())
}

#[test]
fn encoding_is_never_farther_off_than_ggml() -> Outcome {
    for (ty, golden) in golden()? {
        for (kind, case) in &golden.cases {
            let values = input(kind);
            let decoded = decode(ty, &encode(ty, &values, ROW, None)?)?;
            // Where ggml's is no number there is nothing to be farther off than.
            let Some(theirs) = case.rmse else { continue };
            let ours = rmse(&values, &decoded);
            assert!(ours <= theirs * (1.0 + 1e-9), "{ty} {kind}: {ours} over {theirs}");
        }
    }
    Ok(())
}

#[test]
fn decoding_gives_the_floats_of_the_reference() -> Outcome {
    for (ty, golden) in golden()? {
        for (kind, case) in golden.cases.iter().filter(|(kind, _)| !is_divergent(ty, kind)) {
            let decoded = decode(ty, &encode(ty, &input(kind), ROW, None)?)?;
            assert_eq!(float_hash(&decoded), case.decoded, "{ty} {kind}");
        }
        let mut random = Random(3);
        let blocks: Vec<u8> = (0..RANDOM_BLOCKS * ty.block_bytes()).map(|_| random.next() as u8).collect();
        assert_eq!(float_hash(&decode(ty, &blocks)?), golden.random, "{ty} random bytes");
    }
    Ok(())
}

#[test]
fn first_blocks_are_byte_for_byte_as_published() -> Outcome {
    for (ty, golden) in golden()? {
        let encoded = encode(ty, &input("normal"), ROW, None)?;
        let first: String = encoded[..ty.block_bytes()].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(first, golden.first_block, "{ty}");
    }
    Ok(())
}

fn golden() -> Result<Vec<(TensorType, Golden)>, Box<dyn std::error::Error>> {
    let formats: BTreeMap<String, Golden> = serde_json::from_str(include_str!("golden/blocks.json"))?;
    formats.into_iter().map(|(name, golden)| Ok((name.parse()?, golden))).collect()
}

fn is_divergent(ty: TensorType, kind: &str) -> bool {
    DIVERGENT.contains(&(ty, kind))
}

/// A near-normal number and a uniform one.
fn draw(random: &mut Random) -> (f64, f64) {
    let mut unit = || (random.next() >> 40) as f64 / f64::from(1 << 24);
    let sum: f64 = (0..12).map(|_| unit()).sum();
    (sum - 6.0, unit())
}

fn input(kind: &str) -> Vec<f32> {
    let mut random = Random(1);
    let element = |i: usize, normal: f64, unit: f64| match kind {
        "normal" => normal,
        "heavy" => normal * normal * normal / (unit + 1.0 / 64.0),
        "constant" => -0.375,
        "zeros" => 0.0,
        "denormal" => normal * 2_f64.powi(-133),
        "small" => normal * 2_f64.powi(-52),
        "large" => normal * 2_f64.powi(15),
        "outlier" if i.is_multiple_of(97) => normal * 1024.0,
        "outlier" => normal,
        "alternating" if i.is_multiple_of(2) => 1.0 + unit / 8.0,
        "alternating" => -1.0 - unit / 8.0,
        "positive" => 1.0 + unit,
        "signed zeros" if unit < 0.75 => 0_f64.copysign(normal),
        "signed zeros" => normal.abs(),
        "sparse" if unit < 0.875 => 0.0,
        "sparse" => normal,
        other => unreachable!("no generator for {other}"),
    };
    (0..LEN)
        .map(|i| {
            let (normal, unit) = draw(&mut random);
            element(i, normal, unit) as f32
        })
        .collect()
}

fn importance() -> Vec<f32> {
    let mut random = Random(2);
    (0..ROW)
        .map(|_| {
            let (normal, unit) = draw(&mut random);
            if unit < 0.125 { 0.0 } else { (normal * normal) as f32 }
        })
        .collect()
}

/// All NaN count as the same one.
fn float_hash(values: &[f32]) -> String {
    let canonical = |x: f32| if x.is_nan() { f32::from_bits(0x7fc0_0000) } else { x };
    fnv1a(&values.iter().flat_map(|&x| canonical(x).to_le_bytes()).collect::<Vec<_>>())
}

fn rmse(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    (squares / a.len() as f64).sqrt()
}
