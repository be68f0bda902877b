//! The vision tower and connector of SmolVLM and Idefics3: a SigLIP encoder, pixels shuffled into channels, and one
//! linear layer.

use super::json::{JsonFile, Node};
use super::projector::Sense;
use super::rules::{Bias, Rows, Rules};
use super::text::positive;
use super::{Directory, OutType};
use crate::TensorType;
use crate::error::Result;
use crate::gguf::Metadata;

/// The sizes in `vision_config`, with the defaults of transformers.
struct Sizes {
    embd: u32,
    ff: u32,
    blocks: u32,
    heads: u32,
    image: u32,
    patch: u32,
    channels: u32,
    eps: f32,
    /// Width of the text model.
    text_embd: u32,
    /// Side of the square of patches that become one.
    scale: u32,
}

impl Sizes {
    fn read(config: &Node<'_>) -> Result<Self> {
        let vision = config.require("vision_config")?;
        let size = |name: &str, default: u32| match vision.get(name)? {
            Some(node) => positive(&node),
            None => Ok(default),
        };
        let text = config.require("text_config")?;
        Ok(Self {
            embd: size("hidden_size", 1152)?,
            ff: size("intermediate_size", 3072)?,
            blocks: size("num_hidden_layers", 12)?,
            heads: size("num_attention_heads", 16)?,
            image: size("image_size", 224)?,
            patch: size("patch_size", 32)?,
            channels: size("num_channels", 3)?,
            eps: vision.opt("layer_norm_eps")?.unwrap_or(1e-6),
            text_embd: text.get("hidden_size")?.map_or(Ok(4096), |node| positive(&node))?,
            scale: config.get("scale_factor")?.map_or(Ok(2), |node| positive(&node))?,
        })
    }
}

/// Plans the tower and its connector. `projector_key` is the key that names their type.
pub(super) fn plan<'a>(
    source: &'a Directory<'_>,
    outtype: OutType,
    projector_key: &str,
) -> Result<Sense<'a>> {
    let sizes = Sizes::read(&source.config)?;
    let images = Images::read(source)?;
    let parts = ["vision_tower", "vision_model", "model.connector"];
    let sources: Vec<_> = source
        .checkpoint
        .tensors()
        .filter(|tensor| parts.iter().any(|part| tensor.name.contains(part)))
        .map(|tensor| (tensor.name.to_owned(), tensor))
        .collect();
    let outtype = outtype.resolve(&sources);
    let tensors = rules(&sizes).plan(&sources, outtype)?;
    Ok(Sense { outtype, tensors, keys: keys(&sizes, images, projector_key) })
}

fn rules(sizes: &Sizes) -> Rules {
    let [embd, ff, patch, channels] =
        [sizes.embd, sizes.ff, sizes.patch, sizes.channels].map(|size| size as usize);
    let patches = (sizes.image / sizes.patch) as usize;
    let merged = (sizes.scale as usize).saturating_mul(sizes.scale as usize).saturating_mul(embd);

    let mut rules = Rules::new(sizes.blocks as usize);
    let embedding = |name: &str| format!("model.vision_model.embeddings.{name}");
    rules
        .tensor(&embedding("patch_embedding.weight"), "v.patch_embd.weight", &[embd, channels, patch, patch])
        .stored_as(TensorType::F32);
    rules.tensor(&embedding("patch_embedding.bias"), "v.patch_embd.bias", &[embd]);
    rules
        .tensor(
            &embedding("position_embedding.weight"),
            "v.position_embd.weight",
            &[patches.saturating_mul(patches), embd],
        )
        .stored_as(TensorType::F32);

    let layer = |name: &str| format!("model.vision_model.encoder.layers.{{}}.{name}");
    for (from, to) in
        [("q_proj", "attn_q"), ("k_proj", "attn_k"), ("v_proj", "attn_v"), ("out_proj", "attn_out")]
    {
        let from = layer(&format!("self_attn.{from}"));
        rules.linear(&from, &format!("v.blk.{{}}.{to}"), [embd, embd], Bias::Required, Rows::Same);
    }
    rules.linear(&layer("mlp.fc1"), "v.blk.{}.ffn_up", [ff, embd], Bias::Required, Rows::Same);
    rules.linear(&layer("mlp.fc2"), "v.blk.{}.ffn_down", [embd, ff], Bias::Required, Rows::Same);
    rules.layer_norm(&layer("layer_norm1"), "v.blk.{}.ln1", embd);
    rules.layer_norm(&layer("layer_norm2"), "v.blk.{}.ln2", embd);
    rules.layer_norm("model.vision_model.post_layernorm", "v.post_ln", embd);
    rules.tensor(
        "model.connector.modality_projection.proj.weight",
        "mm.model.fc.weight",
        &[sizes.text_embd as usize, merged],
    );
    rules
}

fn keys(sizes: &Sizes, images: Images, projector_key: &str) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.set("clip.has_vision_encoder", true);
    metadata.set("clip.vision.projection_dim", sizes.text_embd);
    metadata.set("clip.vision.image_size", sizes.image);
    metadata.set("clip.vision.patch_size", sizes.patch);
    metadata.set("clip.vision.embedding_length", sizes.embd);
    metadata.set("clip.vision.feed_forward_length", sizes.ff);
    metadata.set("clip.vision.block_count", sizes.blocks);
    metadata.set("clip.vision.attention.head_count", sizes.heads);
    metadata.set("clip.vision.image_mean", images.mean);
    metadata.set("clip.vision.image_std", images.std);
    metadata.set(projector_key, "idefics3");
    metadata.set("clip.vision.attention.layer_norm_epsilon", sizes.eps);
    metadata.set("clip.vision.projector.scale_factor", sizes.scale);
    metadata.set("clip.use_gelu", true);
    metadata.set("clip.vision.preproc_image_size", images.longest_edge.unwrap_or(sizes.image));
    metadata
}

/// What the preprocessor's files say of images.
struct Images {
    mean: Vec<f32>,
    std: Vec<f32>,
    longest_edge: Option<u32>,
}

impl Images {
    fn read(source: &Directory<'_>) -> Result<Self> {
        let processor = JsonFile::read_if_there(source.path, "processor_config.json")?;
        let preprocessor = JsonFile::read_if_there(source.path, "preprocessor_config.json")?;
        let mut configs = Vec::new();
        if let Some(processor) = &processor {
            configs.extend(processor.root().get("image_processor")?);
            configs.push(processor.root());
        }
        match &preprocessor {
            Some(preprocessor) => configs.push(preprocessor.root()),
            // For the error that says what is missing.
            None if processor.is_none() => drop(JsonFile::read(source.path, "preprocessor_config.json")?),
            None => {}
        }
        let size = find(&configs, "size")?;
        Ok(Self {
            mean: three(&configs, "image_mean")?,
            std: three(&configs, "image_std")?,
            longest_edge: size.map(|size| size.opt("longest_edge")).transpose()?.flatten(),
        })
    }
}

/// The member `name` of the first of `configs` that has it.
fn find<'a>(configs: &[Node<'a>], name: &str) -> Result<Option<Node<'a>>> {
    for config in configs {
        if let Some(node) = config.get(name)? {
            return Ok(Some(node));
        }
    }
    Ok(None)
}

/// A number for each colour.
fn three(configs: &[Node<'_>], name: &str) -> Result<Vec<f32>> {
    let node = match (find(configs, name)?, configs.last()) {
        (Some(node), _) => node,
        (None, Some(config)) => config.require(name)?,
        (None, None) => return Ok(Vec::new()),
    };
    let values = node.items()?.map(|item| item.to()).collect::<Result<Vec<f32>>>()?;
    if values.len() == 3 { Ok(values) } else { Err(node.error("three numbers")) }
}
