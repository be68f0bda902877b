//! The committed checkpoints of the converter's tests as models.

use std::path::Path;
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

fn files(name: &str) -> Vec<Arc<Gguf>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quant/tests/data/convert").join(name);
    let out = tempfile::tempdir().unwrap();
    let mut options = ConvertOptions::default();
    options.outtype = OutType::F32;
    let paths = convert(&data.join("model").join(name), out.path(), &options, &()).unwrap();
    paths.into_iter().map(|path| Arc::new(Gguf::open(path).unwrap())).collect()
}
