// 144 bytes for 256: scale of the scales, of the minima, both of eight sub-blocks, nibbles of each 64.
#include shared/format/k_scales.wgsl
fn block_$s(row: u32, unit: u32) -> Block {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let at = (index >> 3u) * 36u;
    let scales = scales_$s(at, sub);
    let levels = at + 4u + (sub >> 1u) * 8u;
    let shift = vec4<u32>((sub & 1u) * 4u);
    let a = vec4<u32>(weights_$s[levels], weights_$s[levels + 1u], weights_$s[levels + 2u], weights_$s[levels + 3u]);
    let b = vec4<u32>(weights_$s[levels + 4u], weights_$s[levels + 5u], weights_$s[levels + 6u], weights_$s[levels + 7u]);
    return block_of(low_nibbles(a >> shift), low_nibbles(b >> shift), scales.xx, scales.y);
}
