//! Registers of every level, at the bounds of what they are given.

use half::f16;

use super::*;

struct Dots<const WIDE: bool> {
    level: u8,
    activation: i8,
}

impl<const WIDE: bool> Work for Dots<WIDE> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { level, activation } = self;
        let word = i32::from_le_bytes([activation as u8; 4]);
        let levels = I::load_int(&[u32::from_le_bytes([level; 4]); MAX_LANES]);
        let (lanes, product) = (I::LANES as i32, i32::from(level) * i32::from(activation));
        let dot = I::dot::<WIDE>(I::splat_int(7), levels, word);
        assert_eq!(I::sum_int(dot), lanes * (7 + 4 * product), "{level} * {activation}");
    }
}

#[test]
fn products_of_the_largest_bytes_do_not_overflow() {
    for &level_of_machine in Level::all() {
        for activation in [-127, -1, 0, 1, 127] {
            for level in [0, 1, 127] {
                level_of_machine.run(Dots::<false> { level, activation });
            }
            for level in [0, 1, 127, 128, 255] {
                level_of_machine.run(Dots::<true> { level, activation });
            }
        }
    }
}

struct Halves<'a>(&'a [u16]);

impl Work for Halves<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<f32> {
        let mut floats = vec![0.0; self.0.len()];
        for (bits, floats) in self.0.chunks_exact(I::LANES).zip(floats.chunks_exact_mut(I::LANES)) {
            I::store(I::load_halves(bits), floats);
        }
        floats
    }
}

#[test]
fn every_half_is_its_float() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    for &level in Level::all() {
        for (&bits, float) in halves.iter().zip(level.run(Halves(&halves))) {
            let expected = f16::from_bits(bits).to_f32();
            let same = float.to_bits() == expected.to_bits() || float.is_nan() && expected.is_nan();
            assert!(same, "{bits:#x}: {float}, {level:?}");
        }
    }
}

struct Transpose<'a>(&'a [f32], &'a mut [f32]);

impl Work for Transpose<'_> {
    type Output = usize;

    fn run<I: Isa>(self) -> usize {
        I::transpose(self.0, 23, self.1, 19);
        I::LANES
    }
}

#[test]
fn squares_are_turned() {
    let x: Vec<f32> = (0..23 * MAX_LANES).map(|i| i as f32).collect();
    for &level in Level::all() {
        let mut out = vec![-1.0; 19 * MAX_LANES];
        let lanes = level.run(Transpose(&x, &mut out));
        for (at, &found) in out.iter().enumerate() {
            let (j, i) = (at / 19, at % 19);
            let expected = if j < lanes && i < lanes { (i * 23 + j) as f32 } else { -1.0 };
            assert_eq!(found, expected, "{level:?}, {i} {j}");
        }
    }
}
