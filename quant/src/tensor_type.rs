//! The element types a GGUF tensor can have, with the size of their blocks.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

macro_rules! tensor_types {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $name:literal, $len:literal, $bytes:literal;)*) => {
        /// How a tensor's elements are stored. The numbers are those of GGUF's `ggml_type`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        #[non_exhaustive]
        #[allow(non_camel_case_types, reason = "the field writes Q4_K, and Q4K would read as another type")]
        pub enum TensorType { $($(#[$doc])* $variant = $id,)* }

        impl TensorType {
            /// Every type this crate can decode.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The type with GGUF's number `id`.
            pub const fn from_id(id: u32) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)* _ => None }
            }

            /// The name as llama.cpp's tools print it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Elements in one block.
            pub const fn block_len(self) -> usize {
                match self { $(Self::$variant => $len,)* }
            }

            /// Bytes of one block.
            pub const fn block_bytes(self) -> usize {
                match self { $(Self::$variant => $bytes,)* }
            }
        }
    };
}

tensor_types! {
    /// IEEE 754 binary32.
    F32 = 0, "F32", 1, 4;
    /// IEEE 754 binary16.
    F16 = 1, "F16", 1, 2;
    /// 4 bits, one f16 scale for 32.
    Q4_0 = 2, "Q4_0", 32, 18;
    /// 4 bits, f16 scale and minimum for 32.
    Q4_1 = 3, "Q4_1", 32, 20;
    /// 5 bits, one f16 scale for 32.
    Q5_0 = 6, "Q5_0", 32, 22;
    /// 5 bits, f16 scale and minimum for 32.
    Q5_1 = 7, "Q5_1", 32, 24;
    /// 8 bits, one f16 scale for 32.
    Q8_0 = 8, "Q8_0", 32, 34;
    /// 2 bits, 4-bit scales and minima for 16, in 256.
    Q2_K = 10, "Q2_K", 256, 84;
    /// 3 bits, 6-bit scales for 16, in 256.
    Q3_K = 11, "Q3_K", 256, 110;
    /// 4 bits, 6-bit scales and minima for 32, in 256.
    Q4_K = 12, "Q4_K", 256, 144;
    /// 5 bits, 6-bit scales and minima for 32, in 256.
    Q5_K = 13, "Q5_K", 256, 176;
    /// 6 bits, 8-bit scales for 16, in 256.
    Q6_K = 14, "Q6_K", 256, 210;
    /// 8 bits, one f32 scale for 256, with sums for 16.
    Q8_K = 15, "Q8_K", 256, 292;
    /// 4 bits into a non-linear table, one f16 scale for 32.
    IQ4_NL = 20, "IQ4_NL", 32, 18;
    /// 4 bits into a non-linear table, 6-bit scales for 32, in 256.
    IQ4_XS = 23, "IQ4_XS", 256, 136;
    /// Signed 8-bit integers.
    I8 = 24, "I8", 1, 1;
    /// Signed 16-bit integers.
    I16 = 25, "I16", 1, 2;
    /// Signed 32-bit integers.
    I32 = 26, "I32", 1, 4;
    /// Signed 64-bit integers.
    I64 = 27, "I64", 1, 8;
    /// IEEE 754 binary64.
    F64 = 28, "F64", 1, 8;
    /// The upper half of a binary32.
    BF16 = 30, "BF16", 1, 2;
    /// 4-bit floats (E2M1), one power-of-two scale for 32 (OCP Microscaling).
    MXFP4 = 39, "MXFP4", 32, 17;
}

impl TensorType {
    /// GGUF's number for this type.
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// Bytes of `len` elements, or `None` when they are not whole blocks or the size overflows.
    pub const fn bytes_for(self, len: usize) -> Option<usize> {
        if !len.is_multiple_of(self.block_len()) {
            return None;
        }
        (len / self.block_len()).checked_mul(self.block_bytes())
    }

    /// Whether several elements share a scale, as opposed to plain numbers.
    pub const fn is_quantized(self) -> bool {
        self.block_len() > 1
    }

    /// Average bits an element takes.
    pub fn bits_per_weight(self) -> f64 {
        self.block_bytes() as f64 * 8.0 / self.block_len() as f64
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TensorType {
    type Err = Error;

    /// Reads a name in any case: `q4_k`, `Q4_K`.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|t| t.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|t| t.name()).collect();
            Error::new(
                ErrorKind::Argument,
                name,
                format!("not a tensor type; known are {}", known.join(", ")),
            )
        })
    }
}
