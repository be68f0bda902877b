//! Folders with a model in them, to be quantized.

use std::fs;
use std::path::{Path, PathBuf};

use lorgnette_quant::TensorType;
use lorgnette_quant::gguf::{Metadata, TensorInfo, Writer};
use lorgnette_quant::quantize::{Mix, Options};

use super::tensor;

pub(crate) fn write(path: &Path, metadata: &Metadata, tensors: &[(TensorInfo, Vec<u8>)]) {
    let infos: Vec<_> = tensors.iter().map(|(info, _)| info.clone()).collect();
    let mut writer = Writer::new(fs::File::create(path).unwrap(), metadata, &infos).unwrap();
    tensors.iter().for_each(|(_, data)| writer.write(data).unwrap());
    writer.finish().unwrap();
}

/// A folder with `in.gguf`, and the paths of it and of `out.gguf`.
pub(crate) struct Folder {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
}

impl Folder {
    pub(crate) fn with(metadata: &Metadata, tensors: &[(TensorInfo, Vec<u8>)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.gguf"), dir.path().join("out.gguf"));
        write(&input, metadata, tensors);
        Self { dir, input, output }
    }

    /// One tensor called `name`.
    pub(crate) fn with_one(name: &str, dims: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::with(&Metadata::new(), &[(tensor(name, dims, TensorType::F32), data)])
    }

    pub(crate) fn files(&self) -> usize {
        fs::read_dir(self.dir.path()).unwrap().count()
    }
}

pub(crate) fn mix(mix: Mix) -> Options {
    Options { mix, ..Options::default() }
}
