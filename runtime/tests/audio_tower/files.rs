//! What the file may say.

use std::sync::Arc;

use lorgnette_quant::TensorType;
use lorgnette_quant::gguf::{Gguf, TensorInfo, TensorShape};
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::audio::AudioTower;
use lorgnette_runtime::model::vision::{Place, Tile, VisionTower};

use crate::mmproj::{Parts, both, edited, golden, golden_path, parts};
use crate::models::converted_with_towers;
use crate::sounds::clip;
use crate::{encode, load, tower};

#[test]
fn the_file_says_what_a_block_is() {
    let clip = clip(8000, 0).unwrap();
    for (kind, frames) in [("ultravox", 8), ("qwen2a", 20), ("voxtral", 16)] {
        let model = edited(kind, |(metadata, _)| {
            metadata.set("clip.audio.attention.block_frames", frames as u32);
        });
        assert_eq!(encode(&load(&model), &clip), encode(&tower(kind, Some(frames)), &clip), "{kind}");
    }
}

#[test]
fn both_towers_load_from_one_file() {
    let (_, pictures) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    let sounds = golden("ultravox");
    let both = both("ultravox");

    let clip = clip(4000, 0).unwrap();
    assert_eq!(encode(&load(&both), &clip), encode(&load(&sounds), &clip));
    let seen = |model| {
        let tower = VisionTower::load(Cpu, model).unwrap().unwrap();
        let values = (0..3 * 16 * 16).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let tile = Tile { place: Place::Overview, side: 16, values };
        Cpu.download(tower.encode(&tile).unwrap()).unwrap()
    };
    assert_eq!(seen(&both), seen(&pictures));
}

#[test]
fn a_file_without_an_audio_tower_has_none() {
    let (_, pictures) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    assert!(AudioTower::load(Cpu, &pictures).unwrap().is_none());
}

#[test]
fn blocks_must_be_whole_tokens_within_the_positions() {
    for (kind, wrong) in [("ultravox", [0, 6, 24]), ("qwen2a", [2, 10, 28]), ("voxtral", [4, 12, 40])] {
        for frames in wrong {
            let error = tower(kind, None).with_blocks(frames).err().unwrap();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "block"), "{kind}, {frames}");
            let model = edited(kind, |(metadata, _)| {
                metadata.set("clip.audio.attention.block_frames", frames as u32);
            });
            let error = AudioTower::load(Cpu, &model).err().unwrap();
            let field = "clip.audio.attention.block_frames";
            assert_eq!((error.kind(), error.field()), (ErrorKind::Malformed, field), "{kind}, {frames}");
        }
    }
}

#[test]
fn every_missing_key_and_tensor_is_named() {
    for kind in ["ultravox", "qwen2a", "voxtral"] {
        let (metadata, tensors) = parts(&golden(kind));
        let needed = |key: &&str| key.starts_with("clip.") && *key != "clip.has_audio_encoder";
        for key in metadata.iter().map(|(key, _)| key).filter(needed) {
            let model = edited(kind, |(metadata, _)| {
                metadata.remove(key);
            });
            let error = AudioTower::load(Cpu, &model).err().unwrap();
            let field = key.replace("clip.projector_type", "clip.audio.projector_type");
            assert_eq!((error.kind(), error.field()), (ErrorKind::Missing, field.as_str()), "{kind}");
        }
        let is_bias = |name: &str| name.ends_with("bias") && !name.contains("ln");
        for name in tensors.iter().map(|(info, _)| info.name()).filter(|name| !is_bias(name)) {
            let model = edited(kind, |(_, tensors)| tensors.retain(|(info, _)| info.name() != name));
            let error = AudioTower::load(Cpu, &model).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Missing, "{kind}, {name}");
            assert!(error.field().contains(name), "{kind}, {name}: {error}");
        }
    }
}

#[test]
fn every_tensor_of_another_shape_is_named() {
    for kind in ["ultravox", "qwen2a", "voxtral"] {
        for (at, (info, _)) in parts(&golden(kind)).1.iter().enumerate() {
            let model = edited(kind, |(_, tensors)| {
                let dims: Vec<_> = info.shape().dims().iter().map(|dim| dim + 1).collect();
                reshape(&mut tensors[at], &dims);
            });
            let error = AudioTower::load(Cpu, &model).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{kind}, {}: {error}", info.name());
        }
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    type Edit = fn(&mut Parts);
    let cases: [(ErrorKind, &str, Edit); 6] = [
        (ErrorKind::Unsupported, "clip.projector_type", |(metadata, _)| {
            metadata.set("clip.projector_type", "glma");
        }),
        (ErrorKind::Malformed, "clip.audio.projector.stack_factor", |(metadata, _)| {
            metadata.set("clip.audio.projector.stack_factor", 0_u32);
        }),
        (ErrorKind::Unsupported, "clip.audio.num_mel_bins", |(metadata, _)| {
            metadata.set("clip.audio.num_mel_bins", 129_u32);
        }),
        (ErrorKind::Malformed, "clip.audio.attention.head_count", |(metadata, _)| {
            metadata.set("clip.audio.attention.head_count", 3_u32);
        }),
        (ErrorKind::Unsupported, "tensor \"a.position_embd.weight\" shape", |(_, tensors)| {
            reshape(find(tensors, "a.position_embd.weight"), &[32, 1501]);
        }),
        (ErrorKind::Malformed, "tensor \"mm.a.mlp.1.weight\" shape", |(_, tensors)| {
            reshape(find(tensors, "mm.a.mlp.1.weight"), &[64, 49]);
        }),
    ];
    for (kind, field, edit) in cases {
        let error = AudioTower::load(Cpu, &edited("ultravox", edit)).err().unwrap();
        assert_eq!((error.kind(), error.field()), (kind, field), "{error}");
    }
}

#[test]
fn a_damaged_file_is_an_error_or_a_tower() {
    let whole = std::fs::read(golden_path("voxtral")).unwrap();
    let clip = clip(2000, 0).unwrap();
    let mut state = 1_usize;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut towers = 0;
    for _ in 0..2000 {
        let mut damaged = whole.clone();
        // Keys and names of tensors are in front of all weights.
        (0..1 + next() % 4).for_each(|_| damaged[next() % 4096] ^= 1 << (next() % 8));
        let Ok(model) = Gguf::from_bytes(damaged) else { continue };
        if let Ok(Some(tower)) = AudioTower::load(Cpu, &Arc::new(model)) {
            let tokens = Cpu.download(tower.encode(&clip).unwrap()).unwrap().len();
            assert_eq!(tokens, tower.tokens(2000) * tower.width());
            towers += 1;
        }
    }
    assert!(towers > 100, "{towers}");
}

fn find<'a>(tensors: &'a mut [(TensorInfo, Vec<u8>)], name: &str) -> &'a mut (TensorInfo, Vec<u8>) {
    tensors.iter_mut().find(|(info, _)| info.name() == name).unwrap()
}

fn reshape((info, data): &mut (TensorInfo, Vec<u8>), dims: &[usize]) {
    *info = TensorInfo::new(info.name(), TensorShape::new(dims).unwrap(), TensorType::F32).unwrap();
    *data = vec![0; info.bytes()];
}
