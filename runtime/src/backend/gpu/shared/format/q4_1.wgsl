// 20 bytes: scale, minimum, nibbles of elements i and i + 16.
fn block_$s(row: u32, unit: u32) -> Block {
    let at = (row * p.units + unit) * 5u;
    let scales = unpack2x16float(weights_$s[at]);
    let q = vec4<u32>(weights_$s[at + 1u], weights_$s[at + 2u], weights_$s[at + 3u], weights_$s[at + 4u]);
    return block_of(low_nibbles(q), low_nibbles(q >> vec4<u32>(4u)), scales.xx, scales.y);
}
