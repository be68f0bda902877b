//! What the tests of the front ends share.

use std::error::Error;
use std::path::PathBuf;

use lorgnette_runtime::ErrorKind;
use serde::de::DeserializeOwned;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// One part of `golden/front_ends.json`, which `golden/front_ends.py` wrote.
pub(crate) fn golden<T: DeserializeOwned>(part: &str) -> Result<T, Box<dyn Error>> {
    let text = std::fs::read_to_string(golden_dir().join("front_ends.json"))?;
    let mut whole: serde_json::Value = serde_json::from_str(&text)?;
    Ok(serde_json::from_value(whole[part].take())?)
}

/// An encoded picture beside it.
pub(crate) fn golden_file(name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(std::fs::read(golden_dir().join("front_ends").join(name))?)
}

fn golden_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Whether an error about a file says what is wrong with the file.
pub(crate) fn is_typed(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Truncated | ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Missing)
}

/// `file` with one to eight bits of it flipped.
pub(crate) fn flipped(file: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut damaged = file.to_vec();
    for _ in 0..=next() % 8 {
        let bit = next() % (8 * file.len());
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
    damaged
}
