// 22 bytes: scale, fifth bits, nibbles of elements i and i + 16.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let at = (row * p.units + unit) * 22u;
    let odd = (at & 2u) != 0u;
#for i in 0..6
    let w$i = weights_$s[at / 4u + $iu];
#end
    let scale = half_of(w0, odd);
    let base = vec4<f32>(-16.0 * scale);
    let high = after(w0, w1, odd);
    let q0 = after(w1, w2, odd);
    let q1 = after(w2, w3, odd);
    let q2 = after(w3, w4, odd);
    let q3 = after(w4, w5, odd);
    return array<vec4<f32>, 8>(
#for i in 0..4
        vec4<f32>(low_nibbles(q$i) | fifth_bits(high, 4u * $iu)) * scale + base,
#end
#for i in 0..4
        vec4<f32>(low_nibbles(q$i >> 4u) | fifth_bits(high, 16u + 4u * $iu)) * scale + base,
#end
    );
}
