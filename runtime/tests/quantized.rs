//! Models in blocks say nearly what their decoded weights say: only activations are rounded.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use lorgnette_quant::convert::{ConvertOptions, OutType, convert};
use lorgnette_quant::gguf::{Gguf, TensorInfo, Writer};
use lorgnette_quant::quantize::{Mix, Options, quantize};
use lorgnette_quant::{TensorType, block};
use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::decoder::{Decoder, Wanted};

/// How far logits may be from those of decoded weights, relative to the length of a row: what 8-bit activations cost.
const LEVELS_TOLERANCE: f64 = 0.02;

/// The model at `from` with all weights decoded to f32.
fn decode(from: &Path, to: &Path) {
    let model = Gguf::open(from).unwrap();
    let infos: Vec<_> = model.tensors().map(|tensor| tensor.info.clone()).collect();
    let decoded = |info: &TensorInfo| TensorInfo::new(info.name(), info.shape(), TensorType::F32).unwrap();
    let tensors: Vec<_> = infos.iter().map(decoded).collect();
    let mut writer = Writer::new(File::create(to).unwrap(), model.metadata(), &tensors).unwrap();
    for info in &infos {
        let mut floats = vec![0.0_f32; info.shape().elements()];
        block::decode(info.ty(), model.tensor(info.name()).unwrap().data, &mut floats).unwrap();
        writer.write(&floats.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    }
    writer.finish().unwrap();
}

fn logits(model: &Path, tokens: &[TokenId]) -> Vec<f32> {
    let model = Decoder::load(Cpu, &Arc::new(Gguf::open(model).unwrap())).unwrap();
    model.forward(&mut model.sequence(64).unwrap(), tokens, Wanted::All).unwrap()
}

#[test]
fn logits_are_near_those_of_decoded_weights() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quant/tests/data/convert");
    let tokens: Vec<TokenId> = (1..40).collect();
    for name in ["qwen3-0.6b", "Llama-3.2-tiny-Instruct"] {
        let out = tempfile::tempdir().unwrap();
        let mut options = ConvertOptions::default();
        options.outtype = OutType::F32;
        let model = convert(&data.join(name).join("model").join(name), out.path(), &options, &()).unwrap();
        for mix in [Mix::Q8_0, Mix::Q4_0, Mix::Q5_1, Mix::Q4_K_M] {
            let (blocks, floats) = (out.path().join("blocks.gguf"), out.path().join("floats.gguf"));
            quantize(&model[0], &blocks, &Options { mix, ..Options::default() }, &()).unwrap();
            decode(&blocks, &floats);
            let (found, expected) = (logits(&blocks, &tokens), logits(&floats, &tokens));
            let length =
                |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let distance = length(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
            let error = distance / length(&mut expected.iter().copied());
            assert!(error < LEVELS_TOLERANCE, "{name}, {mix:?}: {error}");
        }
    }
}
