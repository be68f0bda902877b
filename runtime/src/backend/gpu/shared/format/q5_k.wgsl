// 176 bytes for 256: as Q4_K, with the fifth bits before the nibbles.
#include shared/format/k_scales.wgsl
fn block_$s(row: u32, unit: u32) -> Block {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let at = (index >> 3u) * 44u;
    let scales = scales_$s(at, sub);
    let levels = at + 12u + (sub >> 1u) * 8u;
    let shift = (sub & 1u) * 4u;
#for i in 0..8
    let high$i = ((weights_$s[at + 4u + $iu] >> sub) & 0x01010101u) << 4u;
    let q$i = ((weights_$s[levels + $iu] >> shift) & 0x0f0f0f0fu) | high$i;
#end
    return block_of(vec4<u32>(q0, q1, q2, q3), vec4<u32>(q4, q5, q6, q7), scales.xx, scales.y);
}
