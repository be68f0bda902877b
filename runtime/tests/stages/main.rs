//! One suite of cases for every backend, against plain scalar loops.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "gpu")]
#[path = "../common/adapter.rs"]
mod adapter;
mod cases;
mod choices;
mod scalar;

use lorgnette_quant::TensorType;
use lorgnette_runtime::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use lorgnette_runtime::backend::gpu::Without;
use lorgnette_runtime::backend::{Backend, Heads, KvElement, Pairing, Sight};

#[cfg(feature = "gpu")]
use self::adapter::gpu;
use self::cases::{Attention, FORMATS};
use self::scalar::Scalar;

/// How far a backend may be from the scalar loops, relative to the length of the result.
#[derive(Clone, Copy)]
struct Bounds {
    /// Sums in f32, in another order.
    floats: f64,
    /// Activations rounded to 8 bits where weights are in blocks, and to f16 beside weights in f16.
    blocks: f64,
    /// Attention in f32, from keys whose projection is in f16.
    projections: f64,
    /// Keys and values in f16.
    halves: f64,
}

impl Bounds {
    const CPU: Self = Self { floats: 3e-5, blocks: 0.03, projections: 1e-3, halves: 2e-3 };
    #[cfg(feature = "gpu")]
    const GPU: Self = Self { floats: 3e-5, blocks: 3e-5, projections: 1e-4, halves: 2e-3 };

    fn of(self, ty: TensorType) -> f64 {
        if ty == TensorType::F32 { self.floats } else { self.blocks }
    }
}

fn assert_near(found: &[f32], expected: &[f32], bound: f64, case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}");
    let length = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let distance = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    let error = distance / length(&mut expected.iter().copied());
    assert!(error < bound, "{case}: {error}");
}

fn products<B: Backend>(backend: &B, formats: &[TensorType], bounds: Bounds) {
    for &ty in formats {
        let columns: &[usize] = match ty.block_len() {
            1 => &[46, 588],
            32 => &[32, 288],
            _ => &[256, 1536],
        };
        for (number, &columns) in columns.iter().enumerate() {
            for count in [1, 2, 9, 33] {
                let rows = 22 + 43 * number;
                let case = format!("{ty} {columns}x{rows}, {count} rows");
                let expected = cases::dense(&Scalar, ty, columns, rows, count);
                assert_near(
                    &cases::dense(backend, ty, columns, rows, count),
                    &expected,
                    bounds.of(ty),
                    &case,
                );
            }
        }
    }
    let expected = cases::dense(&Scalar, TensorType::Q8_0, 64, 70, 512);
    let found = cases::dense(backend, TensorType::Q8_0, 64, 70, 512);
    assert_near(&found, &expected, bounds.blocks, "512 rows");
}

fn gates<B: Backend>(backend: &B, formats: &[TensorType], bounds: Bounds) {
    for (index, &gate) in formats.iter().enumerate() {
        let up = formats[(index + 3) % formats.len()];
        let count = 1 + 4 * (index % 2);
        let case = format!("{gate} and {up}, {count} rows");
        let expected = cases::feed_forward(&Scalar, [gate, up], count);
        assert_near(&cases::feed_forward(backend, [gate, up], count), &expected, bounds.blocks, &case);
    }
}

fn attention<B: Backend>(backend: &B, bounds: Bounds) {
    let heads = |count, kv_count, len| Heads { count, kv_count, len };
    let turned = [
        (Some(Pairing::Neighbours), Sight::Causal),
        (Some(Pairing::Halves), Sight::Causal),
        (None, Sight::All),
    ];
    let shapes = [
        (heads(1, 1, 2), 0, 1),
        (heads(9, 3, 64), 5, 1),
        (heads(9, 3, 64), 255, 1),
        (heads(4, 1, 12), 255, 3),
        (heads(2, 2, 80), 300, 2),
        (heads(16, 1, 18), 513, 1),
        (heads(6, 2, 128), 33, 40),
        (heads(2, 1, 8), 4090, 6),
        (heads(4, 4, 80), 70, 33),
        (heads(16, 1, 18), 513, 5),
        (heads(3, 1, 256), 0, 35),
    ];
    for (number, (heads, before, count)) in shapes.into_iter().enumerate() {
        for (other, element) in [KvElement::F32, KvElement::F16].into_iter().enumerate() {
            let (pairing, sight) = turned[(number + other) % turned.len()];
            let norms = pairing == Some(Pairing::Halves);
            let case = Attention { heads, before, piece: 256, count, element, pairing, norms, sight };
            let bound = if element == KvElement::F16 { bounds.halves } else { bounds.projections };
            let expected = cases::attention(&Scalar, &case);
            assert_near(&cases::attention(backend, &case), &expected, bound, &format!("{case:?}"));
        }
    }
}

fn rows<B: Backend>(backend: &B, formats: &[TensorType], bounds: Bounds) {
    for &ty in formats {
        for width in [ty.block_len(), 3 * ty.block_len()] {
            let expected = cases::rows(&Scalar, ty, width);
            assert_near(
                &cases::rows(backend, ty, width),
                &expected,
                bounds.floats,
                &format!("{ty}, {width} wide"),
            );
        }
    }
}

fn logits<B: Backend>(backend: &B, formats: &[TensorType], bounds: Bounds) {
    for &ty in formats.iter().step_by(3) {
        for count in [1, 9] {
            let found = backend.download(cases::logits(backend, ty, count)).unwrap();
            let expected = Scalar.download(cases::logits(&Scalar, ty, count)).unwrap();
            assert_near(&found, &expected, bounds.of(ty), &format!("{ty}, {count} rows"));
        }
    }
}

fn all<B: Backend>(backend: &B, formats: &[TensorType], bounds: Bounds) {
    rows(backend, formats, bounds);
    products(backend, formats, bounds);
    gates(backend, formats, bounds);
    attention(backend, bounds);
    logits(backend, formats, bounds);
    choices::all(backend);
}

#[test]
fn the_processor_computes_every_stage() {
    all(&Cpu, FORMATS, Bounds::CPU);
}

#[test]
#[cfg(feature = "gpu")]
fn the_gpu_computes_every_stage() {
    let Some(gpu) = gpu(Without::default()) else { return };
    all(&gpu, FORMATS, Bounds::GPU);
}

#[test]
#[cfg(feature = "gpu")]
fn a_gpu_without_subgroups_computes_every_stage() {
    let Some(gpu) = gpu(Without { subgroups: true, ..Without::default() }) else { return };
    assert_eq!(gpu.traits().subgroups, None);
    // How blocks are decoded does not depend on it.
    let formats = [TensorType::F32, TensorType::F16, TensorType::Q4_0, TensorType::Q6_K];
    all(&gpu, &formats, Bounds::GPU);
}

#[test]
#[cfg(feature = "gpu")]
fn what_cannot_be_bound_at_once_is_bound_in_parts() {
    let Some(gpu) = gpu(Without { bindings_above: Some(1 << 15), ..Without::default() }) else { return };
    for ty in [TensorType::F32, TensorType::F16, TensorType::Q5_0, TensorType::Q6_K] {
        let expected = Scalar.download(cases::logits(&Scalar, ty, 2)).unwrap();
        let before = gpu.counters();
        let found = gpu.download(cases::logits(&gpu, ty, 2)).unwrap();
        assert_near(&found, &expected, Bounds::GPU.blocks, &format!("{ty}"));
        assert!((gpu.counters() - before).dispatches > 8, "it was in parts");
    }
    let expected = cases::dense(&Scalar, TensorType::F16, 588, 44, 1);
    assert_near(
        &cases::dense(&gpu, TensorType::F16, 588, 44, 1),
        &expected,
        Bounds::GPU.blocks,
        "with a bias",
    );
}
