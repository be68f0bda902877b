// Bits of blocks. Blocks of an odd number of half words begin in the middle of a word: `odd` says so.

// The word that begins half a word after `low`, or `high` where that is aligned.
fn after(low: u32, high: u32, odd: bool) -> u32 {
    return select((low >> 16u) | (high << 16u), high, odd);
}

fn half_of(word: u32, odd: bool) -> f32 {
    let halves = unpack2x16float(word);
    return select(halves.x, halves.y, odd);
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word)) >> vec4<u32>(24u));
}

// The low nibble of each byte.
fn low_nibbles(words: vec4<u32>) -> vec4<u32> {
    return words & vec4<u32>(0x0f0f0f0fu);
}

// The low 16 bits of `word`, each as 16 in a byte.
fn fifth_bits(word: u32) -> vec4<u32> {
    let fours = (vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);
    // Each bit falls into the byte of its number.
    return ((fours * 0x00204081u) & vec4<u32>(0x01010101u)) << vec4<u32>(4u);
}

// A nibble of each byte, that which `shift` brings to the top of the lowest.
fn signed_nibbles(word: u32, shift: u32) -> vec4<f32> {
    let top = vec4<u32>(shift) - vec4<u32>(0u, 8u, 16u, 24u);
    return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) << top) >> vec4<u32>(28u));
}

// A unit of weights: four signed levels a word; what a half of them is multiplied with, what is added to all.
struct Block {
    levels: array<u32, 8>,
    scales: vec2<f32>,
    base: f32,
}

fn block_of(first: vec4<u32>, second: vec4<u32>, scales: vec2<f32>, base: f32) -> Block {
    let levels = array<u32, 8>(first.x, first.y, first.z, first.w, second.x, second.y, second.z, second.w);
    return Block(levels, scales, base);
}
