// 34 bytes: scale, levels.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let at = (row * p.units + unit) * 34u;
    let odd = (at & 2u) != 0u;
#for i in 0..9
    let w$i = weights_$s[at / 4u + $iu];
#end
    let scale = half_of(w0, odd);
    return array<vec4<f32>, 8>(
        signed_bytes(after(w0, w1, odd)) * scale,
        signed_bytes(after(w1, w2, odd)) * scale,
        signed_bytes(after(w2, w3, odd)) * scale,
        signed_bytes(after(w3, w4, odd)) * scale,
        signed_bytes(after(w4, w5, odd)) * scale,
        signed_bytes(after(w5, w6, odd)) * scale,
        signed_bytes(after(w6, w7, odd)) * scale,
        signed_bytes(after(w7, w8, odd)) * scale,
    );
}
