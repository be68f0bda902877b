//! Files that nobody vouches for, quantized and edited: refused by a typed error, or done right.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Random, Raw, flipped, sample};
use lorgnette_quant::gguf::{Gguf, set_metadata};
use lorgnette_quant::quantize::{Importance, Mix, Options, parse_override, quantize};

/// An importance matrix for the tensor `up` of the sample, in llama-imatrix's older format.
fn imatrix() -> Vec<u8> {
    let weights: Vec<u8> = (1..=32).flat_map(|i| (i as f32).to_le_bytes()).collect();
    Raw::default().u32(1).u32(2).bytes(b"up").u32(1).u32(32).bytes(&weights).u32(1).u32(1).bytes(b"t").0
}

#[test]
fn broken_files_and_matrices_never_break_the_quantizer() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.gguf"), dir.path().join("out.gguf"));
    let (model, matrix) = (sample(3), imatrix());
    let mut random = Random(11);
    for round in 0..800 {
        fs::write(&input, if round % 2 == 0 { flipped(&model, &mut random) } else { model.clone() }).unwrap();
        let matrix = if round % 2 == 1 { flipped(&matrix, &mut random) } else { matrix.clone() };
        let run = || {
            let importance = Some(Importance::from_bytes(matrix, "matrix".into())?);
            let overrides = vec![parse_override(".=q4_0")?];
            let options =
                Options { importance, overrides, allow_requantize: true, threads: 1, ..Options::default() };
            quantize(&input, &output, &options, &())
        };
        if let Err(error) = run() {
            assert!(!error.field().is_empty(), "round {round}: {error}");
        }
    }
}

#[test]
fn a_matrix_for_other_dimensions_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.gguf"), dir.path().join("out.gguf"));
    let keys = Raw::header(3, 1, 0);
    fs::write(&input, keys.tensor("up.weight", &[32, 2, 1, 2], 0, 0).data(32, 512)).unwrap();
    let weights: Vec<u8> = [1f32; 32].iter().flat_map(|w| w.to_le_bytes()).collect();
    let matrix = Raw::default().u32(1).u32(9).bytes(b"up.weight").u32(1).u32(32).bytes(&weights).0;
    let importance = Some(Importance::from_bytes(matrix, "matrix".into()).unwrap());
    let options = Options { mix: Mix::Q4_0, importance, ..Options::default() };
    let error = quantize(&input, &output, &options, &()).unwrap_err();
    assert_eq!(error.field(), "tensor \"up.weight\" importance");
}

#[test]
fn impossible_layers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.gguf"), dir.path().join("out.gguf"));
    let model = |block_count: (u32, &[u8]), name: &str| {
        Raw::header(3, 1, 3)
            .key("general.architecture", 8, &Raw::default().string("llama").0)
            .key("llama.expert_count", 4, &2u32.to_le_bytes())
            .key("llama.block_count", block_count.0, block_count.1)
            .tensor(name, &[32, 1], 0, 0)
            .data(32, 128)
    };
    let field = |bytes: Vec<u8>| {
        fs::write(&input, bytes).unwrap();
        let options = Options { mix: Mix::Q4_K_M, ..Options::default() };
        quantize(&input, &output, &options, &()).unwrap_err().field().to_owned()
    };
    assert_eq!(field(model((10, &u64::MAX.to_le_bytes()), "blk.0.ffn_down.weight")), "llama.block_count");
    let far = "blk.4611686018427387904.ffn_down.weight";
    assert_eq!(field(model((4, &u32::MAX.to_le_bytes()), far)), format!("tensor {far:?} layer"));
}

#[test]
fn broken_files_are_never_edited() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    let whole = sample(3);
    let mut random = Random(12);
    for round in 0..400 {
        let bytes = flipped(&whole, &mut random);
        fs::write(&path, &bytes).unwrap();
        let value = if round % 2 == 0 { "x" } else { "a longer text that moves the data" };
        let edited = set_metadata(&path, |metadata| {
            metadata.set("general.name", value);
            Ok(())
        });
        match edited {
            Ok(_) => assert!(Gguf::open(&path).is_ok(), "round {round}"),
            Err(_) => assert!(fs::read(&path).unwrap() == bytes, "round {round}"),
        }
    }
}

#[test]
fn a_header_without_padding_can_be_edited() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    fs::write(&path, Raw::header(3, 0, 0).0).unwrap();
    set_metadata(&path, |metadata| {
        metadata.set("k", 1u32);
        Ok(())
    })
    .unwrap();
    assert_eq!(Gguf::open(&path).unwrap().metadata().require::<u32>("k").unwrap(), 1);
}
