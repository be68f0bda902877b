//! Blocks decode to the same floats as in candle-core, which will run them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use lorgnette_quant::{TensorType, block};

const TYPES: &[(TensorType, GgmlDType)] = &[
    (TensorType::F32, GgmlDType::F32),
    (TensorType::F16, GgmlDType::F16),
    (TensorType::BF16, GgmlDType::BF16),
    (TensorType::Q4_0, GgmlDType::Q4_0),
    (TensorType::Q4_1, GgmlDType::Q4_1),
    (TensorType::Q5_0, GgmlDType::Q5_0),
    (TensorType::Q5_1, GgmlDType::Q5_1),
    (TensorType::Q8_0, GgmlDType::Q8_0),
    (TensorType::Q2_K, GgmlDType::Q2K),
    (TensorType::Q3_K, GgmlDType::Q3K),
    (TensorType::Q4_K, GgmlDType::Q4K),
    (TensorType::Q5_K, GgmlDType::Q5K),
    (TensorType::Q6_K, GgmlDType::Q6K),
    (TensorType::Q8_K, GgmlDType::Q8K),
];

const ROWS: usize = 64;
const ROW: usize = 512;

/// Numbers of both signs and many sizes, from a Weyl sequence.
fn values() -> Vec<f32> {
    let fraction = |i: usize, step: f64| (i as f64 * step).fract() as f32 - 0.5;
    (0..ROWS * ROW)
        .map(|i| fraction(i, 0.618_033_988_749_894_9) * (8.0 * fraction(i / 32, 0.754_877_666)).exp2())
        .collect()
}

#[test]
fn blocks_decode_as_in_candle() {
    let values = values();
    for &(ty, dtype) in TYPES {
        let mut blocks = vec![0; ty.bytes_for(values.len()).unwrap()];
        block::encode(ty, &values, ROW, None, &mut blocks).unwrap();
        let mut ours = vec![0.0; values.len()];
        block::decode(ty, &blocks, &mut ours).unwrap();

        let storage = QStorage::from_data(Cow::Owned(blocks), &Device::Cpu, dtype).unwrap();
        let theirs = QTensor::new(storage, (ROWS, ROW)).unwrap().dequantize(&Device::Cpu).unwrap();
        let theirs: Vec<f32> = theirs.flatten_all().unwrap().to_vec1().unwrap();
        let differ = ours.iter().zip(&theirs).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        assert_eq!(differ, 0, "{ty}: {differ} of {} floats differ", ours.len());
    }
}
