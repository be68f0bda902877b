//! All ways to a product agree.

use std::fmt;

use lorgnette_quant::block;

use super::*;

/// How far a product in 8-bit activations may be from that in floats, relative to the lengths of the two rows. Rounding
/// errs by at most half a level of a 127th of the largest in 32, and errors of random sign mostly cancel.
const LEVELS_TOLERANCE: f32 = 4e-3;

/// As above, where both are summed in f32, in different orders.
const FLOAT_TOLERANCE: f32 = 1e-6;

/// Numbers from -1 to 1, now and then ten times larger.
fn random(count: usize, mut seed: u32) -> Vec<f32> {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|i| if i % 61 == 7 { 10.0 * next() } else { next() }).collect()
}

struct Case {
    ty: TensorType,
    outputs: usize,
    data: Vec<u8>,
    panels: Option<Panels>,
    rows: Rows,
}

impl Case {
    fn new(ty: TensorType, outputs: usize, width: usize, count: usize) -> Self {
        let weights = random(outputs * width, 1);
        let mut data = vec![0; ty.bytes_for(weights.len()).expect("whole blocks")];
        block::encode(ty, &weights, width, None, &mut data).expect("weights encode");
        let panels = Panels::pack(ty, &data, outputs);
        Self { ty, outputs, data, panels, rows: Rows { width, values: random(count * width, 2) } }
    }

    fn view(&self) -> View<'_> {
        let data = self.panels.as_ref().map_or(Data::Blocks(&self.data), Data::Panels);
        View { ty: self.ty, outputs: self.outputs, data }
    }

    fn product(&self, level: Level, rows: &Rows) -> Rows {
        let [out] = matmuls(level, [Product::plain(self.view())], rows).expect("a product");
        out
    }

    fn row(&self, index: usize) -> Rows {
        let values = self.rows.values[index * self.rows.width..][..self.rows.width].to_vec();
        Rows { width: self.rows.width, values }
    }

    /// The largest distance from the sum of products of decoded weights, relative to the lengths of the rows.
    fn error(&self, product: &Rows) -> f32 {
        let width = self.rows.width;
        let mut weights = vec![0.0; self.outputs * width];
        block::decode(self.ty, &self.data, &mut weights).expect("whole blocks");
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let mut largest = 0.0_f64;
        for (x, out) in self.rows.values.chunks(width).zip(product.values.chunks(self.outputs)) {
            for (w, &out) in weights.chunks(width).zip(out) {
                let length = (dot(x, x) * dot(w, w)).sqrt();
                largest = largest.max((dot(x, w) - f64::from(out)).abs() / length);
            }
        }
        largest as f32
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} x {}, {} rows", self.ty, self.outputs, self.rows.width, self.rows.count())
    }
}

fn bits(rows: &Rows) -> Vec<u32> {
    rows.values.iter().map(|x| x.to_bits()).collect()
}

fn cases() -> impl Iterator<Item = Case> {
    let sizes = [
        (1, 32, 1),
        (7, 64, 3),
        (33, 576, 4),
        (70, 960, 9),
        (17, 256, 5),
        (48, 1536, 2),
        (35, 768, 31),
        (5, 50, 13),
        (40, 300, 14),
        (3, 1, 2),
    ];
    let types = TensorType::ALL.iter().filter(|&&ty| block::can_encode(ty));
    types.flat_map(move |&ty| {
        let fits = sizes.into_iter().filter(move |size| size.1 % ty.block_len() == 0);
        fits.map(move |(outputs, width, count)| Case::new(ty, outputs, width, count))
    })
}

#[test]
fn every_level_gives_the_same_bits_for_levels() {
    for case in cases().filter(|case| case.view().has_levels()) {
        let expected = bits(&case.product(Level::all()[0], &case.rows));
        for &level in Level::all() {
            assert!(bits(&case.product(level, &case.rows)) == expected, "{case}, {level:?}");
        }
    }
}

#[test]
fn a_row_is_the_same_among_others_and_alone() {
    for case in cases() {
        for &level in Level::all() {
            let together = case.product(level, &case.rows);
            let alone = (0..case.rows.count()).flat_map(|i| bits(&case.product(level, &case.row(i))));
            assert!(alone.eq(bits(&together)), "{case}, {level:?}");
        }
    }
}

#[test]
fn products_are_those_of_decoded_weights() {
    for case in cases() {
        let tolerance = if case.view().has_levels() { LEVELS_TOLERANCE } else { FLOAT_TOLERANCE };
        for &level in Level::all() {
            let error = case.error(&case.product(level, &case.rows));
            assert!(error < tolerance, "{case}, {level:?}: {error}");
        }
    }
}

#[test]
fn an_activation_that_is_not_finite_shows_in_its_row_only() {
    let mut case = Case::new(TensorType::Q4_K, 33, 512, 5);
    let clean = case.product(Level::best(), &case.rows);
    case.rows.values[2 * 512 + 300] = f32::NAN;
    let product = case.product(Level::best(), &case.rows);
    for (row, (product, clean)) in product.values.chunks(33).zip(clean.values.chunks(33)).enumerate() {
        assert!(if row == 2 { product.iter().all(|x| x.is_nan()) } else { product == clean });
    }
}

#[test]
fn bias_activation_and_residual_come_after_the_sums() {
    let bend = |x: f32| x / (1.0 + (-x).exp());
    for ty in [TensorType::F16, TensorType::Q8_0] {
        let case = Case::new(ty, 70, 64, 5);
        let (bias, residual) = (random(70, 3), random(5 * 70, 4));
        for &level in Level::all() {
            let plain = case.product(level, &case.rows);
            let mut sum = residual.clone();
            let shared = Shared::new(&mut sum);
            let product = Product {
                bias: Some(&bias),
                activation: Some(Activation::Silu),
                residual: Some(&shared),
                ..Product::plain(case.view())
            };
            let [out] = matmuls(level, [product], &case.rows).expect("a product");
            for (i, x) in plain.values.iter().enumerate() {
                let expected = bend(x + bias[i % 70]);
                assert!((out.values[i] - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{ty}, {level:?}");
                assert_eq!(sum[i], residual[i] + out.values[i], "{ty}, {level:?}");
            }
        }
    }
}
