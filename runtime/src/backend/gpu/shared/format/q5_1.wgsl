// 24 bytes: scale, minimum, fifth bits, nibbles of elements i and i + 16.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let at = (row * p.units + unit) * 6u;
    let scales = unpack2x16float(weights_$s[at]);
    let base = vec4<f32>(scales.y);
    let high = weights_$s[at + 1u];
#for i in 0..4
    let q$i = weights_$s[at + 2u + $iu];
#end
    return array<vec4<f32>, 8>(
#for i in 0..4
        vec4<f32>(low_nibbles(q$i) | fifth_bits(high, 4u * $iu)) * scales.x + base,
#end
#for i in 0..4
        vec4<f32>(low_nibbles(q$i >> 4u) | fifth_bits(high, 16u + 4u * $iu)) * scales.x + base,
#end
    );
}
