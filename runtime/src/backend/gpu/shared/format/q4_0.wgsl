// 18 bytes: scale, nibbles of elements i and i + 16.
fn block_$s(row: u32, unit: u32) -> Block {
    let at = (row * p.units + unit) * 18u;
    let odd = (at & 2u) != 0u;
#for i in 0..5
    let w$i = weights_$s[at / 4u + $iu];
#end
    let q = vec4<u32>(after(w0, w1, odd), after(w1, w2, odd), after(w2, w3, odd), after(w3, w4, odd));
    let scale = half_of(w0, odd);
    return block_of(low_nibbles(q), low_nibbles(q >> vec4<u32>(4u)), vec2<f32>(scale), -8.0 * scale);
}
