// Attention of one row to one stretch of the positions, for query heads that share keys and values; a group of threads
// for each row, some of the query heads that share keys, and stretch. What the stretches give is put together by
// combine.wgsl (Dao et al. 2023, Flash-Decoding).
#include shared/grid.wgsl
#include shared/sum.wgsl

struct Params {
    rows: u32,
    kv_heads: u32,
    positions: u32,
    // What row i sees: `seen + i * step` positions.
    seen: u32,
    step: u32,
    splits: u32,
    scale: f32,
}
var<immediate> p: Params;

#include attention/cache.wgsl
@group(0) @binding(1) var<storage, read> queries: array<f32>;
// With one stretch the result, else for each stretch of each head: sums, the largest score, the sum of weights.
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// Query heads that are computed together, positions of a stretch, elements of a head with padding.
const SHARE: u32 = $SHAREu;
const SPAN: u32 = $SPANu;
const PADDED: u32 = WORDS * PER_WORD;
// Threads that have a word of the values side by side, and how many times.
const TEAMS: u32 = 64u / WORDS;

var<workgroup> query: array<f32, SHARE * PADDED>;
var<workgroup> weights: array<f32, SHARE * SPAN>;
var<workgroup> sums: array<f32, 64u * PER_WORD>;

#if F16
fn elements_of(word: vec4<u32>) -> array<f32, 8> {
    let a = unpack2x16float(word.x);
    let b = unpack2x16float(word.y);
    let c = unpack2x16float(word.z);
    let d = unpack2x16float(word.w);
    return array<f32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y);
}
#else
fn elements_of(word: vec4<f32>) -> array<f32, 4> {
    return array<f32, 4>(word.x, word.y, word.z, word.w);
}
#end

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group_number(id, groups);
    let shares = p.kv_heads * $SHARESu;
    if number >= p.rows * shares * p.splits {
        return;
    }
    let split = number % p.splits;
    let share = number / p.splits % shares;
    let kv_head = share / $SHARESu;
    let row = number / (p.splits * shares);
    let seen = p.seen + row * p.step;
    let begin = min(split * SPAN, seen);
    let count = min(seen - begin, SPAN);
    let first_head = (row * shares + share) * SHARE;
    for (var i = local; i < SHARE * PADDED; i += 64u) {
        let e = i % PADDED;
        let x = queries[(first_head + i / PADDED) * $LENu + min(e, $LENu - 1u)];
        query[i] = select(0.0, x * p.scale, e < $LENu);
    }
    workgroupBarrier();

    for (var i = local; i < count; i += 64u) {
#for g in 0..$SHARE
        var score$g = 0.0;
#end
        let at = cache_at(0u, kv_head, begin + i);
        for (var word = 0u; word < WORDS; word++) {
            let key = elements_of(cache[at + word]);
#for g in 0..$SHARE
#for e in 0..$PERWORD
            score$g = fma(key[$e], query[$gu * PADDED + word * PER_WORD + $eu], score$g);
#end
#end
        }
#for g in 0..$SHARE
        weights[$gu * SPAN + i] = score$g;
#end
    }
    workgroupBarrier();

#for g in 0..$SHARE
    var largest$g = -3.0e38;
    for (var i = local; i < count; i += 64u) {
        largest$g = max(largest$g, weights[$gu * SPAN + i]);
    }
    largest$g = max_of_group(largest$g, local);
    var total$g = 0.0;
    for (var i = local; i < count; i += 64u) {
        let weight = exp(weights[$gu * SPAN + i] - largest$g);
        weights[$gu * SPAN + i] = weight;
        total$g += weight;
    }
    total$g = sum_of_group(total$g, local);
#end

    let word = local % WORDS;
    let team = local / WORDS;
#for g in 0..$SHARE
    var sum$g = array<f32, PER_WORD>();
#end
    if team < TEAMS {
        for (var i = team; i < count; i += TEAMS) {
            let value = elements_of(cache[cache_at(1u, kv_head, begin + i) + word]);
#for g in 0..$SHARE
            {
                let weight = weights[$gu * SPAN + i];
#for e in 0..$PERWORD
                sum$g[$e] = fma(weight, value[$e], sum$g[$e]);
#end
            }
#end
        }
    }
#for g in 0..$SHARE
    workgroupBarrier();
#for e in 0..$PERWORD
    sums[local * PER_WORD + $eu] = sum$g[$e];
#end
    workgroupBarrier();
    for (var e = local; e < $LENu; e += 64u) {
        var sum = 0.0;
        for (var other = 0u; other < TEAMS; other++) {
            sum += sums[(other * WORDS) * PER_WORD + e];
        }
        if p.splits == 1u {
            output[(first_head + $gu) * $LENu + e] = sum / total$g;
        } else {
            output[((first_head + $gu) * p.splits + split) * ($LENu + 2u) + e] = sum;
        }
    }
    if p.splits > 1u && local == 0u {
        let end = ((first_head + $gu) * p.splits + split) * ($LENu + 2u) + $LENu;
        output[end] = largest$g;
        output[end + 1u] = total$g;
    }
#end
}
