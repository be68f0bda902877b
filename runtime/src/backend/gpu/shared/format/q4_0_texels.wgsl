// A texel of nibbles of elements i and i + 16, from -8 to 7 here.
const TEXELS_$s: u32 = 1u;

fn levels_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let q = level_texel_$s(row, unit, 0u);
    return array<vec4<f32>, 8>(
#for i in 0..4
        signed_nibbles(q[$i], 28u),
#end
#for i in 0..4
        signed_nibbles(q[$i], 24u),
#end
    );
}
