//! What the levels of x86-64 share.

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
