// Attention of 32 queries of one head of keys: rows, and heads that share its keys. Keys are taken 32 at a time and
// read once for all of the queries; sums are rescaled when a larger score comes (Milakov and Gimelshein 2018, Online
// normalizer calculation for softmax; Dao et al. 2022, FlashAttention).
#include shared/grid.wgsl

struct Params {
    rows: u32,
    kv_heads: u32,
    positions: u32,
    // What row i sees: `seen + i * step` positions.
    seen: u32,
    step: u32,
    // Groups of threads for each head of keys.
    blocks: u32,
    scale: f32,
}
var<immediate> p: Params;

#include attention/cache.wgsl
@group(0) @binding(1) var<storage, read> queries: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// Query heads that share keys; vectors of four in a word of the cache.
const SHARE: u32 = $SHAREu;
const PARTS: u32 = PER_WORD / 4u;

// 32 elements of each query and key at a time. Nine in place of eight, as in matmul/tile.wgsl.
var<workgroup> tile_q: array<vec4<f32>, 288>;
var<workgroup> tile_k: array<vec4<f32>, 288>;
// Of each query, for each key: the score, then the weight.
var<workgroup> scores: array<vec4<f32>, 288>;
// By what the sums of each query shrink; in the end, by what they are divided.
var<workgroup> factors: array<f32, 32>;

#if F16
fn parts_of(word: vec4<u32>) -> array<vec4<f32>, 2> {
    let a = vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
    return array<vec4<f32>, 2>(a, vec4<f32>(unpack2x16float(word.z), unpack2x16float(word.w)));
}
#else
fn parts_of(word: vec4<f32>) -> array<vec4<f32>, 1> {
    return array<vec4<f32>, 1>(word);
}
#end

fn query_at(begin: u32, e: u32) -> f32 {
    return select(0.0, queries[begin + min(e, $LENu - 1u)] * p.scale, e < $LENu);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group_number(id, groups);
    if number >= p.kv_heads * p.blocks {
        return;
    }
    let kv_head = number / p.blocks;
    let first = (number % p.blocks) * 32u;
    let count = p.rows * SHARE;
    let end = p.seen + (min(first + 31u, count - 1u) / SHARE) * p.step;
    // What this thread loads, and whose weights it computes.
    let loaded = local % 32u;
    let side = local / 32u;
    let query = min(first + loaded, count - 1u);
    let query_begin = ((query / SHARE * p.kv_heads + kv_head) * SHARE + query % SHARE) * $LENu;
    let seen = p.seen + query / SHARE * p.step;
    // What it sums up: of four queries the scores of four keys, and every eighth word of the values.
    let lane = local % 8u;
    let mine = (local / 8u) * 4u;
    var largest = -3.0e38;
    var total = 0.0;
#for t in 0..4
#for w in 0..$MINE
#for h in 0..$PARTS
    var sum_$t_$w_$h = vec4<f32>();
#end
#end
#end
    for (var keys = 0u; keys < end; keys += 32u) {
#for t in 0..4
        var score$t = vec4<f32>();
#end
        let key_begin = cache_at(0u, kv_head, min(keys + loaded, end - 1u));
        for (var chunk = 0u; chunk < $CHUNKSu; chunk++) {
            let e = chunk * 32u + side * 16u;
#for i in 0..4
            tile_q[loaded * 9u + side * 4u + $iu] = vec4<f32>(
                query_at(query_begin, e + 4u * $iu),
                query_at(query_begin, e + 4u * $iu + 1u),
                query_at(query_begin, e + 4u * $iu + 2u),
                query_at(query_begin, e + 4u * $iu + 3u),
            );
#end
            // Past the end of a head are words of the next one: they meet zeros.
#for i in 0..$LOADS
            {
                let parts = parts_of(cache[key_begin + min(e / PER_WORD + $iu, WORDS - 1u)]);
#for h in 0..$PARTS
                tile_k[loaded * 9u + side * 4u + $iu * PARTS + $hu] = parts[$h];
#end
            }
#end
            workgroupBarrier();
            for (var i = 0u; i < 8u; i++) {
#for k in 0..4
                let k$k = tile_k[(lane * 4u + $ku) * 9u + i];
#end
#for t in 0..4
                {
                    let q = tile_q[(mine + $tu) * 9u + i];
                    score$t += vec4<f32>(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
                }
#end
            }
            workgroupBarrier();
        }
#for t in 0..4
        scores[(mine + $tu) * 9u + lane] = score$t;
#end
        workgroupBarrier();
        if local < 32u {
            let before = largest;
            let at = vec4<u32>(keys, keys + 1u, keys + 2u, keys + 3u);
            for (var i = 0u; i < 8u; i++) {
                let there = at + vec4<u32>(4u * i) < vec4<u32>(seen);
                let x = select(vec4<f32>(-3.0e38), scores[local * 9u + i], there);
                largest = max(largest, max(max(x.x, x.y), max(x.z, x.w)));
            }
            let factor = exp(before - largest);
            total *= factor;
            for (var i = 0u; i < 8u; i++) {
                let there = at + vec4<u32>(4u * i) < vec4<u32>(seen);
                let weight = select(vec4<f32>(), exp(scores[local * 9u + i] - largest), there);
                scores[local * 9u + i] = weight;
                total += weight.x + weight.y + weight.z + weight.w;
            }
            factors[local] = factor;
        }
        workgroupBarrier();
#for t in 0..4
        {
            let factor = factors[mine + $tu];
#for w in 0..$MINE
#for h in 0..$PARTS
            sum_$t_$w_$h *= factor;
#end
#end
        }
#end
        for (var i = 0u; i < 8u; i++) {
#for t in 0..4
            let weight$t = scores[(mine + $tu) * 9u + i];
#end
#for k in 0..4
            {
                // What is not seen has no weight.
                let begin = cache_at(1u, kv_head, min(keys + i * 4u + $ku, end - 1u));
#for w in 0..$MINE
                {
                    let value = parts_of(cache[begin + min(lane + 8u * $wu, WORDS - 1u)]);
#for t in 0..4
#for h in 0..$PARTS
                    sum_$t_$w_$h += weight$t[$k] * value[$h];
#end
#end
                }
#end
            }
#end
        }
    }
    workgroupBarrier();
    if local < 32u {
        factors[local] = 1.0 / total;
    }
    workgroupBarrier();
#for t in 0..4
    if first + mine + $tu < count {
        let query = first + mine + $tu;
        let begin = ((query / SHARE * p.kv_heads + kv_head) * SHARE + query % SHARE) * $LENu;
        let factor = factors[mine + $tu];
#for w in 0..$MINE
#for h in 0..$PARTS
        {
            let e = (lane + 8u * $wu) * PER_WORD + 4u * $hu;
#for i in 0..4
            if e + $iu < $LENu {
                output[begin + e + $iu] = sum_$t_$w_$h[$i] * factor;
            }
#end
        }
#end
#end
    }
#end
}
