//! Which of the ways to multiply an adapter may know.

use std::collections::HashSet;

use super::adapter::Traits;
use super::format::Format;
use super::product::{Numbers, Variant};

/// All ways to multiply weights of that format which the adapter may know, the one that is likely to be fastest first.
pub(super) fn candidates(traits: &Traits, format: Format, count: usize) -> Vec<Variant> {
    let mut all = vec![variant(traits, count)];
    if traits.subgroups.is_some_and(|(least, _)| least >= 8) {
        all.push(Variant::Lane { group: 8, rows: 2, tokens: if count == 1 { 1 } else { 8 } });
    }
    let fixed = traits.subgroups.and_then(|(least, most)| (least == most).then_some(least));
    if count == 1 {
        let threads = fixed.filter(|threads| (8..=64).contains(threads));
        all.extend(threads.map(|threads| Variant::Wide { group: 64, threads, subgroups: true }));
        all.push(Variant::Wide { group: 64, threads: 16, subgroups: false });
    } else {
        let levels = format.has_levels().then_some(Numbers::Levels);
        let halves = traits.f16.then_some(Numbers::Halves);
        let numbers = [Some(Numbers::Floats), levels, halves];
        all.extend(numbers.into_iter().flatten().map(|numbers| Variant::Tile { numbers }));
        let both = traits.cooperative_matrices.zip(fixed);
        all.extend(both.map(|(side, group)| Variant::Cooperative { group, side }));
    }
    let mut seen = HashSet::new();
    all.retain(|way| seen.insert(*way));
    all
}

/// Those of them that may be fastest there: a program has no use for smaller numbers.
pub(super) fn promising(traits: &Traits, format: Format, count: usize) -> Vec<Variant> {
    let mut all = candidates(traits, format, count);
    all.retain(|way| !(traits.software && way.rounds()));
    all
}

/// The way that is likely to be fastest on this adapter.
fn variant(traits: &Traits, count: usize) -> Variant {
    match traits.subgroups {
        Some((least, _)) if traits.software && least >= 8 => {
            Variant::Lane { group: 8, rows: 2, tokens: if count == 1 { 1 } else { 8 } }
        }
        _ if count > 1 => Variant::Tile { numbers: Numbers::Floats },
        Some((least, most)) if least == most && least <= 64 => {
            Variant::Wide { group: 64, threads: least, subgroups: true }
        }
        _ => Variant::Wide { group: 64, threads: 16, subgroups: false },
    }
}
