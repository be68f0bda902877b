// Weights in levels of 8 bits, which block_$s makes of what is stored.
fn decode_$s(row: u32, unit: u32) -> array<vec4<f32>, 8> {
    let block = block_$s(row, unit);
    let base = vec4<f32>(block.base);
    return array<vec4<f32>, 8>(
#for i in 0..4
        signed_bytes(block.levels[$i]) * block.scales.x + base,
#end
#for i in 4..8
        signed_bytes(block.levels[$i]) * block.scales.y + base,
#end
    );
}
