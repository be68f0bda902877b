//! The k-quants: super-blocks of 256 elements in sub-blocks, whose scales are themselves small integers with a scale.

mod affine;
mod q2_k;
mod q3_k;
mod q45_k;
mod q6_k;
mod q8_k;
mod symmetric;

pub(super) use q2_k::Q2K;
pub(super) use q3_k::Q3K;
pub(super) use q6_k::Q6K;
pub(super) use q8_k::Q8K;
pub(super) use q45_k::Q45K;
