//! The formats that weights are decoded from on the GPU.

use lorgnette_quant::TensorType;

macro_rules! formats {
    ($($variant:ident = $name:literal,)*; $($of:ident packed $packed:ident = $packed_name:literal,)*) => {
        /// How weights are stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(non_camel_case_types, reason = "as in TensorType")]
        pub(super) enum Format { $($variant,)* $($packed,)* }

        impl Format {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)* $(Self::$packed),*];

            /// That of tensors of type `ty`, if there is one.
            pub(super) fn of(ty: TensorType) -> Option<Self> {
                match ty { $(TensorType::$variant => Some(Self::$variant),)* _ => None }
            }

            /// The type of its tensors.
            pub(super) fn ty(self) -> TensorType {
                match self { $(Self::$variant => TensorType::$variant,)* $(Self::$packed => TensorType::$of,)* }
            }

            /// The same, packed in texels, if there is a way.
            pub(super) fn in_texels(self) -> Option<Self> {
                match self { $(Self::$of => Some(Self::$packed),)* _ => None }
            }

            /// Whether it is read from a texture.
            pub(super) fn is_in_texels(self) -> bool {
                matches!(self, $(Self::$packed)|*)
            }

            /// Whether `block_$s` of its file makes signed bytes of a unit.
            pub(super) fn has_levels(self) -> bool {
                !self.is_in_texels() && self.ty().block_len() > 1
            }

            /// Whether the halves of a unit have scales of their own.
            pub(super) fn has_two_scales(self) -> bool {
                self == Self::Q6_K
            }

            /// As its file in `shared/format` is called.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* $(Self::$packed => $packed_name,)* }
            }
        }
    };
}

formats! {
    F32 = "f32",
    F16 = "f16",
    BF16 = "bf16",
    Q4_0 = "q4_0",
    Q4_1 = "q4_1",
    Q5_0 = "q5_0",
    Q5_1 = "q5_1",
    Q8_0 = "q8_0",
    Q4_K = "q4_k",
    Q5_K = "q5_k",
    Q6_K = "q6_k",
    ;
    Q4_0 packed Q4_0_TEXELS = "q4_0_texels",
    Q8_0 packed Q8_0_TEXELS = "q8_0_texels",
}
