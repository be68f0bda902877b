//! What an mmproj says of its projectors.

use lorgnette_quant::gguf::Metadata;

use crate::{Error, ErrorKind, Result};

/// The type of the projector for `part`, which is `vision` or `audio`: one for both, or one for each.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when it is none of those `known`.
pub(super) fn projector_type<'a>(metadata: &'a Metadata, part: &str, known: &[&str]) -> Result<&'a str> {
    let key = match metadata.get::<&str>("clip.projector_type")? {
        Some(_) => "clip.projector_type".to_owned(),
        None => format!("clip.{part}.projector_type"),
    };
    let found = metadata.require(&key)?;
    if known.contains(&found) {
        return Ok(found);
    }
    let detail = format!("found {found:?}, known for {part}: {}", known.join(", "));
    Err(Error::new(ErrorKind::Unsupported, key, detail))
}
