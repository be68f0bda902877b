//! The audio tower and projector of Ultravox: a Whisper encoder, neighbouring frames stacked, and a gated two-layer
//! projector. The language model is an ordinary Llama with its own directory; what of it is in the checkpoint is
//! passed over.

use super::json::Node;
use super::projector::Sense;
use super::rules::{Bias, Rows, Rules};
use super::text::positive;
use super::{Directory, OutType};
use crate::TensorType;
use crate::error::Result;
use crate::gguf::Metadata;

/// The sizes in `audio_config`, in Whisper's spelling or the common one.
struct Sizes {
    embd: u32,
    ff: u32,
    blocks: u32,
    heads: u32,
    mel_bins: u32,
    positions: u32,
    eps: f32,
    /// Frames that become one.
    stack: u32,
    /// Frames of 10 ms that were encoded together in training; all of a clip when there is no such field.
    block: Option<u32>,
    /// Width of the projector, both halves of its gate.
    hidden: u32,
    /// Width of the text model.
    text_embd: u32,
}

impl Sizes {
    fn read(config: &Node<'_>) -> Result<Self> {
        let audio = config.require("audio_config")?;
        let size = |name: &str, whisper_name: &str| match audio.get(name)? {
            Some(node) => positive(&node),
            None => positive(&audio.require(whisper_name)?),
        };
        let common = audio.get("hidden_size")?.is_some() || audio.get("intermediate_size")?.is_some();
        let spelled = |name, whisper_name| size(if common { name } else { whisper_name }, whisper_name);
        let hidden = config.get("hidden_size")?.map_or(Ok(4096), |node| positive(&node))?;
        let text = config.get("text_config")?.map(|text| text.get("hidden_size")).transpose()?.flatten();
        Ok(Self {
            embd: spelled("hidden_size", "d_model")?,
            ff: spelled("intermediate_size", "encoder_ffn_dim")?,
            heads: spelled("num_attention_heads", "encoder_attention_heads")?,
            blocks: size("num_hidden_layers", "encoder_layers")?,
            mel_bins: positive(&audio.require("num_mel_bins")?)?,
            positions: audio.get("max_source_positions")?.map_or(Ok(1500), |node| positive(&node))?,
            eps: audio.opt("layer_norm_eps")?.unwrap_or(1e-5),
            stack: positive(&config.require("stack_factor")?)?,
            block: config.get("audio_latency_block_size")?.map(|node| positive(&node)).transpose()?,
            hidden,
            text_embd: text.map_or(Ok(hidden), |node| positive(&node))?,
        })
    }
}

/// Plans the tower and its projector. `projector_key` is the key that names their type.
pub(super) fn plan<'a>(
    source: &'a Directory<'_>,
    outtype: OutType,
    projector_key: &str,
) -> Result<Sense<'a>> {
    let sizes = Sizes::read(&source.config)?;
    let other_parts = ["language_model.", "text_model.", "vision_model.", "model.connector."];
    let sources: Vec<_> = source
        .checkpoint
        .tensors()
        .filter(|tensor| !other_parts.iter().any(|part| tensor.name.contains(part)))
        .map(|tensor| (tensor.name.to_owned(), tensor))
        .collect();
    let outtype = outtype.resolve(&sources);
    let tensors = rules(&sizes).plan(&sources, outtype)?;
    Ok(Sense { outtype, tensors, keys: keys(&sizes, projector_key) })
}

fn rules(sizes: &Sizes) -> Rules {
    let [embd, ff, mel_bins, hidden] =
        [sizes.embd, sizes.ff, sizes.mel_bins, sizes.hidden].map(|size| size as usize);
    let stacked = embd.saturating_mul(sizes.stack as usize);

    let mut rules = Rules::new(sizes.blocks as usize);
    for (number, input) in [(1, mel_bins), (2, embd)] {
        let (from, to) = (format!("audio_tower.conv{number}"), format!("a.conv1d.{number}"));
        rules
            .tensor(&format!("{from}.weight"), &format!("{to}.weight"), &[embd, input, 3])
            .stored_as(TensorType::F16);
        // A bias is added to columns of frames.
        rules.tensor(&format!("{from}.bias"), &format!("{to}.bias"), &[embd]).unsqueezed();
    }
    rules
        .tensor(
            "audio_tower.embed_positions.weight",
            "a.position_embd.weight",
            &[sizes.positions as usize, embd],
        )
        .stored_as(TensorType::F32);

    let layer = |name: &str| format!("audio_tower.layers.{{}}.{name}");
    let attention = [
        ("q_proj", "attn_q", Bias::Required),
        ("k_proj", "attn_k", Bias::None),
        ("v_proj", "attn_v", Bias::Required),
        ("out_proj", "attn_out", Bias::Required),
    ];
    for (from, to, bias) in attention {
        let from = layer(&format!("self_attn.{from}"));
        rules.linear(&from, &format!("a.blk.{{}}.{to}"), [embd, embd], bias, Rows::Same);
    }
    rules.linear(&layer("fc1"), "a.blk.{}.ffn_up", [ff, embd], Bias::Required, Rows::Same);
    rules.linear(&layer("fc2"), "a.blk.{}.ffn_down", [embd, ff], Bias::Required, Rows::Same);
    rules.layer_norm(&layer("self_attn_layer_norm"), "a.blk.{}.ln1", embd);
    rules.layer_norm(&layer("final_layer_norm"), "a.blk.{}.ln2", embd);
    rules.layer_norm("audio_tower.layer_norm", "a.post_ln", embd);

    let projector = |name: &str| format!("multi_modal_projector.{name}");
    let text_embd = sizes.text_embd as usize;
    rules.tensor(&projector("ln_pre.weight"), "mm.a.norm_pre.weight", &[stacked]);
    rules.tensor(&projector("linear_1.weight"), "mm.a.mlp.1.weight", &[hidden, stacked]);
    rules.tensor(&projector("ln_mid.weight"), "mm.a.norm_mid.weight", &[hidden / 2]);
    rules.tensor(&projector("linear_2.weight"), "mm.a.mlp.2.weight", &[text_embd, hidden / 2]);
    rules
}

fn keys(sizes: &Sizes, projector_key: &str) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.set("clip.has_audio_encoder", true);
    metadata.set("clip.audio.projection_dim", sizes.text_embd);
    metadata.set("clip.audio.embedding_length", sizes.embd);
    metadata.set("clip.audio.feed_forward_length", sizes.ff);
    metadata.set("clip.audio.block_count", sizes.blocks);
    metadata.set("clip.audio.attention.head_count", sizes.heads);
    metadata.set(projector_key, "ultravox");
    metadata.set("clip.audio.num_mel_bins", sizes.mel_bins);
    metadata.set("clip.audio.attention.layer_norm_epsilon", sizes.eps);
    metadata.set("clip.audio.projector.stack_factor", sizes.stack);
    if let Some(block) = sizes.block {
        metadata.set("clip.audio.attention.block_frames", block);
    }
    metadata
}
