// 34 bytes: scale, levels.
fn block_$s(row: u32, unit: u32) -> Block {
    let at = (row * p.units + unit) * 34u;
    let odd = (at & 2u) != 0u;
#for i in 0..9
    let w$i = weights_$s[at / 4u + $iu];
#end
    let first = vec4<u32>(after(w0, w1, odd), after(w1, w2, odd), after(w2, w3, odd), after(w3, w4, odd));
    let second = vec4<u32>(after(w4, w5, odd), after(w5, w6, odd), after(w6, w7, odd), after(w7, w8, odd));
    return block_of(first, second, vec2<f32>(half_of(w0, odd)), 0.0);
}
