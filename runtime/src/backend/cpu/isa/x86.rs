//! What the levels of x86-64 share.

use std::arch::x86_64::*;

/// Evaluates intrinsics.
macro_rules! vector {
    ($intrinsics:expr) => {{
        #[allow(unused_unsafe, reason = "intrinsics without pointers are safe where their features are on")]
        // SAFETY: the types of this folder are only named by `Level::run`, which has seen their features; and what is
        // loaded or stored has been sliced to the length of a register.
        unsafe {
            $intrinsics
        }
    }};
}

pub(super) use vector;

/// Asks for the line of memory at `address`, which may be none of the program's.
#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: every x86-64 has SSE, and a prefetch never faults.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}
