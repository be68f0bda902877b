// 210 bytes for 256: nibbles of each 128, the two high bits of each 128, a scale for each 16, their scale.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let begin = (index >> 3u) * 210u;
    let odd = (begin & 2u) != 0u;
    let at = begin / 4u;
    let side = sub >> 2u;
    let low = at + side * 16u + (sub & 1u) * 8u;
    let high = at + 32u + side * 8u;
    let low_shift = (sub & 2u) * 2u;
    let high_shift = vec4<u32>((sub & 3u) * 2u);
#for i in 0..9
    let l$i = weights_$s[low + $iu];
    let h$i = weights_$s[high + $iu];
#end
    let whole = half_of(weights_$s[at + 52u], odd);
    let two_scales = begin + 192u + sub * 2u;
    let pair = weights_$s[two_scales / 4u] >> ((two_scales & 2u) * 8u);
    let scales = signed_bytes(pair).xy * whole;
    return array<vec4<f32>, 8>(
        q6_$s(l0, l1, h0, h1, odd, low_shift, high_shift) * scales.x,
        q6_$s(l1, l2, h1, h2, odd, low_shift, high_shift) * scales.x,
        q6_$s(l2, l3, h2, h3, odd, low_shift, high_shift) * scales.x,
        q6_$s(l3, l4, h3, h4, odd, low_shift, high_shift) * scales.x,
        q6_$s(l4, l5, h4, h5, odd, low_shift, high_shift) * scales.y,
        q6_$s(l5, l6, h5, h6, odd, low_shift, high_shift) * scales.y,
        q6_$s(l6, l7, h6, h7, odd, low_shift, high_shift) * scales.y,
        q6_$s(l7, l8, h7, h8, odd, low_shift, high_shift) * scales.y,
    );
}

fn q6_$s(l: u32, l_next: u32, h: u32, h_next: u32, odd: bool, low_shift: u32, high_shift: vec4<u32>) -> vec4<f32> {
    let low = select(l, after(l, l_next, false), odd);
    let high = select(h, after(h, h_next, false), odd);
    let bits = (bytes_of(high) >> high_shift) & vec4<u32>(3u);
    return vec4<f32>(low_nibbles(low >> low_shift) | (bits << vec4<u32>(4u))) - vec4<f32>(32.0);
}
