//! What a model file is for: its family, its modalities, and the memory it wants.

use serde::Serialize;

use crate::Result;
use crate::gguf::{FromValue, Gguf, Metadata, Strings, Value, keys};
use crate::quantize::Mix;

/// What lorgnette makes of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What the file holds.
    pub kind: Kind,
    /// `general.architecture`.
    pub architecture: Option<String>,
    /// `general.name`.
    pub name: Option<String>,
    /// The mix that `general.file_type` tells of.
    pub mix: Option<&'static str>,
    /// Elements of all tensors.
    pub weights: usize,
    /// Average bits an element takes.
    pub bits_per_weight: f64,
    /// The language model in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// The vision tower in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vision: Option<Vision>,
    /// The audio tower in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio>,
    /// What running it takes.
    pub memory: Memory,
    /// What could not be made out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A language model.
    Text,
    /// Towers and projectors for pictures or sound.
    Mmproj,
    /// An importance matrix.
    Imatrix,
    /// A low-rank adapter.
    Adapter,
    /// Something else.
    Other,
}

/// The shape of a language model.
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// Tokens it was trained to look back on.
    pub context: usize,
    /// Number of layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Number of tokens in the vocabulary.
    pub vocabulary: Option<usize>,
    /// Kind of tokenizer and its pre-tokenizer: `gpt2/smollm`.
    pub tokenizer: Option<String>,
    /// Whether it knows how a chat is written.
    pub chat_template: bool,
}

/// The shape of a vision tower.
#[derive(Clone, Debug, Serialize)]
pub struct Vision {
    /// How its output becomes embeddings: `idefics3`.
    pub projector: String,
    /// Side of the square picture it sees, in pixels.
    pub image_size: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Embeddings that one picture becomes.
    pub tokens: usize,
}

/// The shape of an audio tower.
#[derive(Clone, Debug, Serialize)]
pub struct Audio {
    /// How its output becomes embeddings: `ultravox`.
    pub projector: String,
    /// Bins of the mel spectrogram.
    pub mel_bins: usize,
    /// Number of layers.
    pub layers: usize,
}

/// Bytes that running the model takes at least.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Weights, mapped from the file.
    pub weights: usize,
    /// Keys and values of one token in f16.
    pub kv_per_token: usize,
    /// Keys and values of the whole context in f16.
    pub kv_full_context: usize,
    /// Weights and the whole context together.
    pub total: usize,
}

impl Summary {
    pub(super) fn of(model: &Gguf) -> Result<Self> {
        let metadata = model.metadata();
        let architecture: Option<&str> = metadata.get(keys::ARCHITECTURE)?;
        let weights = model.tensors().map(|t| t.info.shape().elements()).sum::<usize>();
        let bytes = model.tensors().map(|t| t.info.bytes()).sum::<usize>();
        let kind = kind(metadata, architecture)?;
        let mut notes = Vec::new();
        let text = match architecture {
            Some(arch) if kind == Kind::Text => noted(Text::of(metadata, arch).map(Some), &mut notes),
            _ => None,
        };
        let per_token = text.as_ref().map_or(0, |(_, kv_per_token)| *kv_per_token);
        let text = text.map(|(text, _)| text);
        let full_context = per_token.saturating_mul(text.as_ref().map_or(0, |t| t.context));
        Ok(Self {
            kind,
            architecture: architecture.map(str::to_owned),
            name: metadata.get::<&str>("general.name")?.map(str::to_owned),
            mix: metadata.get(keys::FILE_TYPE)?.and_then(Mix::from_file_type).map(Mix::name),
            weights,
            bits_per_weight: if weights == 0 { 0.0 } else { bytes as f64 * 8.0 / weights as f64 },
            vision: noted(tower(metadata, kind, "vision", Vision::of), &mut notes),
            audio: noted(tower(metadata, kind, "audio", Audio::of), &mut notes),
            text,
            memory: Memory {
                weights: bytes,
                kv_per_token: per_token,
                kv_full_context: full_context,
                total: bytes.saturating_add(full_context),
            },
            notes,
        })
    }
}

/// What there is, or a note why it is not.
fn noted<T>(found: Result<Option<T>>, notes: &mut Vec<String>) -> Option<T> {
    found.unwrap_or_else(|error| {
        notes.push(error.to_string());
        None
    })
}

fn kind(metadata: &Metadata, architecture: Option<&str>) -> Result<Kind> {
    let declared: Option<&str> = metadata.get("general.type")?;
    Ok(match (declared, architecture) {
        (Some("imatrix"), _) => Kind::Imatrix,
        (Some("adapter"), _) => Kind::Adapter,
        (Some("mmproj"), _) | (_, Some("clip")) => Kind::Mmproj,
        (Some("model") | None, Some(arch)) if metadata.value(&format!("{arch}.block_count")).is_some() => {
            Kind::Text
        }
        _ => Kind::Other,
    })
}

/// A number for the whole model, or one for each layer.
enum PerLayer {
    Same(usize),
    Each(Vec<usize>),
}

impl FromValue<'_> for PerLayer {
    const EXPECTED: &'static str = "an integer not below 0, or one for each layer";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => (0..items.len())
                .map(|i| usize::from_value(&items.get(i)?))
                .collect::<Option<_>>()
                .map(Self::Each),
            number => usize::from_value(number).map(Self::Same),
        }
    }
}

impl PerLayer {
    fn largest(&self) -> usize {
        match self {
            Self::Same(number) => *number,
            Self::Each(numbers) => numbers.iter().copied().max().unwrap_or(0),
        }
    }

    fn sum(&self, layers: usize) -> usize {
        match self {
            Self::Same(number) => number.saturating_mul(layers),
            Self::Each(numbers) => numbers.iter().fold(0, |sum, &n| sum.saturating_add(n)),
        }
    }
}

impl Text {
    /// The shape, and the bytes of keys and values of one token in f16.
    fn of(metadata: &Metadata, arch: &str) -> Result<(Self, usize)> {
        let number =
            |key: &str| metadata.get::<usize>(&format!("{arch}.{key}")).map(Option::unwrap_or_default);
        let per_layer = |key: &str| metadata.get::<PerLayer>(&format!("{arch}.attention.{key}"));
        let tokens: Option<&Strings> = metadata.get("tokenizer.ggml.tokens")?;
        let kind: Option<&str> = metadata.get("tokenizer.ggml.model")?;
        let pre: Option<&str> = metadata.get("tokenizer.ggml.pre")?;
        let heads = per_layer("head_count")?.unwrap_or(PerLayer::Same(0)).largest();
        let kv_heads = per_layer("head_count_kv")?.unwrap_or(PerLayer::Same(heads));
        let (layers, width) = (number("block_count")?, number("embedding_length")?);
        let head = width.checked_div(heads).unwrap_or(0);
        let length = |key: &str| Ok(per_layer(key)?.map_or(head, |length| length.largest()));
        let per_head = length("key_length")?.saturating_add(length("value_length")?);
        let shape = Self {
            context: number("context_length")?,
            layers,
            width,
            heads,
            kv_heads: kv_heads.largest(),
            vocabulary: tokens.map(Strings::len),
            tokenizer: kind.map(|kind| pre.map_or(kind.to_owned(), |pre| format!("{kind}/{pre}"))),
            chat_template: metadata.value("tokenizer.chat_template").is_some(),
        };
        Ok((shape, kv_heads.sum(layers).saturating_mul(per_head).saturating_mul(2)))
    }
}

/// The tower of a modality, `read` from its keys and its projector, if the file has one.
fn tower<T>(
    metadata: &Metadata,
    kind: Kind,
    modality: &str,
    read: fn(&Metadata, String) -> Result<T>,
) -> Result<Option<T>> {
    let has: bool = metadata.get(&format!("clip.has_{modality}_encoder"))?.unwrap_or(false);
    if kind != Kind::Mmproj || !has {
        return Ok(None);
    }
    let own: Option<&str> = metadata.get(&format!("clip.{modality}.projector_type"))?;
    let shared: Option<&str> = metadata.get("clip.projector_type")?;
    read(metadata, own.or(shared).unwrap_or("unknown").to_owned()).map(Some)
}

impl Vision {
    fn of(metadata: &Metadata, projector: String) -> Result<Self> {
        let image_size: usize = metadata.require("clip.vision.image_size")?;
        let patch_size: usize = metadata.require("clip.vision.patch_size")?;
        let merge: usize = metadata.get("clip.vision.projector.scale_factor")?.unwrap_or(1);
        let side = image_size.checked_div(patch_size).and_then(|s| s.checked_div(merge)).unwrap_or(0);
        let layers = metadata.require("clip.vision.block_count")?;
        Ok(Self { projector, image_size, patch_size, layers, tokens: side.saturating_mul(side) })
    }
}

impl Audio {
    fn of(metadata: &Metadata, projector: String) -> Result<Self> {
        Ok(Self {
            projector,
            mel_bins: metadata.require("clip.audio.num_mel_bins")?,
            layers: metadata.require("clip.audio.block_count")?,
        })
    }
}
