//! Whole files, quantized.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::folder::{Folder, mix, write};
use common::{Random, fnv1a_words, tensor};
use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, shard_path};
use lorgnette_quant::quantize::{Mix, Options, parse_override, quantize};
use lorgnette_quant::{ErrorKind, Progress, TensorType, block};

const WIDTH: usize = 256;
const KV_WIDTH: usize = 128;
const FEED_FORWARD: usize = 288;
const LAYERS: usize = 9;
const VOCAB: usize = 64;

type Tensors = Vec<(TensorInfo, Vec<u8>)>;

/// The model of `golden/quantize.py`, to the byte.
fn model() -> (Metadata, Tensors) {
    let mut metadata = Metadata::new();
    metadata.set("general.architecture", "llama");
    for (key, value) in [
        ("context_length", 128),
        ("embedding_length", WIDTH),
        ("block_count", LAYERS),
        ("feed_forward_length", FEED_FORWARD),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ] {
        metadata.set(format!("llama.{key}"), value as u32);
    }
    metadata.set("llama.attention.layer_norm_rms_epsilon", 1e-5f32);

    let mut random = Random(7);
    let mut tensors = Vec::new();
    let mut put = |name: String, dims: &[usize]| {
        let values = (0..dims.iter().product()).flat_map(|_| random.normal().to_le_bytes()).collect();
        tensors.push((tensor(&name, dims, TensorType::F32), values));
    };
    put("token_embd.weight".into(), &[WIDTH, VOCAB]);
    put("output_norm.weight".into(), &[WIDTH]);
    for i in 0..LAYERS {
        put(format!("blk.{i}.attn_norm.weight"), &[WIDTH]);
        put(format!("blk.{i}.attn_q.weight"), &[WIDTH, WIDTH]);
        put(format!("blk.{i}.attn_k.weight"), &[WIDTH, KV_WIDTH]);
        put(format!("blk.{i}.attn_v.weight"), &[WIDTH, KV_WIDTH]);
        put(format!("blk.{i}.attn_output.weight"), &[WIDTH, WIDTH]);
        put(format!("blk.{i}.ffn_norm.weight"), &[WIDTH]);
        put(format!("blk.{i}.ffn_gate.weight"), &[WIDTH, FEED_FORWARD]);
        put(format!("blk.{i}.ffn_up.weight"), &[WIDTH, FEED_FORWARD]);
        put(format!("blk.{i}.ffn_down.weight"), &[FEED_FORWARD, WIDTH]);
    }
    (metadata, tensors)
}

#[test]
fn every_mix_is_llama_quantizes_to_the_byte() {
    let golden: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(include_str!("golden/quantize.json")).unwrap();
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    assert_eq!(golden.len(), 12);
    for (name, hash) in golden {
        quantize(&folder.input, &folder.output, &mix(name.parse().unwrap()), &()).unwrap();
        assert_eq!(fnv1a_words(&fs::read(&folder.output).unwrap()), hash.as_str().unwrap(), "{name}");
    }
}

#[test]
fn the_report_says_what_the_files_say() {
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    let report = quantize(&folder.input, &folder.output, &mix(Mix::Q4_K_M), &()).unwrap();
    let (before, after) = (Gguf::open(&folder.input).unwrap(), Gguf::open(&folder.output).unwrap());
    let mut squared_sum = 0.0;
    for (reported, written) in report.tensors.iter().zip(after.tensors()) {
        let info = written.info;
        assert_eq!((reported.name.as_str(), reported.to), (info.name(), info.ty().name()));
        let decode = |model: &Gguf| {
            let view = model.tensor(info.name()).unwrap();
            let mut values = vec![0.0; info.shape().elements()];
            block::decode(view.info.ty(), view.data, &mut values).unwrap();
            values
        };
        let (a, b) = (decode(&before), decode(&after));
        let squared = |range: std::ops::Range<usize>| -> f64 {
            range.map(|i| (f64::from(a[i]) - f64::from(b[i])).powi(2)).sum()
        };
        let len = a.len();
        assert!((reported.rmse - (squared(0..len) / len as f64).sqrt()).abs() < 1e-6, "{}", info.name());
        squared_sum += squared(0..len);
        let block = info.ty().block_len().max(32);
        let worst = (0..len / block).map(|i| squared(i * block..(i + 1) * block)).fold(0.0, f64::max);
        match reported.worst_block {
            Some(found) => {
                let there = squared(found.index * block..(found.index + 1) * block);
                assert!((there - worst).abs() <= worst * 1e-5, "{} at {}", info.name(), found.index);
            }
            None => assert_eq!(worst, 0.0, "{}", info.name()),
        }
    }
    let totals = report.totals;
    assert!((totals.rmse - (squared_sum / totals.weights as f64).sqrt()).abs() < 1e-6);
    assert_eq!(totals.bytes_out, after.tensors().map(|t| t.data.len()).sum::<usize>());
    assert_eq!(totals.fallbacks, LAYERS, "rows of 288 are no blocks of 256");
    let down = report.tensors.iter().find(|t| t.name == "blk.0.ffn_down.weight").unwrap();
    assert_eq!((down.to, down.instead_of), ("Q8_0", Some("Q6_K")));
    assert!(report.to_string().contains("(instead of Q6_K)"));
}

#[test]
fn shards_give_what_one_file_gives() {
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    let stem = folder.dir.path().join("split");
    for (no, part) in tensors.chunks(tensors.len().div_ceil(3)).enumerate() {
        let mut keys = if no == 0 { metadata.clone() } else { Metadata::new() };
        keys.set("split.no", no as u16);
        keys.set("split.count", 3u16);
        keys.set("split.tensors.count", tensors.len() as i32);
        write(&shard_path(&stem, no as u16, 3), &keys, part);
    }
    quantize(&folder.input, &folder.output, &mix(Mix::Q4_0), &()).unwrap();
    let whole = fs::read(&folder.output).unwrap();
    quantize(&shard_path(&stem, 0, 3), &folder.output, &mix(Mix::Q4_0), &()).unwrap();
    assert!(fs::read(&folder.output).unwrap() == whole);
}

#[test]
fn threads_do_not_change_the_file() {
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    let run = |threads: usize| {
        let report =
            quantize(&folder.input, &folder.output, &Options { threads, ..mix(Mix::Q4_K_S) }, &()).unwrap();
        (fs::read(&folder.output).unwrap(), serde_json::to_string(&report).unwrap())
    };
    assert!(run(1) == run(3));
}

#[test]
fn overrides_win_over_the_mix() {
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    let overrides = ["ATTN_V=q8_0", r"blk\.[0-3]\.attn_q=Q2_K", r"blk\.3\.attn_q=Q6_K", "attn_v=q6_k"];
    let overrides = overrides.iter().map(|text| parse_override(text).unwrap()).collect();
    let options = Options { overrides, ..mix(Mix::Q4_0) };
    quantize(&folder.input, &folder.output, &options, &()).unwrap();
    let model = Gguf::open(&folder.output).unwrap();
    let ty = |name: &str| model.tensor(name).unwrap().info.ty();
    assert_eq!(ty("blk.5.attn_v.weight"), TensorType::Q8_0);
    assert_eq!(ty("blk.3.attn_q.weight"), TensorType::Q2_K);
    assert_eq!(ty("blk.4.attn_q.weight"), TensorType::Q4_0);
    for wrong in ["attn_v", "=q8_0", "attn_v=q9", "attn_(=q8_0", "attn_v=i8"] {
        assert_eq!(parse_override(wrong).unwrap_err().kind(), ErrorKind::Argument, "{wrong}");
    }
}

#[test]
fn quantizing_twice_needs_permission() {
    let (metadata, tensors) = model();
    let folder = Folder::with(&metadata, &tensors);
    quantize(&folder.input, &folder.output, &mix(Mix::Q8_0), &()).unwrap();
    let again = folder.dir.path().join("again.gguf");
    let error = quantize(&folder.output, &again, &mix(Mix::Q4_0), &()).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "tensor \"token_embd.weight\""));
    let allowed = Options { allow_requantize: true, ..mix(Mix::Q4_0) };
    assert!(quantize(&folder.output, &again, &allowed, &()).is_ok());
}

#[test]
fn a_value_that_is_no_number_is_named() {
    for (value, mix_to) in [(f32::NAN, Mix::Q4_K_M), (f32::INFINITY, Mix::Q8_0), (1e6, Mix::F16)] {
        let mut values = vec![0.5; 512];
        values[300] = value;
        let folder = Folder::with_one("blk.0.attn_q.weight", &[256, 2], &values);
        let error = quantize(&folder.input, &folder.output, &mix(mix_to), &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains("in.gguf: tensor \"blk.0.attn_q.weight\""), "{error}");
        assert_eq!(folder.files(), 1, "no half file");
    }
}

#[test]
fn a_copied_value_that_is_no_number_is_named() {
    let folder = Folder::with_one("output_norm.weight", &[4], &[1.0, f32::NAN, 1.0, 1.0]);
    let error = quantize(&folder.input, &folder.output, &mix(Mix::Q8_0), &()).unwrap_err();
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::Malformed, "tensor \"output_norm.weight\" rows 0 to 1")
    );
    assert_eq!(folder.files(), 1);
}

/// The rule for the 70B shape: eight query heads share a value head, so values get more bits.
#[test]
fn few_values_get_more_bits() {
    let value_type = |kv_heads: Option<u32>| {
        let mut metadata = Metadata::new();
        metadata.set("general.architecture", "llama");
        metadata.set("llama.block_count", 80u32);
        metadata.set("llama.attention.head_count", 64u32);
        kv_heads.map(|heads| metadata.set("llama.attention.head_count_kv", heads));
        let values = |name: &str| (tensor(name, &[256, 2], TensorType::F32), vec![0; 2048]);
        // The first is of the first layers, which get more bits in any case.
        let tensors: Vec<_> = (0..20).map(|i| values(&format!("blk.{i:02}.attn_v.weight"))).collect();
        let folder = Folder::with(&metadata, &tensors);
        quantize(&folder.input, &folder.output, &mix(Mix::Q4_K_M), &()).unwrap();
        Gguf::open(&folder.output).unwrap().tensor("blk.02.attn_v.weight").unwrap().info.ty()
    };
    assert_eq!(value_type(Some(8)), TensorType::Q5_K);
    assert_eq!(value_type(Some(64)), TensorType::Q4_K);
    assert_eq!(value_type(None), TensorType::Q4_K, "as many as there are query heads");
}

#[test]
fn large_numbers_are_no_error() {
    let values: Vec<f32> = (0..512).map(|i| 1e30 * i as f32).collect();
    let folder = Folder::with_one("blk.0.attn_q.weight", &[256, 2], &values);
    let report = quantize(&folder.input, &folder.output, &mix(Mix::BF16), &()).unwrap();
    assert!(report.totals.rmse.is_finite() && report.totals.rmse > 0.0);
}

/// Says stop after so many questions.
struct Impatient(AtomicUsize);

impl Progress for Impatient {
    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) <= 1
    }
}

#[test]
fn a_cancelled_run_leaves_what_was_there() {
    let (metadata, tensors) = model();
    for questions in [1, 5, 20] {
        let folder = Folder::with(&metadata, &tensors);
        fs::write(&folder.output, "old").unwrap();
        let progress = Impatient(AtomicUsize::new(questions));
        let error = quantize(&folder.input, &folder.output, &mix(Mix::Q4_K_M), &progress).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(fs::read(&folder.output).unwrap(), b"old");
        assert_eq!(folder.files(), 2);
    }
}
