//! Which type each tensor of a model gets, and in which order they are written.

use super::Options;
use super::mix::{Chooser, Role, layer_of};
use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{Gguf, Metadata, TensorInfo, TensorView, keys};

/// One tensor's way from file to file.
pub(super) struct Step<'a> {
    pub(super) source: TensorView<'a>,
    pub(super) target: TensorInfo,
    /// The type it would have had if its rows were whole blocks of it.
    pub(super) wanted: TensorType,
    /// One weight for each column of each expert.
    pub(super) importance: Option<&'a [f32]>,
}

/// Parts of names that llama-quantize never touches: small, and sensitive.
const KEPT: &[&str] = &[
    "_norm.weight",
    // Routing of experts.
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    // Gemma 3n.
    "altup",
    "laurel",
    "per_layer_model_proj",
    // Convolutions and recurrences.
    "ssm_conv1d",
    "shortconv.conv.weight",
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    "attn_rel_b.weight",
    // Towers.
    ".position_embd",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    "a.rvq.codebook",
    "mm.a.code_embd",
];

/// The steps in llama-quantize's order: by layer, then by name.
pub(super) fn plan<'a>(model: &'a Gguf, options: &'a Options) -> Result<Vec<Step<'a>>> {
    let mut sources: Vec<_> = model.tensors().collect();
    sources.sort_by_key(|t| (layer_of(t.info.name()), t.info.name().to_owned()));
    let mut chooser = chooser(model.metadata(), &sources, options)?;
    sources.into_iter().map(|source| step(source, options, &mut chooser)).collect()
}

fn chooser(metadata: &Metadata, tensors: &[TensorView], options: &Options) -> Result<Chooser> {
    let arch: &str = metadata.get(keys::ARCHITECTURE)?.unwrap_or_default();
    let number = |key: &str| metadata.get::<u32>(&format!("{arch}.{key}")).map(|n| n.map(|n| n as usize));
    let layers = number("block_count")?.unwrap_or(0);
    let few_values = match (arch, layers) {
        ("llama", 80) => {
            let heads = number("attention.head_count")?;
            number("attention.head_count_kv")?.or(heads) != heads
        }
        ("qwen2" | "deci" | "olmo", 80) | ("jais2", 68) => true,
        _ => false,
    };
    let count = |role: Role| tensors.iter().filter(|t| Role::of(t.info.name()) == role).count();
    Ok(Chooser {
        mix: options.mix,
        tied: count(Role::Output) == 0,
        layers,
        experts: number("expert_count")?.unwrap_or(0),
        few_values,
        has_importance: options.importance.is_some(),
        values: count(Role::AttentionValue),
        values_seen: 0,
        downs_seen: 0,
    })
}

/// In a mixture of experts the layer is taken from the name, so there must be one.
fn check_layer(name: &str, chooser: &Chooser) -> Result<()> {
    let in_layers = layer_of(name).is_some_and(|layer| layer < chooser.layers);
    if chooser.experts > 1 && name.contains("ffn_") && !in_layers {
        let expected = format!("blk.0 to blk.{} in a model of experts", chooser.layers.saturating_sub(1));
        return Err(Error::malformed(format!("tensor {name:?} layer"), "another", expected));
    }
    Ok(())
}

fn step<'a>(source: TensorView<'a>, options: &'a Options, chooser: &mut Chooser) -> Result<Step<'a>> {
    let info = source.info;
    check_layer(info.name(), chooser)?;
    let wanted = if may_change(info) { wanted_type(info, options, chooser) } else { info.ty() };
    let ty =
        if may_change(info) && options.mix.base().is_quantized() { that_fits(wanted, info) } else { wanted };
    let target = TensorInfo::new(info.name(), info.shape(), ty)?;
    if ty != info.ty() && info.ty().is_quantized() && !options.allow_requantize {
        let detail = format!("is {} already, and making it {ty} loses more; allow it to do so", info.ty());
        return Err(Error::new(ErrorKind::Argument, format!("tensor {:?}", info.name()), detail));
    }
    let importance = match &options.importance {
        Some(importance) if ty != info.ty() => importance.of(info)?,
        _ => None,
    };
    Ok(Step { source, target, wanted, importance })
}

fn may_change(info: &TensorInfo) -> bool {
    let name = info.name();
    let float =
        info.ty().is_quantized() || matches!(info.ty(), TensorType::F32 | TensorType::F16 | TensorType::BF16);
    float
        && info.shape().effective_rank() >= 2
        && name.ends_with("weight")
        && !KEPT.iter().any(|part| name.contains(part))
        && !["position_embd.weight", "token_types.weight"].contains(&name)
}

fn wanted_type(info: &TensorInfo, options: &Options, chooser: &mut Chooser) -> TensorType {
    if !options.mix.base().is_quantized() {
        return options.mix.base();
    }
    match options.overrides.iter().find(|(pattern, _)| pattern.is_match(info.name())) {
        Some((_, ty)) => *ty,
        None => chooser.choose(info.name(), info.shape().row_len()),
    }
}

/// `wanted`, or the next smaller block that divides the rows, or F16.
fn that_fits(wanted: TensorType, info: &TensorInfo) -> TensorType {
    use TensorType::{F16, IQ4_NL, IQ4_XS, Q2_K, Q3_K, Q4_0, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0};
    let fits = |ty: TensorType| info.shape().row_len().is_multiple_of(ty.block_len());
    let smaller = match wanted {
        _ if fits(wanted) => wanted,
        Q2_K | Q3_K => Q4_0,
        Q4_K => Q5_0,
        Q5_K => Q5_1,
        Q6_K => Q8_0,
        IQ4_XS => IQ4_NL,
        other => other,
    };
    if fits(smaller) { smaller } else { F16 }
}
