use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;
use lorgnette_quant::{Error, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::LanguageModel;

/// Which language model it is.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Language {
    #[cfg_attr(
        feature = "pico",
        doc = "The language model, or its first shard [default: pico, which is part of this program]"
    )]
    #[cfg_attr(not(feature = "pico"), doc = "The language model, or its first shard")]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl Language {
    /// The file that is named; `None` for what is part of this program.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// Whether there is one: a file that is named, or what is part of this program.
    pub(crate) fn is_there(&self) -> bool {
        cfg!(feature = "pico") || self.model.is_some()
    }

    /// What it is called where its file does not say.
    pub(crate) fn stem(&self) -> String {
        let stem = self.path().and_then(Path::file_stem);
        stem.map_or_else(|| "pico".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    pub(crate) fn open(&self) -> Result<Arc<Gguf>> {
        match &self.model {
            Some(path) => Ok(Arc::new(Gguf::open(path)?)),
            None => bundled::language(),
        }
    }

    /// `error`, with the file that it is about.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match &self.model {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

/// Which model answers.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(flatten)]
    language: Language,
    /// What it sees and hears with
    #[arg(long, value_name = "FILE", requires = "model")]
    mmproj: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn new(model: PathBuf, mmproj: Option<PathBuf>) -> Self {
        Self { language: Language { model: Some(model) }, mmproj }
    }

    pub(crate) fn language(&self) -> &Language {
        &self.language
    }

    pub(crate) fn load<B: Backend>(&self, backend: B) -> Result<LanguageModel<B>> {
        self.load_from(backend, &self.language.open()?)
    }

    /// `file` is the language model, opened.
    pub(crate) fn load_from<B: Backend>(&self, backend: B, file: &Arc<Gguf>) -> Result<LanguageModel<B>> {
        let model = LanguageModel::load(backend, file)?;
        match self.towers()? {
            Some(towers) => model.with_towers(&towers),
            None => Ok(model),
        }
    }

    /// What it sees and hears with, opened.
    pub(crate) fn towers(&self) -> Result<Option<Arc<Gguf>>> {
        match (&self.mmproj, self.language.path()) {
            (Some(mmproj), _) => Ok(Some(Arc::new(Gguf::open(mmproj)?))),
            (None, Some(_)) => Ok(None),
            (None, None) => bundled::towers().map(Some),
        }
    }
}

#[cfg(feature = "pico")]
use lorgnette_runtime::bundled;

/// Nothing is.
#[cfg(not(feature = "pico"))]
mod bundled {
    use super::*;

    pub(super) fn language() -> Result<Arc<Gguf>> {
        Err(Error::missing("--model", "a file"))
    }

    pub(super) fn towers() -> Result<Arc<Gguf>> {
        Err(Error::missing("--mmproj", "a file"))
    }
}
