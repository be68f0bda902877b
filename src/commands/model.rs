use std::path::PathBuf;
use std::sync::Arc;

use lorgnette_quant::Result;
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::LanguageModel;

/// Which model answers.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The language model, or its first shard
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// What it sees and hears with
    #[arg(long, value_name = "FILE")]
    mmproj: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn load(&self) -> Result<LanguageModel<Cpu>> {
        let model = LanguageModel::load(Cpu, &Arc::new(Gguf::open(&self.model)?))?;
        match &self.mmproj {
            Some(mmproj) => model.with_towers(&Arc::new(Gguf::open(mmproj)?)),
            None => Ok(model),
        }
    }
}
