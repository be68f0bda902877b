//! IEEE binary16 numbers on machines without instructions for them.

/// The float that `bits` stand for.
#[inline(always)]
pub(super) fn half_to_float(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    // As the low bits of an f32 the exponent is 112 too small, which the multiplication mends, subnormals included.
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let infinite = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | sign | infinite)
}

/// The bits of the nearest half, ties to even. What is too large becomes infinite; NaN keeps its upper bits, and is
/// quiet.
#[inline(always)]
pub(super) fn float_to_half(x: f32) -> u16 {
    const SMALLEST_NORMAL: u32 = (127 - 14) << 23;
    const TOO_LARGE: u32 = (127 + 16) << 23;
    const INFINITE: u32 = 255 << 23;
    let magnitude = x.to_bits() & 0x7fff_ffff;
    let half = if magnitude > INFINITE {
        0x7e00 | magnitude >> 13 & 0x1ff
    } else if magnitude >= TOO_LARGE {
        0x7c00
    } else if magnitude >= SMALLEST_NORMAL {
        ((magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13) - (112 << 10)
    } else {
        // Half of one has units of the smallest half, to which the addition rounds.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()
    };
    (half | x.to_bits() >> 16 & 0x8000) as u16
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::backend::cpu::isa::{Isa, Level, MAX_LANES, Work};

    struct Store([f32; MAX_LANES]);

    impl Work for Store {
        type Output = u16;

        fn run<I: Isa>(self) -> u16 {
            let mut out = [0; MAX_LANES];
            I::store_halves(I::load(&self.0), &mut out);
            out[I::LANES - 1]
        }
    }

    #[test]
    fn floats_round_to_the_nearest_half() {
        // Every exponent with mantissas around the ties, both signs, and a stride over all bits.
        let near = (0..=255_u32).flat_map(|exponent| {
            let mantissas =
                [0, 1, 0xfff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001, 0x7f_efff, 0x7f_f000, 0x7f_ffff];
            mantissas.into_iter().map(move |mantissa| exponent << 23 | mantissa)
        });
        let strided = (0..u32::MAX).step_by(99_991);
        for bits in near.chain(strided).flat_map(|bits| [bits, bits ^ 1 << 31]) {
            let x = f32::from_bits(bits);
            let expected = f16::from_f32(x).to_bits();
            assert_eq!(float_to_half(x), expected, "{x} {bits:#x}");
            for &level in Level::all() {
                assert_eq!(level.run(Store([x; MAX_LANES])), expected, "{x} {bits:#x}, {level:?}");
            }
        }
    }

    #[test]
    fn halves_are_the_floats_they_stand_for() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (half_to_float(bits), f16::from_bits(bits).to_f32());
            assert!(found == expected || found.is_nan() && expected.is_nan(), "{bits:#x}");
        }
    }
}
