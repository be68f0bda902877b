// 24 bytes: scale, minimum, fifth bits, nibbles of elements i and i + 16.
fn block_$s(row: u32, unit: u32) -> Block {
    let at = (row * p.units + unit) * 6u;
    let scales = unpack2x16float(weights_$s[at]);
    let high = weights_$s[at + 1u];
    let q = vec4<u32>(weights_$s[at + 2u], weights_$s[at + 3u], weights_$s[at + 4u], weights_$s[at + 5u]);
    let low = low_nibbles(q) | fifth_bits(high);
    return block_of(low, low_nibbles(q >> vec4<u32>(4u)) | fifth_bits(high >> 16u), scales.xx, scales.y);
}
