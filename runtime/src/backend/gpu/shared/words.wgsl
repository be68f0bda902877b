// Bits of blocks. Blocks of an odd number of half words begin in the middle of a word: `odd` says so.

// The word that begins half a word after `low`, or `high` where that is aligned.
fn after(low: u32, high: u32, odd: bool) -> u32 {
    return select((low >> 16u) | (high << 16u), high, odd);
}

fn half_of(word: u32, odd: bool) -> f32 {
    let halves = unpack2x16float(word);
    return select(halves.x, halves.y, odd);
}

fn bytes_of(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(255u);
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word)) >> vec4<u32>(24u));
}

fn low_nibbles(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(15u);
}

// Four bits of `word` from bit `from` on, each as 16.
fn fifth_bits(word: u32, from_bit: u32) -> vec4<u32> {
    let bits = word >> from_bit;
    return (vec4<u32>(bits, bits >> 1u, bits >> 2u, bits >> 3u) & vec4<u32>(1u)) << vec4<u32>(4u);
}

// A nibble of each byte, that which `shift` brings to the top of the lowest.
fn signed_nibbles(word: u32, shift: u32) -> vec4<f32> {
    let top = vec4<u32>(shift) - vec4<u32>(0u, 8u, 16u, 24u);
    return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) << top) >> vec4<u32>(28u));
}
