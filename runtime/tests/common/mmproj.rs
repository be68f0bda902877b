//! Mmproj files, as they were committed or changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, TensorShape, Writer};

use super::models::{converted, converted_with_towers};

/// Metadata, and tensors with their data.
pub(crate) type Parts = (Metadata, Vec<(TensorInfo, Vec<u8>)>);

/// The mmproj of the golden tower `kind`.
pub(crate) fn golden(kind: &str) -> Arc<Gguf> {
    if kind == "ultravox" {
        return converted("ultravox-v0_5-tiny");
    }
    Arc::new(Gguf::open(golden_path(kind)).unwrap())
}

/// Where the golden towers are that no checkpoint is committed for.
pub(crate) fn golden_path(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/audio_tower/{kind}.gguf"))
}

pub(crate) fn parts(model: &Gguf) -> Parts {
    let mut metadata = Metadata::new();
    for (key, value) in model.metadata().iter() {
        metadata.set(key, value.clone());
    }
    (metadata, model.tensors().map(|tensor| (tensor.info.clone(), tensor.data.to_vec())).collect())
}

pub(crate) fn write((metadata, tensors): &Parts) -> Arc<Gguf> {
    let infos: Vec<_> = tensors.iter().map(|(info, _)| info.clone()).collect();
    let mut writer = Writer::new(Vec::new(), metadata, &infos).unwrap();
    tensors.iter().for_each(|(_, data)| writer.write(data).unwrap());
    Arc::new(Gguf::from_bytes(writer.finish().unwrap()).unwrap())
}

/// The vision tower of SmolVLM2-tiny and the golden audio tower `kind` in one file.
pub(crate) fn both(kind: &str) -> Arc<Gguf> {
    let (_, pictures) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    let (mut metadata, mut tensors) = parts(&pictures);
    metadata.remove("clip.projector_type");
    metadata.set("clip.vision.projector_type", "idefics3");
    metadata.set("clip.audio.projector_type", kind);
    let (of_sounds, tensors_of_sounds) = parts(&golden(kind));
    for (key, value) in of_sounds.iter().filter(|(key, _)| key.starts_with("clip.audio.")) {
        metadata.set(key, value.clone());
    }
    metadata.set("clip.has_audio_encoder", true);
    tensors.extend(tensors_of_sounds);
    write(&(metadata, tensors))
}

/// `model` with its tensor `name`, and the key that says so, cut to `rows` rows.
pub(crate) fn cut(model: &Gguf, name: &str, key: &str, rows: usize) -> Arc<Gguf> {
    let (mut metadata, mut tensors) = parts(model);
    metadata.set(key, rows as u32);
    let (info, data) = tensors.iter_mut().find(|(info, _)| info.name() == name).unwrap();
    let shape = TensorShape::new(&[info.shape().row_len(), rows]).unwrap();
    *info = TensorInfo::new(name, shape, info.ty()).unwrap();
    data.truncate(info.bytes());
    write(&(metadata, tensors))
}

/// The golden tower `kind` after `edit`.
pub(crate) fn edited(kind: &str, edit: impl FnOnce(&mut Parts)) -> Arc<Gguf> {
    let mut parts = parts(&golden(kind));
    edit(&mut parts);
    write(&parts)
}
