//! pico, the model that comes with lorgnette, compiled in: about shelves, labels and readings as its recipe draws them
//! (`models/pico`).

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

use crate::Result;
use crate::mode::router::Calibration;

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

/// When it should think first.
///
/// # Errors
/// As [`language`].
pub fn calibration() -> Result<Calibration> {
    Calibration::parse(include_str!("../../models/pico/router.json"))
}

fn open(bytes: &'static [u8]) -> Result<Arc<Gguf>> {
    Gguf::from_bytes(bytes).map(Arc::new)
}
