use lorgnette_runtime::backend::cpu;

/// On how many threads a model computes.
#[derive(clap::Args)]
pub(crate) struct Threads {
    /// Threads, 512 at most [default: as many as processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=cpu::MAX_THREADS as i64))]
    threads: Option<u16>,
}

impl Threads {
    /// Before anything is computed.
    pub(crate) fn set(&self) -> lorgnette_runtime::Result<()> {
        self.threads.map_or(Ok(()), |threads| cpu::set_threads(threads.into()))
    }
}
