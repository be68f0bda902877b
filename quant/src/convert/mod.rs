//! Hugging Face checkpoints to GGUF, with the names, keys, values, tensor types and tensor order of llama.cpp's
//! converter.
//!
//! | `architectures` in `config.json` | text model | projector |
//! |---|---|---|
//! | `LlamaForCausalLM` (SmolLM2, Llama 3) | `llama` | |
//! | `Qwen2ForCausalLM` | `qwen2` | |
//! | `Qwen3ForCausalLM` | `qwen3` | |
//! | `SmolVLMForConditionalGeneration`, `Idefics3ForConditionalGeneration` | `llama` | `idefics3` |
//! | the same with an `audio_config` (pico) | `llama` | `idefics3` and `ultravox` in one file |
//! | `UltravoxModel` | of its own directory | `ultravox` |
//!
//! A family is a table of tensors (`rules`) and a list of keys (`text`, `vision`, `audio`). Weights are mapped, and a few
//! rows at a time are converted and written, so memory holds the vocabulary and little else.
//!
//! What is written follows from `config.json`, the tokenizer's files, `generation_config.json`, the preprocessor's
//! files and the directory's name. Keys that llama.cpp takes from elsewhere are left out:
//! - from the front matter of `README.md`: licence, tags, languages, authors, base models, data sets, and its
//!   overrides of `general.name` and its parts; they say nothing to a runtime;
//! - `*.pooling_type` of sentence-transformers directories, which are no chat models;
//! - the infill tokens of CodeLlama (vocabulary of 32016), and `additional_chat_templates/`.

mod audio;
mod checkpoint;
mod general;
mod json;
mod name_parts;
mod naming;
mod projector;
mod rope;
mod rules;
mod safetensors;
mod text;
mod tokenizer;
mod vision;
mod write;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use self::checkpoint::Checkpoint;
use self::general::General;
use self::json::{JsonFile, Node};
use self::rules::Planned;
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::Metadata;
use crate::{Progress, TensorType};

/// What weights are stored as. Vectors, norms, biases and position tables are F32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutType {
    /// All F32.
    F32,
    /// F16.
    F16,
    /// BF16.
    BF16,
    /// Q8_0, and F16 where rows are no multiple of 32.
    Q8_0,
    /// BF16 or F16, whichever the first weight of the checkpoint is that is one of them; else F16.
    #[default]
    Auto,
}

/// What [`convert`] is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConvertOptions {
    /// What weights are stored as.
    pub outtype: OutType,
}

/// Converts the checkpoint in `hf_dir` to GGUF files in `out_dir`, which is made if it is not there, and returns their paths: the
/// text model first, then the projector (`mmproj-...`). Files are named as llama.cpp names them.
///
/// The files take their names when all of them are complete; after an error or a cancel before that, none is there.
///
/// # Errors
/// [`ErrorKind::Missing`] for a file, field or tensor, [`ErrorKind::Malformed`] for a wrong type or shape,
/// [`ErrorKind::Unsupported`] for an architecture, pre-tokenizer or tensor not known here, [`ErrorKind::Cancelled`].
/// Each names the file and the field.
pub fn convert(
    hf_dir: &Path,
    out_dir: &Path,
    options: &ConvertOptions,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>> {
    let config = JsonFile::read(hf_dir, "config.json")?;
    let checkpoint = Checkpoint::open(hf_dir)?;
    let source = Directory {
        path: hf_dir,
        config: config.root(),
        general: General::read(hf_dir, &config)?,
        checkpoint,
    };
    let models = plan(&source, options.outtype).map_err(|e| e.in_file(hf_dir))?;
    write::write_all(&models, out_dir, progress)
}

/// A Hugging Face directory.
struct Directory<'a> {
    path: &'a Path,
    config: Node<'a>,
    general: General,
    checkpoint: Checkpoint,
}

/// A file to be written.
struct Model<'a> {
    file_name: String,
    metadata: Metadata,
    tensors: Vec<Planned<'a>>,
}

fn plan<'a>(source: &'a Directory<'_>, outtype: OutType) -> Result<Vec<Model<'a>>> {
    let architectures = source.config.require("architectures")?;
    let Some(architecture) = architectures.items()?.next() else {
        return Err(architectures.error("the name of an architecture"));
    };
    match architecture.to()? {
        "SmolVLMForConditionalGeneration" | "Idefics3ForConditionalGeneration" => {
            let text_config = source.config.require("text_config")?;
            let family = text::Family::of_part(&text_config)?;
            let text = text::plan(source, &text_config, family, outtype)?;
            Ok(vec![text, projector::plan_vision(source, outtype)?])
        }
        "UltravoxModel" => Ok(vec![projector::plan_audio(source, outtype)?]),
        name => {
            let family = text::Family::of_architecture(name);
            let family = family.ok_or_else(|| architecture.unsupported(text::Family::SUPPORTED))?;
            Ok(vec![text::plan(source, &source.config, family, outtype)?])
        }
    }
}

impl OutType {
    const NAMES: [(&'static str, Self); 5] = [
        ("f32", Self::F32),
        ("f16", Self::F16),
        ("bf16", Self::BF16),
        ("q8_0", Self::Q8_0),
        ("auto", Self::Auto),
    ];

    /// The type with [`OutType::Auto`] settled by the weights of `sources`.
    fn resolve(self, sources: &[(String, checkpoint::Source<'_>)]) -> Self {
        let weights = sources.iter().map(|(_, source)| source).filter(|source| source.shape.len() >= 2);
        let mut types = weights.filter_map(|source| match source.dtype.ty {
            Some(TensorType::BF16) => Some(Self::BF16),
            Some(TensorType::F16) => Some(Self::F16),
            _ => None,
        });
        if self == Self::Auto { types.next().unwrap_or(Self::F16) } else { self }
    }

    /// The type of a weight that no rule treats apart.
    fn tensor_type(self) -> TensorType {
        match self {
            Self::F32 => TensorType::F32,
            Self::F16 | Self::Auto => TensorType::F16,
            Self::BF16 => TensorType::BF16,
            Self::Q8_0 => TensorType::Q8_0,
        }
    }

    /// llama.cpp's `llama_ftype`.
    fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 | Self::Auto => 1,
            Self::Q8_0 => 7,
            Self::BF16 => 32,
        }
    }
}

impl FromStr for OutType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, outtype)| *outtype).ok_or_else(|| {
            let names = Self::NAMES.map(|(known, _)| known).join(", ");
            Error::new(ErrorKind::Argument, name, format!("not an output type; known are {names}"))
        })
    }
}
