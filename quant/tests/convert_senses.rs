//! A checkpoint that both sees and hears: SmolVLM's with the parts of an Ultravox one beside, made here of the two
//! committed ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking")]

use std::path::{Path, PathBuf};

use lorgnette_quant::convert::{ConvertOptions, convert};
use lorgnette_quant::gguf::Gguf;
use serde_json::{Map, Value, json};

const SEES: &str = "SmolVLM2-tiny-Video-Instruct";
const HEARS: &str = "ultravox-v0_5-tiny";

#[test]
fn what_sees_and_hears_becomes_one_projector_file() {
    let source = tempfile::tempdir().unwrap();
    let hears = config(HEARS);
    let mut both = config(SEES);
    for field in ["audio_config", "hidden_size", "stack_factor"] {
        both[field] = hears[field].clone();
    }
    both["audio_latency_block_size"] = json!(8);
    for entry in std::fs::read_dir(committed(SEES)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), source.path().join(entry.file_name())).unwrap();
    }
    std::fs::write(source.path().join("config.json"), both.to_string()).unwrap();
    std::fs::write(source.path().join("model.safetensors"), joined_tensors()).unwrap();

    let out = tempfile::tempdir().unwrap();
    let paths = convert(source.path(), out.path(), &ConvertOptions::default(), &()).unwrap();
    let [text, projector] = [0, 1].map(|file| Gguf::open(&paths[file]).unwrap());
    assert!(text.tensors().all(|tensor| !tensor.info.name().starts_with("a.")));

    let metadata = projector.metadata();
    assert_eq!(metadata.get::<&str>("clip.projector_type").unwrap(), None);
    assert_eq!(metadata.get("clip.vision.projector_type").unwrap(), Some("idefics3"));
    assert_eq!(metadata.get("clip.audio.projector_type").unwrap(), Some("ultravox"));
    assert_eq!(metadata.get("clip.has_vision_encoder").unwrap(), Some(true));
    assert_eq!(metadata.get("clip.has_audio_encoder").unwrap(), Some(true));
    assert_eq!(metadata.get::<u32>("clip.audio.attention.block_frames").unwrap(), Some(8));
    let names: Vec<_> = projector.tensors().map(|tensor| tensor.info.name().to_owned()).collect();
    for name in ["v.blk.0.attn_q.weight", "mm.model.fc.weight", "a.conv1d.1.weight", "mm.a.mlp.2.weight"] {
        assert!(names.iter().any(|found| found == name), "{name}");
    }
}

#[test]
fn a_tower_that_was_trained_on_whole_clips_names_no_block() {
    let out = tempfile::tempdir().unwrap();
    let paths = convert(&committed(HEARS), out.path(), &ConvertOptions::default(), &()).unwrap();
    let file = Gguf::open(&paths[0]).unwrap();
    assert_eq!(file.metadata().get::<u32>("clip.audio.attention.block_frames").unwrap(), None);
}

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convert").join(name).join("model").join(name)
}

fn config(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(committed(name).join("config.json")).unwrap()).unwrap()
}

/// The tensors of both in one file. What projects sounds is cut to the width of the other's language model.
fn joined_tensors() -> Vec<u8> {
    const CUT: &str = "multi_modal_projector.linear_2.weight";
    let (mut header, mut data) = tensors(SEES);
    let (other, other_data) = tensors(HEARS);
    let width = config(SEES)["text_config"]["hidden_size"].as_u64().unwrap();
    for (name, mut tensor) in other {
        let [start, mut end] = [0, 1].map(|i| tensor["data_offsets"][i].as_u64().unwrap());
        if name == CUT {
            end = start + (end - start) / tensor["shape"][0].as_u64().unwrap() * width;
            tensor["shape"][0] = json!(width);
        }
        let at = data.len();
        data.extend_from_slice(&other_data[start as usize..end as usize]);
        tensor["data_offsets"] = json!([at, data.len()]);
        header.insert(name, tensor);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

fn tensors(name: &str) -> (Map<String, Value>, Vec<u8>) {
    let bytes = std::fs::read(committed(name).join("model.safetensors")).unwrap();
    let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Map<String, Value> = serde_json::from_slice(&bytes[8..data]).unwrap();
    header.remove("__metadata__");
    (header, bytes[data..].to_vec())
}
