// 176 bytes for 256: as Q4_K, with the fifth bits before the nibbles.
#include shared/format/k_scales.wgsl
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let at = (index >> 3u) * 44u;
    let scales = scales_$s(at, sub);
    let base = vec4<f32>(scales.y);
    let levels = at + 12u + (sub >> 1u) * 8u;
    let shift = (sub & 1u) * 4u;
    let one = vec4<u32>(1u);
#for i in 0..8
    let high$i = (bytes_of(weights_$s[at + 4u + $iu]) >> vec4<u32>(sub)) & one;
#end
    return array<vec4<f32>, 8>(
#for i in 0..8
        vec4<f32>(low_nibbles(weights_$s[levels + $iu] >> shift) | (high$i << vec4<u32>(4u))) * scales.x + base,
#end
    );
}
