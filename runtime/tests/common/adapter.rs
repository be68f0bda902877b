//! The GPU of this machine, where there is one.

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::gpu::{Gpu, Without};

/// The GPU as if it had less; says that a test is left out where there is none.
#[allow(clippy::print_stderr, reason = "what is left out is said")]
pub(crate) fn gpu(without: Without) -> Option<Gpu> {
    match Gpu::open_without(without) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Missing, "{error}");
            eprintln!("left out: {error}");
            None
        }
    }
}
