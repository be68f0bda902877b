//! Faults at random: whatever comes, there is an answer, and what was shown is what was answered.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use lorgnette_runtime::mode::contemplating::Source;
use tokio::task::JoinSet;

use crate::faults::faults;
use crate::server::Server;
use crate::wearer::{DRAFT, Wearer, good, written};

/// The next of a row of numbers (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[tokio::test]
async fn whatever_comes_there_is_an_answer() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = std::env::var("LORGNETTE_SEED").map_or(now, |seed| seed.parse().unwrap());
    eprintln!("LORGNETTE_SEED={seed}");
    (0..12).map(|round| answered(seed.wrapping_add(round))).collect::<JoinSet<()>>().join_all().await;
}

async fn answered(seed: u64) {
    let state = Mutex::new(seed);
    let server = Server::start(move |seen, _| {
        let mut state = state.lock().unwrap();
        let faults = faults();
        match next(&mut state) % 4 {
            0 => faults[next(&mut state) as usize % faults.len()].0.clone(),
            _ => good(seen),
        }
    })
    .await;
    let budget = "[budget]\nseconds = 4\nagent_seconds = 1";
    let (outcome, _) = Wearer::new(&[server.port], budget, "").ask(&written()).await;
    match outcome.source {
        Source::Device { .. } => assert_eq!(outcome.text, DRAFT),
        Source::Cloud { .. } => assert!(!outcome.text.is_empty()),
    }
}
