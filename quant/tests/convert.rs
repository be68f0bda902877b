//! Committed checkpoints, converted: keys, values, tensors and bytes are those of llama.cpp's converter, whose output
//! `tests/parity/convert.py --accept` has written down beside each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test by panicking")]

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use common::fnv1a;
use lorgnette_quant::convert::{ConvertOptions, OutType, convert};
use lorgnette_quant::gguf::{Array, Gguf, Value};

const OUTTYPES: [&str; 5] = ["f32", "f16", "bf16", "q8_0", "auto"];

#[test]
fn smollm2_is_converted_as_by_llama_cpp() {
    check("SmolTiny-2.5K-Instruct");
}

#[test]
fn llama3_in_shards_is_converted_as_by_llama_cpp() {
    check("Llama-3.2-tiny-Instruct");
}

#[test]
fn llama2_with_byte_fallback_is_converted_as_by_llama_cpp() {
    check("llama-2-json-v1.0-chat");
}

#[test]
fn qwen2_is_converted_as_by_llama_cpp() {
    check("Qwen2.5-tiny");
}

#[test]
fn qwen3_is_converted_as_by_llama_cpp() {
    check("qwen3-0.6b");
}

#[test]
fn smolvlm2_is_converted_as_by_llama_cpp() {
    check("SmolVLM2-tiny-Video-Instruct");
}

#[test]
fn ultravox_is_converted_as_by_llama_cpp() {
    check("ultravox-v0_5-tiny");
}

fn check(case: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convert").join(case);
    for name in OUTTYPES {
        let expected = std::fs::read_to_string(data.join(name).with_extension("txt")).unwrap();
        let out = tempfile::tempdir().unwrap();
        let mut options = ConvertOptions::default();
        options.outtype = name.parse::<OutType>().unwrap();
        let mut paths = convert(&data.join("model").join(case), out.path(), &options, &()).unwrap();
        paths.sort();
        let found: String = paths.iter().map(describe).collect();
        for (line, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
            assert_eq!(found, expected, "{case}, {name}, line {}", line + 1);
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{case}, {name}");
    }
}

/// The file in the words of `describe` in `tests/parity/convert.py`.
fn describe(path: &PathBuf) -> String {
    let model = Gguf::open(path).unwrap();
    let mut text = format!("file {}\n", path.file_name().unwrap().to_string_lossy());
    for (key, value) in model.metadata().iter() {
        writeln!(text, "key {key} {}", describe_value(value)).unwrap();
    }
    for tensor in model.tensors() {
        let (info, hash) = (tensor.info, fnv1a(tensor.data));
        writeln!(text, "tensor {} {} {} {hash}", info.name(), info.ty(), info.shape()).unwrap();
    }
    text
}

fn describe_value(value: &Value) -> String {
    let kind = value.value_type();
    match value {
        Value::Array(array) => {
            let hash = fnv1a(&array_bytes(array));
            format!("{}[{}] {hash}", array.element_type(), array.len())
        }
        Value::String(text) => format!("{kind} {}", serde_json::to_string(text).unwrap()),
        Value::F32(number) => format!("{kind} {:08x}", number.to_bits()),
        Value::Bool(bool) => format!("{kind} {}", u8::from(*bool)),
        Value::U32(number) => format!("{kind} {number}"),
        Value::I32(number) => format!("{kind} {number}"),
        other => panic!("the converter writes no {other:?}"),
    }
}

fn array_bytes(array: &Array) -> Vec<u8> {
    match array {
        Array::String(texts) => texts
            .iter()
            .flat_map(|text| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat())
            .collect(),
        Array::F32(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        Array::I32(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        other => panic!("the converter writes no array of {}", other.element_type()),
    }
}
