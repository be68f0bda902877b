// Past the end of a row are the next one's elements: they meet zeros.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let at = row * p.columns + unit * 32u;
    return array<vec4<f32>, 8>(
#for i in 0..8
        bitcast<vec4<f32>>(vec4<u32>(
            weights_$s[at + 4u * $iu],
            weights_$s[at + 4u * $iu + 1u],
            weights_$s[at + 4u * $iu + 2u],
            weights_$s[at + 4u * $iu + 3u],
        )),
#end
    );
}
