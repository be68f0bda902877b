// Numbers of two bytes, of which two_$s makes floats. Past the end of a row are the next one's elements: they meet zeros.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let first = row * p.columns + unit * 32u;
    let odd = (first & 1u) != 0u;
    let at = first / 2u;
#for i in 0..17
    let w$i = weights_$s[at + $iu];
#end
    return array<vec4<f32>, 8>(
        four_$s(w0, w1, w2, odd),
        four_$s(w2, w3, w4, odd),
        four_$s(w4, w5, w6, odd),
        four_$s(w6, w7, w8, odd),
        four_$s(w8, w9, w10, odd),
        four_$s(w10, w11, w12, odd),
        four_$s(w12, w13, w14, odd),
        four_$s(w14, w15, w16, odd),
    );
}

fn four_$s(a: u32, b: u32, c: u32, odd: bool) -> vec4<f32> {
    let low = select(a, after(a, b, false), odd);
    let high = select(b, after(b, c, false), odd);
    return vec4<f32>(two_$s(low), two_$s(high));
}
