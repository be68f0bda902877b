// 144 bytes for 256: scale of the scales, of the minima, both of eight sub-blocks, nibbles of each 64.
#include shared/format/k_scales.wgsl
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let at = (index >> 3u) * 36u;
    let scales = scales_$s(at, sub);
    let base = vec4<f32>(scales.y);
    let levels = at + 4u + (sub >> 1u) * 8u;
    let shift = (sub & 1u) * 4u;
    return array<vec4<f32>, 8>(
#for i in 0..8
        vec4<f32>(low_nibbles(weights_$s[levels + $iu] >> shift)) * scales.x + base,
#end
    );
}
