#include shared/format/halves.wgsl

fn two_$s(word: u32) -> vec2<f32> {
    return unpack2x16float(word);
}
