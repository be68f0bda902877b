// The activations of `Activation`, numbered as in matmul/mod.rs.
fn logistic(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

// Abramowitz and Stegun 7.1.26, to 1.5e-7.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - sum * exp(-x * x));
}

fn activated(kind: u32, x: f32) -> f32 {
    switch kind {
        case 1u: { return 0.5 * x * (1.0 + erf(x * 0.70710678118654752)); }
        case 2u: { return x * logistic(2.0 * 0.7978845608028654 * (x + 0.044715 * x * x * x)); }
        case 3u: { return x * logistic(1.702 * x); }
        case 4u: { return x * logistic(x); }
        default: { return x; }
    }
}
