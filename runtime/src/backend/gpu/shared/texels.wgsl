// Blocks in texels, eight rows side by side; the host side is texels.rs. Rows begin with the scales of their units, eight
// a texel, then come the levels.
fn texel_$s(row: u32, i: u32) -> vec4<u32> {
    let width = (p.units + 7u) / 8u + p.units * TEXELS_$s;
    let at = ((row >> 3u) * width + i) * 8u + (row & 7u);
    return textureLoad(weights_$s, vec2<u32>(at & 4095u, at >> 12u), 0);
}

// Texel `i` of the levels of `unit`.
fn level_texel_$s(row: u32, unit: u32, i: u32) -> vec4<u32> {
    return texel_$s(row, (p.units + 7u) / 8u + unit * TEXELS_$s + i);
}

// The scales of units 8 * octet..8 * octet + 8.
fn scales_$s(row: u32, octet: u32) -> vec4<u32> {
    return texel_$s(row, octet);
}

// That of `unit` of them.
fn scale_$s(scales: vec4<u32>, unit: u32) -> f32 {
    return half_of(scales[(unit / 2u) & 3u], (unit & 1u) != 0u);
}

fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let scale = scale_$s(scales_$s(row, unit / 8u), unit);
    var w = levels_$s(row, unit);
#for i in 0..8
    w[$i] *= scale;
#end
    return w;
}
