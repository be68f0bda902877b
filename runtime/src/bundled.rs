//! pico, the model that comes with lorgnette, compiled in: about shelves, labels and readings as its recipe draws them
//! (`models/pico`).

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

use crate::Result;

/// Its language model.
///
/// # Errors
/// None, unless it was compiled in from a broken file.
pub fn language() -> Result<Arc<Gguf>> {
    open(include_bytes!("../../models/pico/pico.gguf"))
}

/// What it sees and hears with.
///
/// # Errors
/// As [`language`].
pub fn towers() -> Result<Arc<Gguf>> {
    open(include_bytes!("../../models/pico/pico-mmproj.gguf"))
}

fn open(bytes: &'static [u8]) -> Result<Arc<Gguf>> {
    Gguf::from_bytes(bytes).map(Arc::new)
}
