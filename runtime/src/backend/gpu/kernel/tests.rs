//! Every permutation is parsed and validated, without a GPU.

use naga::front::wgsl;
use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::super::product::{Numbers, Then, Variant};
use super::*;

/// Products as stages ask for them, in every format and every way.
fn products() -> Vec<Kernel> {
    let variants = [
        Variant::Lane { group: 8, rows: 2, tokens: 1 },
        Variant::Lane { group: 8, rows: 2, tokens: 8 },
        Variant::Wide { group: 64, threads: 16, subgroups: false },
        Variant::Wide { group: 64, threads: 8, subgroups: true },
        Variant::Wide { group: 64, threads: 64, subgroups: true },
        Variant::Tile { numbers: Numbers::Floats },
        Variant::Tile { numbers: Numbers::Halves },
        Variant::Tile { numbers: Numbers::Levels },
        Variant::Cooperative { group: 8, side: 8 },
        Variant::Cooperative { group: 32, side: 16 },
    ];
    let mut all = Vec::new();
    for variant in variants {
        for (index, &format) in Format::ALL.iter().enumerate() {
            let other = Format::ALL[(index + 5) % Format::ALL.len()];
            let cases = [
                (vec![format], Then::Store),
                (vec![format], Then::Add),
                (vec![format, format], Then::Gate),
                (vec![format, other], Then::Gate),
                (vec![format, format, format], Then::Store),
                (vec![format, other, other], Then::Store),
            ];
            for (formats, then) in cases {
                let levels = variant == Variant::Tile { numbers: Numbers::Levels };
                if levels && !formats.iter().all(|format| format.has_levels()) {
                    continue;
                }
                for switches in 0..8 {
                    let [vectors, bias, norm] = [0, 1, 2].map(|bit| switches >> bit & 1 == 1);
                    if norm && !variant.norms() {
                        continue;
                    }
                    let formats = formats.clone();
                    let product = Product { variant, formats, vectors, uniform: None, norm, bias, then };
                    if vectors && matches!(variant, Variant::Lane { tokens: 1, .. }) {
                        all.push(Kernel::Product(Product { uniform: Some(16), ..product.clone() }));
                    }
                    all.push(Kernel::Product(product));
                }
            }
        }
    }
    all
}

fn others() -> Vec<Kernel> {
    let mut all = vec![Kernel::Gather, Kernel::MeanPool, Kernel::AttendCombine { len: 80 }];
    for yes in [false, true] {
        all.extend([Kernel::Norm { layer: yes }, Kernel::Argmax { mask: yes }]);
        all.extend([Kernel::Top { first: true, mask: yes }, Kernel::Top { first: false, mask: false }]);
        for &format in Format::ALL {
            all.extend([false, true].map(|add| Kernel::Embed { format, numbers: yes, add }));
        }
        for len in [2, 12, 64, 80, 128, 256] {
            for turn in [None, Some(Turn::Neighbours), Some(Turn::Halves)] {
                all.extend([false, true].map(|norm| Kernel::WriteHeads { len, f16: yes, norm, turn }));
            }
            all.extend([1, 3].map(|share| Kernel::AttendTile { len, f16: yes, share }));
            all.extend([1, 3, 8].map(|share| Kernel::AttendSplit { len, f16: yes, share, shares: 2 }));
        }
    }
    all
}

#[test]
fn every_permutation_is_valid() {
    let capabilities = Capabilities::IMMEDIATES
        | Capabilities::SUBGROUP
        | Capabilities::SHADER_FLOAT16
        | Capabilities::SHADER_FLOAT16_IN_FLOAT32
        | Capabilities::COOPERATIVE_MATRIX;
    for kernel in products().into_iter().chain(others()) {
        let (_, source) = kernel.source().unwrap_or_else(|e| panic!("{kernel:?}: {e}"));
        let module =
            wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&source)));
        let validated = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
        validated.unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&source)));
        let bound = |access| {
            let mut numbers: Vec<u32> = module
                .global_variables
                .iter()
                .filter_map(|(_, variable)| match (variable.space, &variable.binding) {
                    (naga::AddressSpace::Storage { access }, Some(binding)) => {
                        let written = access.contains(naga::StorageAccess::STORE);
                        Some((if written { Access::Write } else { Access::Read }, binding.binding))
                    }
                    (naga::AddressSpace::Uniform, Some(binding)) => Some((Access::Uniform, binding.binding)),
                    (naga::AddressSpace::Handle, Some(binding)) => Some((Access::Texels, binding.binding)),
                    _ => None,
                })
                .filter_map(|(found, number)| (found == access).then_some(number))
                .collect();
            numbers.sort_unstable();
            numbers
        };
        for access in [Access::Read, Access::Write, Access::Uniform, Access::Texels] {
            let mut told: Vec<u32> =
                kernel.bindings().iter().filter(|(_, a)| *a == access).map(|(number, _)| *number).collect();
            told.sort_unstable();
            assert_eq!(bound(access), told, "{kernel:?}");
        }
    }
}
