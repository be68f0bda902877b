//! Importance matrices: two formats, one meaning.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::folder::{Folder, mix, write};
use common::{Random, tensor};
use lorgnette_quant::gguf::{Gguf, Metadata};
use lorgnette_quant::quantize::{Importance, Mix, Options, quantize};
use lorgnette_quant::{TensorType, block};

/// One importance matrix in both of llama-imatrix's formats: sums of `calls` tokens for `name`.
fn imatrix_files(folder: &Folder, name: &str, means: &[f32], calls: f32) -> [PathBuf; 2] {
    let sums: Vec<u8> = means.iter().flat_map(|m| (m * calls).to_le_bytes()).collect();
    let mut metadata = Metadata::new();
    metadata.set("general.type", "imatrix");
    metadata.set("imatrix.datasets", ["text"].iter().collect::<lorgnette_quant::gguf::Strings>());
    metadata.set("imatrix.chunk_count", 3u32);
    metadata.set("imatrix.chunk_size", 512u32);
    let new = folder.dir.path().join("imatrix.gguf");
    let tensors = [
        (tensor(&format!("{name}.in_sum2"), &[means.len(), 1], TensorType::F32), sums.clone()),
        (tensor(&format!("{name}.counts"), &[1, 1], TensorType::F32), calls.to_le_bytes().to_vec()),
    ];
    write(&new, &metadata, &tensors);

    let old = folder.dir.path().join("imatrix.dat");
    let mut bytes = 1u32.to_le_bytes().to_vec();
    bytes.extend((name.len() as u32).to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend((calls as u32).to_le_bytes());
    bytes.extend((means.len() as u32).to_le_bytes());
    bytes.extend(sums);
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(4u32.to_le_bytes());
    bytes.extend(b"text");
    fs::write(&old, bytes).unwrap();
    [new, old]
}

const Q: &str = "blk.0.attn_q.weight";

fn random_rows() -> Folder {
    let mut random = Random(3);
    let values: Vec<f32> = (0..256 * 16).map(|_| random.normal()).collect();
    Folder::with_one(Q, &[256, 16], &values)
}

#[test]
fn both_importance_formats_say_the_same_and_lower_the_weighted_error() {
    let folder = random_rows();
    let means: Vec<f32> = (0..256).map(|i| if i % 8 == 0 { 64.0 } else { 0.25 }).collect();
    let weighted_error = |options: &Options| {
        quantize(&folder.input, &folder.output, options, &()).unwrap();
        let (before, after) = (Gguf::open(&folder.input).unwrap(), Gguf::open(&folder.output).unwrap());
        let mut values = [vec![0.0; 4096], vec![0.0; 4096]];
        for (model, values) in [&before, &after].iter().zip(&mut values) {
            let view = model.tensor(Q).unwrap();
            block::decode(view.info.ty(), view.data, values).unwrap();
        }
        (0..4096).map(|i| f64::from((values[0][i] - values[1][i]).powi(2) * means[i % 256])).sum::<f64>()
    };
    for to in [Mix::Q4_0, Mix::Q4_1, Mix::Q5_0, Mix::Q4_K_M, Mix::Q5_K_M, Mix::Q6_K] {
        let plain = weighted_error(&mix(to));
        let mut files = Vec::new();
        for path in imatrix_files(&folder, Q, &means, 4.0) {
            let options = Options { importance: Some(Importance::open(&path).unwrap()), ..mix(to) };
            assert!(weighted_error(&options) < plain, "{to}");
            let model = Gguf::open(&folder.output).unwrap();
            assert_eq!(model.metadata().require::<u32>("quantize.imatrix.chunks_count").unwrap(), 3);
            assert_eq!(model.metadata().require::<&str>("quantize.imatrix.dataset").unwrap(), "text");
            files.push(model.tensor(Q).unwrap().data.to_vec());
        }
        assert_eq!(files[0], files[1], "{to}");
    }
}

#[test]
fn a_wrong_importance_matrix_is_named() {
    let folder = random_rows();
    let error_of = |means: &[f32]| -> Vec<String> {
        let open_and_use = |path: &PathBuf| {
            let importance = Some(Importance::open(path)?);
            quantize(&folder.input, &folder.output, &Options { importance, ..mix(Mix::Q4_0) }, &())
        };
        imatrix_files(&folder, Q, means, 4.0)
            .iter()
            .map(|p| open_and_use(p).unwrap_err().to_string())
            .collect()
    };
    for error in error_of(&[1.0; 128]) {
        assert!(
            error.ends_with(&format!("in.gguf: tensor {Q:?} importance: found 128 columns, expected 256")),
            "{error}"
        );
    }
    for bad in [f32::NAN, f32::INFINITY, -1.0] {
        let mut means = [1.0; 256];
        means[9] = bad;
        for error in error_of(&means) {
            assert!(error.contains("imatrix.") && error.contains("finite numbers not below 0"), "{error}");
        }
    }
}

#[test]
fn a_broken_importance_matrix_is_an_error_at_every_length() {
    let folder = random_rows();
    let [new, old] = imatrix_files(&folder, Q, &[1.0; 256], 4.0);
    let cut = folder.dir.path().join("cut");
    let (new, old) = (fs::read(new).unwrap(), fs::read(old).unwrap());
    // The last 28 bytes of the first are padding. The second may end before the count of chunks, and after it.
    let whole_at = [new.len() - 28, old.len() - 12, old.len() - 8];
    for (bytes, end) in [(&new, whole_at[0]), (&old, old.len())] {
        for len in (0..end).filter(|len| bytes == &new || !whole_at.contains(len)) {
            fs::write(&cut, &bytes[..len]).unwrap();
            let error = Importance::open(&cut).err().unwrap_or_else(|| panic!("{len} bytes were enough"));
            assert!(!error.field().is_empty(), "{error}");
        }
    }
}
