// The likeliest tokens of each stretch of 512, in order: logit and token of each. What is left of all stretches is
// taken for another round until it is one stretch.
struct Params {
    // Candidates of this round, and how many of a stretch are wanted: 256 at most.
    count: u32,
    first: u32,
    wanted: u32,
}
var<immediate> p: Params;

#if FIRST
@group(0) @binding(0) var<storage, read> input: array<f32>;
#else
@group(0) @binding(0) var<storage, read> input: array<u32>;
#end
// Keys, then tokens of each: a key grows with the logit.
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
#if MASK
@group(0) @binding(2) var<storage, read> allowed: array<u32>;
#end

const STRETCH: u32 = 512u;
const NONE: u32 = 0xffffffffu;
var<workgroup> keys: array<u32, STRETCH>;
var<workgroup> tokens: array<u32, STRETCH>;

// An order of all floats, as `f32::total_cmp` has it.
fn key_of(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// Whether the candidate at `a` comes after that at `b`: it is less likely, or as likely and of a larger number.
fn is_behind(a: u32, b: u32) -> bool {
    return keys[a] < keys[b] || (keys[a] == keys[b] && tokens[a] > tokens[b]);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    for (var part = 0u; part < 2u; part++) {
        let place = local + part * 256u;
        let i = id.x * STRETCH + place;
        let inside = min(i, p.count - 1u);
#if FIRST
        let token = inside;
        let key = key_of(input[p.first + inside]);
#else
        let key = input[2u * inside];
        let token = input[2u * inside + 1u];
#end
#if MASK
        let may = ((allowed[inside / 32u] >> (inside % 32u)) & 1u) == 1u;
#else
        let may = true;
#end
        let there = i < p.count && may;
        keys[place] = select(0u, key, there);
        tokens[place] = select(NONE, token, there);
    }
    workgroupBarrier();
    // Batcher's bitonic sort (1968), a pair for each thread.
    for (var size = 2u; size <= STRETCH; size *= 2u) {
        for (var step = size / 2u; step > 0u; step /= 2u) {
            let a = 2u * step * (local / step) + local % step;
            let b = a + step;
            if is_behind(a, b) == ((a & size) == 0u) {
                let key = keys[a];
                let token = tokens[a];
                keys[a] = keys[b];
                tokens[a] = tokens[b];
                keys[b] = key;
                tokens[b] = token;
            }
            workgroupBarrier();
        }
    }
    if local < p.wanted {
        let at = 2u * (id.x * p.wanted + local);
        output[at] = keys[local];
        output[at + 1u] = tokens[local];
    }
}
