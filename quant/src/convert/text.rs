//! Language models of the Llama kind: Llama, Qwen2, Qwen3, alone or as the text part of a larger model.

use super::checkpoint::{Checkpoint, Source};
use super::general::{self, Kind};
use super::json::Node;
use super::rope::Rope;
use super::rules::{Bias, Data, Planned, Rows, Rules};
use super::{Directory, Model, OutType, tokenizer};
use crate::TensorType;
use crate::error::Result;
use crate::gguf::{Metadata, TensorInfo, TensorShape, keys};

/// What distinguishes the families.
pub(super) struct Family {
    /// The names in `architectures`.
    names: &'static [&'static str],
    /// The name in `model_type`, and in GGUF.
    arch: &'static str,
    /// Whether the family has Llama's conventions in GGUF: rotated pairs, and a few keys more.
    pub(super) llama: bool,
    qk_norm: bool,
    attention_bias: Bias,
    head_dim: HeadDim,
    defaults: Defaults,
}

/// The length of a head where the configuration does not say, and whether its key is written then.
#[derive(Clone, Copy)]
enum HeadDim {
    Derived,
    DerivedUnwritten,
    Fixed(u32),
}

/// What transformers takes where a configuration has no such field.
struct Defaults {
    vocab: u32,
    ff: u32,
    kv_heads: Option<u32>,
    context: u32,
}

const LLAMA_DEFAULTS: Defaults = Defaults { vocab: 32_000, ff: 11_008, kv_heads: None, context: 2_048 };
const QWEN_DEFAULTS: Defaults = Defaults { vocab: 151_936, ff: 22_016, kv_heads: Some(32), context: 32_768 };

static FAMILIES: [Family; 3] = [
    Family {
        names: &["LlamaForCausalLM", "LLaMAForCausalLM", "VLlama3ForCausalLM"],
        arch: "llama",
        llama: true,
        qk_norm: false,
        attention_bias: Bias::Maybe,
        head_dim: HeadDim::Derived,
        defaults: LLAMA_DEFAULTS,
    },
    Family {
        names: &["Qwen2ForCausalLM"],
        arch: "qwen2",
        llama: false,
        qk_norm: false,
        attention_bias: Bias::Required,
        head_dim: HeadDim::DerivedUnwritten,
        defaults: QWEN_DEFAULTS,
    },
    Family {
        names: &["Qwen3ForCausalLM"],
        arch: "qwen3",
        llama: false,
        qk_norm: true,
        attention_bias: Bias::Maybe,
        head_dim: HeadDim::Fixed(128),
        defaults: QWEN_DEFAULTS,
    },
];

impl Family {
    /// For errors: what [`convert`](super::convert) knows.
    pub(super) const SUPPORTED: &str = "LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, \
        SmolVLMForConditionalGeneration, Idefics3ForConditionalGeneration, UltravoxModel";

    /// The family with `name` in `architectures`.
    pub(super) fn of_architecture(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.names.contains(&name))
    }

    /// The family of a `text_config`, by its `architectures` or else its `model_type`.
    pub(super) fn of_part(config: &Node<'_>) -> Result<&'static Self> {
        if let Some(names) = config.get("architectures")?
            && let Some(name) = names.items()?.next()
        {
            return Self::of_architecture(name.to()?)
                .ok_or_else(|| name.unsupported("LlamaForCausalLM and Qwen"));
        }
        let model_type = config.require("model_type")?;
        let name: &str = model_type.to()?;
        let family = FAMILIES.iter().find(|family| family.arch == name);
        family.ok_or_else(|| model_type.unsupported("llama, qwen2, qwen3"))
    }
}

/// The sizes in a configuration.
struct Sizes {
    vocab: u32,
    embd: u32,
    ff: u32,
    blocks: u32,
    heads: u32,
    kv_heads: u32,
    head_dim: u32,
    head_dim_written: bool,
    context: u32,
    rms_eps: f32,
}

impl Sizes {
    fn read(config: &Node<'_>, family: &Family) -> Result<Self> {
        let size = |name: &str, default: u32| match config.get(name)? {
            Some(node) => positive(&node),
            None => Ok(default),
        };
        let embd = size("hidden_size", 4096)?;
        let heads = size("num_attention_heads", 32)?;
        let explicit = config.get("head_dim")?.map(|node| positive(&node)).transpose()?;
        let (head_dim, head_dim_written) = match (explicit, family.head_dim) {
            (Some(head_dim), _) | (None, HeadDim::Fixed(head_dim)) => (head_dim, true),
            (None, HeadDim::Derived) => (embd / heads, true),
            (None, HeadDim::DerivedUnwritten) => (embd / heads, false),
        };
        if family.llama && !head_dim.is_multiple_of(2) {
            let field = config.get("head_dim")?.unwrap_or_else(|| config.clone());
            return Err(field.error("an even length of heads, whose halves are rotated"));
        }
        Ok(Self {
            vocab: size("vocab_size", family.defaults.vocab)?,
            embd,
            ff: size("intermediate_size", family.defaults.ff)?,
            blocks: size("num_hidden_layers", 32)?,
            heads,
            kv_heads: size("num_key_value_heads", family.defaults.kv_heads.unwrap_or(heads))?,
            head_dim,
            head_dim_written,
            context: size("max_position_embeddings", family.defaults.context)?,
            rms_eps: config.opt("rms_norm_eps")?.unwrap_or(1e-6),
        })
    }
}

/// A length that must not be zero.
pub(super) fn positive(node: &Node<'_>) -> Result<u32> {
    match node.to()? {
        0 => Err(node.error("an integer above 0")),
        length => Ok(length),
    }
}

/// Plans the text model that `config` describes.
pub(super) fn plan<'a>(
    source: &'a Directory<'_>,
    config: &Node<'_>,
    family: &Family,
    outtype: OutType,
) -> Result<Model<'a>> {
    let sizes = Sizes::read(config, family)?;
    let rope = Rope::read(config, sizes.context)?;
    let sources = named_tensors(&source.checkpoint);
    let outtype = outtype.resolve(&sources);
    let untied = source.config.opt("tie_word_embeddings")? == Some(false)
        && config.opt("tie_word_embeddings")? != Some(true);
    let mut tensors = rules(&sizes, family, untied).plan(&sources, outtype)?;
    if let Some(factors) = rope.factors(sizes.head_dim as usize).filter(|_| family.llama) {
        let shape = TensorShape::new(&[factors.len()])?;
        let info = TensorInfo::new("rope_freqs.weight", shape, TensorType::F32)?;
        tensors.insert(0, Planned { info, data: Data::Values(factors) });
    }

    let (mut metadata, file_name) = source.general.start(family.arch, Kind::Model, &tensors, outtype);
    set_keys(&mut metadata, family, &sizes, &rope)?;
    metadata.set(keys::FILE_TYPE, outtype.file_type());
    if family.llama {
        metadata.set("llama.vocab_size", sizes.vocab);
        metadata.set("llama.rope.dimension_count", sizes.head_dim);
    }
    general::set_quantization_version(&mut metadata);
    tokenizer::set_keys(&mut metadata, source.path, &source.config, sizes.vocab, family.llama)?;
    Ok(Model { file_name, metadata, tensors })
}

/// The tensors of the language model, with the names they have in a model that is nothing else.
fn named_tensors(checkpoint: &Checkpoint) -> Vec<(String, Source<'_>)> {
    let other_part = ["vision_", "audio_", "projector.", "model.connector."];
    let derived = [".attention.masked_bias", ".attention.bias", ".rotary_emb.inv_freq"];
    checkpoint
        .tensors()
        .filter(|source| !other_part.iter().any(|part| source.name.contains(part)))
        .filter(|source| !derived.iter().any(|suffix| source.name.ends_with(suffix)))
        .map(|source| (source.name.replace("text_model.", "").replace("language_model.", ""), source))
        .collect()
}

fn rules(sizes: &Sizes, family: &Family, untied: bool) -> Rules {
    let [vocab, embd, ff] = [sizes.vocab, sizes.embd, sizes.ff].map(|size| size as usize);
    let [heads, kv_heads, head_dim] = [sizes.heads, sizes.kv_heads, sizes.head_dim].map(|size| size as usize);
    let [q, kv] = [heads, kv_heads].map(|heads| heads.saturating_mul(head_dim));
    let pairs = |heads| if family.llama { Rows::PairHalves { heads } } else { Rows::Same };

    let mut rules = Rules::new(sizes.blocks as usize);
    rules.tensor("model.embed_tokens.weight", "token_embd.weight", &[vocab, embd]);
    rules.tensor("model.norm.weight", "output_norm.weight", &[embd]);
    if untied {
        rules.tensor("lm_head.weight", "output.weight", &[vocab, embd]);
    } else {
        rules.optional("lm_head.weight", "output.weight", &[vocab, embd]);
    }

    let attention = |name: &str| format!("model.layers.{{}}.self_attn.{name}");
    let bias = family.attention_bias;
    rules.linear(&attention("q_proj"), "blk.{}.attn_q", [q, embd], bias, pairs(heads));
    rules.linear(&attention("k_proj"), "blk.{}.attn_k", [kv, embd], bias, pairs(kv_heads));
    rules.linear(&attention("v_proj"), "blk.{}.attn_v", [kv, embd], bias, Rows::Same);
    rules.linear(&attention("o_proj"), "blk.{}.attn_output", [embd, q], Bias::Maybe, Rows::Same);
    if family.qk_norm {
        rules.tensor(&attention("q_norm.weight"), "blk.{}.attn_q_norm.weight", &[head_dim]);
        rules.tensor(&attention("k_norm.weight"), "blk.{}.attn_k_norm.weight", &[head_dim]);
    }

    let layer = |name: &str| format!("model.layers.{{}}.{name}");
    rules.tensor(&layer("input_layernorm.weight"), "blk.{}.attn_norm.weight", &[embd]);
    rules.tensor(&layer("post_attention_layernorm.weight"), "blk.{}.ffn_norm.weight", &[embd]);
    rules.linear(&layer("mlp.gate_proj"), "blk.{}.ffn_gate", [ff, embd], Bias::Maybe, Rows::Same);
    rules.linear(&layer("mlp.up_proj"), "blk.{}.ffn_up", [ff, embd], Bias::Maybe, Rows::Same);
    rules.linear(&layer("mlp.down_proj"), "blk.{}.ffn_down", [embd, ff], Bias::Maybe, Rows::Same);
    rules
}

fn set_keys(metadata: &mut Metadata, family: &Family, sizes: &Sizes, rope: &Rope<'_>) -> Result<()> {
    let key = |name: &str| format!("{}.{name}", family.arch);
    metadata.set(key("block_count"), sizes.blocks);
    metadata.set(key("context_length"), sizes.context);
    metadata.set(key("embedding_length"), sizes.embd);
    metadata.set(key("feed_forward_length"), sizes.ff);
    metadata.set(key("attention.head_count"), sizes.heads);
    metadata.set(key("attention.head_count_kv"), sizes.kv_heads);
    rope.set_keys(metadata, family.arch)?;
    metadata.set(key("attention.layer_norm_rms_epsilon"), sizes.rms_eps);
    if sizes.head_dim_written {
        metadata.set(key("attention.key_length"), sizes.head_dim);
        metadata.set(key("attention.value_length"), sizes.head_dim);
    }
    Ok(())
}
