//! What holds for every block format, whatever the values.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking")]

mod common;

use common::blocks::{decode, encode};
use lorgnette_quant::{ErrorKind, TensorType, block};
use proptest::prelude::*;

const ROW: usize = 256;

/// Half a step of an f16 below 2^-14 is 2^-25, and up to 2^12 times a scale make an element.
const FINEST: f32 = 1.0 / 8192.0;

fn formats() -> impl Strategy<Value = TensorType> {
    let known: Vec<_> = TensorType::ALL.iter().copied().filter(|&ty| block::can_encode(ty)).collect();
    prop::sample::select(known)
}

/// Rows of values around one magnitude.
fn values() -> impl Strategy<Value = Vec<f32>> {
    (-6_i32..12).prop_flat_map(|exponent| {
        let largest = 2_f32.powi(exponent);
        prop::collection::vec(-largest..largest, 2 * ROW)
    })
}

/// The largest error an element may have, in parts of the largest magnitude of its block.
fn error_bound(ty: TensorType) -> f32 {
    match ty {
        TensorType::F32 | TensorType::F64 => 0.0,
        TensorType::F16 => 1e-3,
        TensorType::BF16 => 4e-3,
        TensorType::Q8_0 | TensorType::Q8_K => 0.01,
        TensorType::Q6_K => 0.06,
        TensorType::Q5_0 | TensorType::Q5_1 | TensorType::Q5_K => 0.13,
        TensorType::Q4_0 | TensorType::Q4_1 | TensorType::Q4_K => 0.2,
        TensorType::IQ4_NL | TensorType::IQ4_XS => 0.25,
        TensorType::MXFP4 => 0.34,
        TensorType::Q3_K => 0.5,
        _ => 0.8,
    }
}

proptest! {
    #[test]
    fn a_round_trip_stays_near(ty in formats(), values in values()) {
        let decoded = decode(ty, &encode(ty, &values, ROW, None)?)?;
        let blocks = values.chunks(ty.block_len()).zip(decoded.chunks(ty.block_len()));
        for (values, decoded) in blocks {
            let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let bound = error_bound(ty) * largest + FINEST;
            for (x, y) in values.iter().zip(decoded) {
                prop_assert!((x - y).abs() <= bound, "{ty}: {x} became {y}, bound {bound}");
            }
        }
    }

    #[test]
    fn any_bytes_decode(ty in formats(), seed in prop::collection::vec(any::<u8>(), 1..400)) {
        let blocks: Vec<u8> = seed.iter().copied().cycle().take(3 * ty.block_bytes()).collect();
        decode(ty, &blocks)?;
        let _ = block::validate(ty, &blocks);
    }

    #[test]
    fn any_floats_encode_or_are_refused(ty in formats(), bits in prop::collection::vec(any::<u32>(), ROW)) {
        let values: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        let refused = encode(ty, &values, ROW, None).is_err();
        let finite = values.iter().all(|x| x.is_finite());
        prop_assert_eq!(refused, ty.is_quantized() && !finite);
        let finite: Vec<f32> = values.iter().map(|x| if x.is_finite() { *x } else { 1.0 }).collect();
        encode(ty, &finite, ROW, None)?;
        encode(ty, &finite, ROW, Some(&finite.iter().map(|x| x.abs()).collect::<Vec<_>>()))?;
    }

    #[test]
    fn finite_encodings_validate(ty in formats(), values in values()) {
        block::validate(ty, &encode(ty, &values, ROW, None)?)?;
    }

    #[test]
    fn lengths_that_do_not_match_are_refused(ty in formats(), excess in 1_usize..8) {
        let values = vec![1.0; 2 * ROW];
        let bytes = values.len() / ty.block_len() * ty.block_bytes();
        let kind = |result: lorgnette_quant::Result<()>| result.err().map(|error| error.kind());
        let refused = Some(ErrorKind::Argument);
        let columns = vec![1.0; ROW + excess];
        prop_assert_eq!(kind(block::encode(ty, &values, ROW, None, &mut vec![0; bytes + excess])), refused);
        prop_assert_eq!(kind(block::encode(ty, &values, ROW, Some(&columns), &mut vec![0; bytes])), refused);
        prop_assert_eq!(kind(block::encode(ty, &values, 3 * ROW, None, &mut vec![0; bytes])), refused);
        prop_assert_eq!(kind(block::encode(ty, &values, 0, None, &mut vec![0; bytes])), refused);
        prop_assert_eq!(kind(block::decode(ty, &vec![0; bytes], &mut vec![0.0; values.len() + excess])), refused);
    }
}

#[test]
fn importance_lowers_the_weighted_error() -> Result<(), Box<dyn std::error::Error>> {
    let searched = [
        TensorType::Q4_0,
        TensorType::Q4_1,
        TensorType::Q5_0,
        TensorType::Q5_1,
        TensorType::Q2_K,
        TensorType::Q3_K,
        TensorType::Q4_K,
        TensorType::Q5_K,
        TensorType::Q6_K,
        TensorType::IQ4_NL,
        TensorType::IQ4_XS,
    ];
    // Low-discrepancy numbers in place of random ones.
    let spread = |i: usize, step: f64| (i as f64 * step).fract();
    let values: Vec<f32> =
        (0..64 * ROW).map(|i| (spread(i, 0.618_034) - spread(i, 0.414_214)) as f32).collect();
    let columns: Vec<f32> = (0..ROW).map(|i| spread(i, 0.732_051).powi(6) as f32).collect();
    for ty in searched {
        let error = |importance: Option<&[f32]>| -> lorgnette_quant::Result<f64> {
            let decoded = decode(ty, &encode(ty, &values, ROW, importance)?)?;
            let errors = values.iter().zip(decoded).zip(columns.iter().cycle());
            Ok(errors.map(|((x, y), w)| f64::from(w * (x - y) * (x - y))).sum())
        };
        let (weighted, plain) = (error(Some(&columns))?, error(None)?);
        assert!(weighted < plain, "{ty}: {weighted} with importance, {plain} without");
    }
    Ok(())
}

#[test]
fn what_cannot_be_encoded_is_named() {
    let mut values = [1.0; 2 * ROW];
    let message = |values: &[f32], importance: Option<&[f32]>| {
        encode(TensorType::Q4_K, values, ROW, importance).err().map(|error| error.to_string())
    };
    let mut columns = [1.0; ROW];
    columns[5] = -1.0;
    let refusal = "Q4_K: importance of column 5 is not a finite number from zero up";
    assert_eq!(message(&values, Some(&columns)).as_deref(), Some(refusal));
    values[ROW + 3] = f32::NAN;
    let refusal = "Q4_K: found NaN at row 1, column 3, expected finite values";
    assert_eq!(message(&values, None).as_deref(), Some(refusal));
}

#[test]
fn infinite_scales_are_found() -> lorgnette_quant::Result<()> {
    let mut blocks = encode(TensorType::Q4_0, &[1.0; 2 * ROW], ROW, None)?;
    blocks[18 * 3..][..2].copy_from_slice(&0x7c00_u16.to_le_bytes());
    let error = block::validate(TensorType::Q4_0, &blocks).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("Q4_0 block 3: found an infinity or NaN, expected finite scales"));
    Ok(())
}
