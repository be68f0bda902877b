//! Mmproj files, as they were committed or changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, Writer};

use crate::models::converted;

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

/// The golden tower `kind` after `edit`.
pub(crate) fn edited(kind: &str, edit: impl FnOnce(&mut Parts)) -> Arc<Gguf> {
    let mut parts = parts(&golden(kind));
    edit(&mut parts);
    write(&parts)
}
