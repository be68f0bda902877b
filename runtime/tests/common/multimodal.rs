//! A model with every sense, of random weights.

use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::LanguageModel;

use super::mmproj::{both, cut, parts, write};
use super::models::converted;

/// A model that reads, sees and hears: in blocks of so many frames of 10 ms, or whole clips.
pub(crate) fn multimodal<B: Backend>(backend: B, block: Option<u32>) -> LanguageModel<B> {
    let towers = cut(&both("ultravox"), "mm.a.mlp.2.weight", "clip.audio.projection_dim", 32);
    let (mut metadata, tensors) = parts(&towers);
    if let Some(block) = block {
        metadata.set("clip.audio.attention.block_frames", block);
    }
    let model = LanguageModel::load(backend, &converted("SmolVLM2-tiny-Video-Instruct")).unwrap();
    model.with_towers(&write(&(metadata, tensors))).unwrap()
}
