//! Cases of choosing: what comes back is exact.

use lorgnette_quant::TensorType;
use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::{Backend, Candidates};

use super::cases;
use super::scalar::Scalar;

/// Bits of the tokens that `allows`.
fn mask(count: usize, allows: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut words = vec![0; count.div_ceil(32)];
    (0..count).filter(|&token| allows(token)).for_each(|token| words[token / 32] |= 1 << (token % 32));
    words
}

/// The first `count` in order of a backend's candidates.
fn first(candidates: Candidates, count: usize) -> Vec<(TokenId, f32)> {
    let mut all: Vec<(TokenId, f32)> = match candidates {
        Candidates::All(logits) => (0..).zip(logits).filter(|(_, l)| *l != f32::NEG_INFINITY).collect(),
        Candidates::Likeliest(pairs) => pairs,
    };
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(count);
    all
}

pub(crate) fn all<B: Backend>(backend: &B) {
    // Logits of one backend, so that ties are ties for both.
    let values = Scalar.download(cases::logits(&Scalar, TensorType::F32, 3)).unwrap();
    let count = values.len() / 2;
    let mut tied = values.clone();
    tied[count..].iter_mut().for_each(|x| *x = (*x * 2.0).round());
    for (values, allows) in [
        (&values, None),
        (&tied, None),
        (&tied, Some(mask(count, |token| token % 7 == 3))),
        (&values, Some(mask(count, |token| token == count - 1))),
        (&vec![f32::NEG_INFINITY; 2 * count], Some(mask(count, |token| token >= 40))),
    ] {
        let upload = || backend.upload(count, values.clone()).unwrap();
        let scalar = Scalar.upload(count, values.clone()).unwrap();
        let allowed = allows.as_deref();
        let token = backend.likeliest(&upload(), allowed).unwrap();
        let (found, all_low) = (backend.token(&token).unwrap(), values[0] == f32::NEG_INFINITY);
        let expected = if all_low { 40 } else { Scalar.likeliest(&scalar, allowed).unwrap() };
        assert_eq!(found, expected, "{allows:?}");
        for wanted in [1, 20, 255] {
            let found = first(backend.candidates(upload(), allowed, wanted).unwrap(), wanted);
            let expected = first(Scalar.candidates(scalar.clone(), allowed, wanted).unwrap(), wanted);
            if !all_low {
                assert_eq!(found, expected, "{wanted} of {allows:?}");
            }
        }
    }
}
