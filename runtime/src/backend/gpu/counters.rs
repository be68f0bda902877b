//! What the device was asked to do.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What was asked of a device since it was opened; the difference of two is what was asked between them.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        /// The same, counting.
        #[derive(Default)]
        pub(super) struct Counts { $(pub(super) $name: AtomicU64,)* }

        impl Counts {
            pub(super) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }

        impl Sub for Counters {
            type Output = Self;

            fn sub(self, before: Self) -> Self {
                Self { $($name: self.$name - before.$name,)* }
            }
        }
    };
}

counters! {
    /// Kernels that were started.
    dispatches,
    /// Compute passes.
    passes,
    /// Submissions to the queue.
    submits,
    /// Bytes that came back to the host.
    bytes_read,
    /// Buffers made; those that come from the pool again do not count.
    buffers_created,
    /// Bind groups made.
    groups_created,
    /// Kernels compiled, or taken from what was compiled before.
    kernels_compiled,
}
