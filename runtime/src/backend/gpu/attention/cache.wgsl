// Keys, then values, `[head][position][elements]`; heads are padded with zeros to whole words of four.
#if F16
@group(0) @binding(0) var<storage, $ACCESS> cache: array<vec4<u32>>;
const PER_WORD: u32 = 8u;
#else
@group(0) @binding(0) var<storage, $ACCESS> cache: array<vec4<f32>>;
const PER_WORD: u32 = 4u;
#end
// Words of a head.
const WORDS: u32 = ($LENu + PER_WORD - 1u) / PER_WORD;

// The word where the keys of a head at a position begin; of its values with `side` 1.
fn cache_at(side: u32, head: u32, position: u32) -> u32 {
    return ((side * p.kv_heads + head) * p.positions + position) * WORDS;
}
