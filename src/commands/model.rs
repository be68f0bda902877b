use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::Result;
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::LanguageModel;

/// Which model answers.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Arguments {
    /// The language model, or its first shard
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// What it sees and hears with
    #[arg(long, value_name = "FILE")]
    mmproj: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn new(model: PathBuf, mmproj: Option<PathBuf>) -> Self {
        Self { model, mmproj }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.model
    }

    pub(crate) fn load<B: Backend>(&self, backend: B) -> Result<LanguageModel<B>> {
        self.load_from(backend, &Arc::new(Gguf::open(&self.model)?))
    }

    /// `file` is the language model, opened.
    pub(crate) fn load_from<B: Backend>(&self, backend: B, file: &Arc<Gguf>) -> Result<LanguageModel<B>> {
        let model = LanguageModel::load(backend, file)?;
        match &self.mmproj {
            Some(mmproj) => model.with_towers(&Arc::new(Gguf::open(mmproj)?)),
            None => Ok(model),
        }
    }
}
