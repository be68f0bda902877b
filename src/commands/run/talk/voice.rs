#[cfg(feature = "npu")]
use std::path::PathBuf;

use clap::ValueEnum;
use lorgnette_runtime::Result;
#[cfg(feature = "npu")]
use lorgnette_runtime::live::Silero;
use lorgnette_runtime::live::{Earshot, VoiceDetector};

/// What hears whether somebody speaks.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// What hears whether somebody speaks
    #[arg(long, value_enum, default_value_t)]
    voice: Choice,
    /// Its network, for Silero; ORT_DYLIB_PATH names the library of ONNX Runtime
    #[cfg(feature = "npu")]
    #[arg(long, value_name = "FILE", required_if_eq("voice", "silero"))]
    voice_model: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// A small network that is part of lorgnette
    #[default]
    Earshot,
    /// Silero's, computed by ONNX Runtime
    #[cfg(feature = "npu")]
    Silero,
}

impl Arguments {
    pub(super) fn detector(&self) -> Result<Box<dyn VoiceDetector>> {
        match self.voice {
            Choice::Earshot => Ok(Box::new(Earshot::default())),
            #[cfg(feature = "npu")]
            Choice::Silero => Ok(Box::new(Silero::load(self.voice_model.as_deref().unwrap_or("".as_ref()))?)),
        }
    }
}
