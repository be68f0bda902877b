//! Any bytes as a GGUF file: opened, inspected, decoded, written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lorgnette_quant::block;
use lorgnette_quant::gguf::{Gguf, TensorInfo, Writer};
use lorgnette_quant::inspect::Inspection;

fuzz_target!(|bytes: &[u8]| {
    let model = match Gguf::from_bytes(bytes.to_vec()) {
        Ok(model) => model,
        Err(error) => return assert!(!error.field().is_empty(), "{error} names no field"),
    };
    let infos: Vec<TensorInfo> = model.tensors().map(|t| t.info.clone()).collect();
    let mut writer = Writer::new(Vec::new(), model.metadata(), &infos).unwrap();
    for tensor in model.tensors() {
        let mut values = vec![0.0; tensor.info.shape().elements()];
        let decoded = block::decode(tensor.info.ty(), tensor.data, &mut values);
        assert_eq!(decoded.is_ok(), block::can_encode(tensor.info.ty()));
        block::validate(tensor.info.ty(), tensor.data).ok();
        writer.write(tensor.data).unwrap();
    }
    let again = Gguf::from_bytes(writer.finish().unwrap()).unwrap();
    assert!(again.tensors().zip(model.tensors()).all(|(a, b)| a.info == b.info && a.data == b.data));
    Inspection::of(&model).ok();
});
