// Scale and minimum of sub-block `sub` of a Q4_K or Q5_K block at word `at`.
fn scales_$s(at: u32, sub: u32) -> vec2<f32> {
    let whole = unpack2x16float(weights_$s[at]);
    let shift = vec3<u32>(8u * (sub & 3u));
    let words = vec3<u32>(weights_$s[at + 1u], weights_$s[at + 2u], weights_$s[at + 3u]);
    let parts = (words >> shift) & vec3<u32>(255u);
    let early = parts.xy & vec2<u32>(63u);
    let late = vec2<u32>(parts.z & 15u, parts.z >> 4u) | ((parts.xy >> vec2<u32>(6u)) << vec2<u32>(4u));
    return whole * vec2<f32>(select(late, early, sub < 4u)) * vec2<f32>(1.0, -1.0);
}
