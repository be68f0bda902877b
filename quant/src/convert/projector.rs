//! The projector file: what sees, what hears, or both in one.

use super::general::{self, Kind};
use super::rules::Planned;
use super::{Directory, Model, OutType, audio, vision};
use crate::error::Result;
use crate::gguf::{Metadata, keys};

/// A tower with what projects its rows.
pub(super) struct Sense<'a> {
    /// What weights are stored as, settled.
    pub(super) outtype: OutType,
    pub(super) tensors: Vec<Planned<'a>>,
    pub(super) keys: Metadata,
}

/// The key that names the type of the projector of a file that has only one.
const TYPE: &str = "clip.projector_type";

/// A file that sees; one that also hears when the configuration has `audio_config`.
pub(super) fn plan_vision<'a>(source: &'a Directory<'_>, outtype: OutType) -> Result<Model<'a>> {
    if source.config.get("audio_config")?.is_none() {
        return Ok(file(source, vision::plan(source, outtype, TYPE)?));
    }
    let mut both = vision::plan(source, outtype, "clip.vision.projector_type")?;
    let audio = audio::plan(source, both.outtype, "clip.audio.projector_type")?;
    both.tensors.extend(audio.tensors);
    for (key, value) in audio.keys.iter() {
        both.keys.set(key, value.clone());
    }
    Ok(file(source, both))
}

/// A file that hears.
pub(super) fn plan_audio<'a>(source: &'a Directory<'_>, outtype: OutType) -> Result<Model<'a>> {
    Ok(file(source, audio::plan(source, outtype, TYPE)?))
}

fn file<'a>(source: &Directory<'_>, sense: Sense<'a>) -> Model<'a> {
    let Sense { outtype, tensors, keys: sizes } = sense;
    let (mut metadata, file_name) = source.general.start("clip", Kind::Projector, &tensors, outtype);
    metadata.set(keys::FILE_TYPE, outtype.file_type());
    for (key, value) in sizes.iter() {
        metadata.set(key, value.clone());
    }
    general::set_quantization_version(&mut metadata);
    Model { file_name, metadata, tensors }
}
