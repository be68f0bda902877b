// Two texels of levels.
const TEXELS_$s: u32 = 2u;

fn levels_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let low = level_texel_$s(row, unit, 0u);
    let high = level_texel_$s(row, unit, 1u);
    return array<vec4<f32>, 8>(
#for i in 0..4
        signed_bytes(low[$i]),
#end
#for i in 0..4
        signed_bytes(high[$i]),
#end
    );
}
