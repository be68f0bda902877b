//! The `general.*` keys, from the directory's name, `config.json` and `generation_config.json`.

use std::path::Path;

use super::OutType;
use super::json::JsonFile;
use super::name_parts::NameParts;
use super::naming;
use super::rules::Planned;
use crate::error::{Error, Result};
use crate::gguf::{Metadata, QUANTIZATION_VERSION, Value, keys};

/// What a directory says of the model apart from its architecture.
pub(super) struct General {
    /// `_name_or_path` of the configuration if it is a model's name, then the directory's name.
    ids: Vec<String>,
    sampling: Vec<(&'static str, Value)>,
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    Projector,
}

impl General {
    pub(super) fn read(dir: &Path, config: &JsonFile) -> Result<Self> {
        let full = dir.canonicalize().map_err(|e| Error::io("open", e).in_file(dir))?;
        let folder = full.file_name().map(|name| name.to_string_lossy().into_owned());
        let named: Option<&str> = config.root().opt("_name_or_path")?;
        // A path of the author's machine is no name.
        let named = named.filter(|id| !id.is_empty() && id.matches('/').count() <= 1);
        Ok(Self {
            ids: named.map(str::to_owned).into_iter().chain(folder).collect(),
            sampling: sampling(dir)?,
        })
    }

    /// Starts the metadata of a file of architecture `architecture` with `tensors`, and gives the file its name.
    pub(super) fn start(
        &self,
        architecture: &str,
        kind: Kind,
        tensors: &[Planned<'_>],
        outtype: OutType,
    ) -> (Metadata, String) {
        let params = tensors.iter().map(|tensor| tensor.info.shape().elements() as u64).sum();
        let parts = self.parts(params);
        let size = parts.size_label.clone().unwrap_or_else(|| naming::size_label(params));
        let encoding = outtype.tensor_type().name();

        let mut metadata = Metadata::new();
        metadata.set(keys::ARCHITECTURE, architecture);
        metadata.set("general.type", if kind == Kind::Model { "model" } else { "mmproj" });
        for (key, value) in &self.sampling {
            metadata.set(*key, value.clone());
        }
        let name = parts.name.as_deref().unwrap_or_default();
        let named = [
            ("general.name", Some(name)),
            ("general.version", parts.version.as_deref()),
            ("general.organization", parts.organization.as_deref()),
            ("general.finetune", parts.finetune.as_deref()),
            ("general.basename", parts.basename.as_deref()),
            ("general.size_label", Some(size.as_str())),
        ];
        for (key, value) in named {
            if let Some(value) = value {
                metadata.set(key, value);
            }
        }
        let file_name = match kind {
            Kind::Model => format!("{}.gguf", naming::file_stem(&parts, Some(&size), encoding)),
            Kind::Projector => format!("mmproj-{}.gguf", naming::file_stem(&parts, None, encoding)),
        };
        (metadata, file_name)
    }

    /// Each part from the first of the names that has it.
    fn parts(&self, params: u64) -> NameParts {
        self.ids.iter().map(|id| NameParts::read(id, params)).fold(NameParts::default(), |first, next| {
            NameParts {
                name: first.name.or(next.name),
                organization: first.organization.or(next.organization),
                basename: first.basename.or(next.basename),
                finetune: first.finetune.or(next.finetune),
                version: first.version.or(next.version),
                size_label: first.size_label.or(next.size_label),
            }
        })
    }
}

/// Ends the part of the metadata that every file has.
pub(super) fn set_quantization_version(metadata: &mut Metadata) {
    metadata.set(keys::QUANTIZATION_VERSION, QUANTIZATION_VERSION);
}

/// The sampling parameters that the model's authors recommend.
fn sampling(dir: &Path) -> Result<Vec<(&'static str, Value)>> {
    let Some(config) = JsonFile::read_if_there(dir, "generation_config.json")? else { return Ok(Vec::new()) };
    let config = config.root();
    let mut values: Vec<(&'static str, Value)> = Vec::new();
    let mut push = |key, value: Option<Value>| values.extend(value.map(|value| (key, value)));

    let float = |name: &str| Ok::<_, Error>(config.opt::<f32>(name)?.map(Value::F32));
    let integer = |name: &str| Ok::<_, Error>(config.opt::<i32>(name)?.map(Value::I32));
    push("general.sampling.sequence", config.opt::<&str>("sequence")?.map(Value::from));
    push("general.sampling.top_k", integer("top_k")?);
    push("general.sampling.top_p", float("top_p")?);
    push("general.sampling.min_p", float("min_p")?);
    push("general.sampling.xtc_probability", float("xtc_probability")?);
    push("general.sampling.xtc_threshold", float("xtc_threshold")?);
    push("general.sampling.temp", float("temperature")?);
    push("general.sampling.penalty_last_n", integer("penalty_last_n")?);
    push("general.sampling.penalty_repeat", float("penalty_repeat")?.or(float("repetition_penalty")?));
    push("general.sampling.mirostat", integer("mirostat")?);
    push("general.sampling.mirostat_tau", float("mirostat_tau")?);
    push("general.sampling.mirostat_eta", float("mirostat_eta")?);
    Ok(values)
}
