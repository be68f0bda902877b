// 22 bytes: scale, fifth bits, nibbles of elements i and i + 16.
fn block_$s(row: u32, unit: u32) -> Block {
    let at = (row * p.units + unit) * 22u;
    let odd = (at & 2u) != 0u;
#for i in 0..6
    let w$i = weights_$s[at / 4u + $iu];
#end
    let high = after(w0, w1, odd);
    let q = vec4<u32>(after(w1, w2, odd), after(w2, w3, odd), after(w3, w4, odd), after(w4, w5, odd));
    let scale = half_of(w0, odd);
    let low = low_nibbles(q) | fifth_bits(high);
    return block_of(low, low_nibbles(q >> vec4<u32>(4u)) | fifth_bits(high >> 16u), vec2<f32>(scale), -16.0 * scale);
}
