//! The committed checkpoints of the converter's tests as models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::convert::{ConvertOptions, OutType, convert};
use lorgnette_quant::gguf::Gguf;

/// The committed checkpoint `name` as GGUF in f32.
pub(crate) fn converted(name: &str) -> Arc<Gguf> {
    files(name).swap_remove(0)
}

/// The same, with its mmproj.
pub(crate) fn converted_with_towers(name: &str) -> (Arc<Gguf>, Arc<Gguf>) {
    let mut files = files(name);
    let mmproj = files.pop().unwrap();
    (files.pop().unwrap(), mmproj)
}

/// Writes the committed checkpoint `name` as GGUF in f32.
#[allow(dead_code, reason = "each test binary uses its own part")]
pub(crate) fn save(name: &str, to: &Path) {
    let out = tempfile::tempdir().unwrap();
    std::fs::copy(&paths(name, out.path())[0], to).unwrap();
}

fn files(name: &str) -> Vec<Arc<Gguf>> {
    let out = tempfile::tempdir().unwrap();
    paths(name, out.path()).into_iter().map(|path| Arc::new(Gguf::open(path).unwrap())).collect()
}

fn paths(name: &str, out: &Path) -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quant/tests/data/convert").join(name);
    let mut options = ConvertOptions::default();
    options.outtype = OutType::F32;
    convert(&data.join("model").join(name), out, &options, &()).unwrap()
}
