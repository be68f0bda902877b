//! Agreement of the instruction levels.

use proptest::prelude::*;

use super::*;

fn formats() -> impl Strategy<Value = TensorType> {
    let known: Vec<_> = TensorType::ALL.iter().copied().filter(|&ty| can_encode(ty)).collect();
    prop::sample::select(known)
}

/// Finite floats of any magnitude, or of a usual one.
fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
    let any_finite = any::<f32>().prop_map(|x| if x.is_finite() { x } else { 0.0 });
    prop_oneof![prop::collection::vec(-1.0_f32..1.0, len), prop::collection::vec(any_finite, len)]
}

proptest! {
    #[test]
    fn every_level_encodes_the_same_bytes(ty in formats(), values in values(768), columns in values(256)) {
        let columns: Vec<f32> = columns.into_iter().map(f32::abs).collect();
        for importance in [None, Some(&columns[..])] {
            let encoded = |level| -> Result<Vec<u8>> {
                let mut out = vec![0; values.len() / ty.block_len() * ty.block_bytes()];
                encode_at(level, ty, &values, 256, importance, &mut out)?;
                Ok(out)
            };
            prop_assert!(encoded(Level::BASELINE)? == encoded(Level::best())?, "{ty}, {importance:?}");
        }
    }

    #[test]
    fn every_level_decodes_the_same_floats(ty in formats(), seed in prop::collection::vec(any::<u8>(), 300)) {
        let blocks: Vec<u8> = seed.iter().copied().cycle().take(5 * ty.block_bytes()).collect();
        let decoded = |level| -> Result<Vec<u32>> {
            let mut out = vec![0.0; 5 * ty.block_len()];
            decode_at(level, ty, &blocks, &mut out)?;
            Ok(out.into_iter().map(|x: f32| if x.is_nan() { f32::NAN } else { x }.to_bits()).collect())
        };
        prop_assert_eq!(decoded(Level::BASELINE)?, decoded(Level::best())?);
    }
}
