// Takes rows of queries, keys and values side by side; norms and turns heads, and puts them where they belong: a group
// of threads for each head of each row.
#include shared/grid.wgsl
#include shared/sum.wgsl

struct Params {
    rows: u32,
    heads: u32,
    kv_heads: u32,
    // Positions that the cache has room for, and that of the first row.
    positions: u32,
    start: u32,
    query_epsilon: f32,
    key_epsilon: f32,
    magnitude: f32,
}
var<immediate> p: Params;

#include attention/cache.wgsl
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> queries: array<f32>;
#if NORM
@group(0) @binding(3) var<storage, read> query_gain: array<f32>;
@group(0) @binding(4) var<storage, read> key_gain: array<f32>;
#end
#if ROTARY
@group(0) @binding(5) var<storage, read> frequencies: array<f32>;
#end

var<workgroup> head: array<f32, $LEN>;

#if ROTARY
// Sine and cosine of an angle of many turns, of which whole ones are taken off in three parts (Cody and Waite 1980).
fn turn(angle: f32) -> vec2<f32> {
    let turns = round(angle * 0.15915494309189535);
    var left = fma(-turns, 6.28125, angle);
    left = fma(-turns, 0.0019350051879882812, left);
    left = fma(-turns, 3.019915982e-7, left);
    return vec2<f32>(sin(left), cos(left)) * p.magnitude;
}

fn turned(element: u32, position: u32) -> f32 {
#if HALVES
    let second = element >= $LENu / 2u;
    let pair = select(element, element - $LENu / 2u, second);
    let x = head[pair];
    let y = head[pair + $LENu / 2u];
#else
    let second = (element & 1u) == 1u;
    let pair = element / 2u;
    let x = head[2u * pair];
    let y = head[2u * pair + 1u];
#end
    let turns = turn(f32(position) * frequencies[pair]);
    return select(x * turns.y - y * turns.x, x * turns.x + y * turns.y, second);
}
#end

// Element `element` of the head as it is kept, zero in the padding.
fn finished(element: u32, is_value: bool, position: u32) -> f32 {
    let inside = min(element, $LENu - 1u);
#if ROTARY
    let x = select(turned(inside, position), head[inside], is_value);
#else
    let x = head[inside];
#end
    return select(0.0, x, element < $LENu);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let all = p.heads + 2u * p.kv_heads;
    let number = group_number(id, groups);
    if number >= p.rows * all {
        return;
    }
    let row = number / all;
    let part = number % all;
    let is_query = part < p.heads;
    let is_value = part >= p.heads + p.kv_heads;
    for (var i = local; i < $LENu; i += 64u) {
        head[i] = input[number * $LENu + i];
    }
    workgroupBarrier();
#if NORM
    var squares = 0.0;
    for (var i = local; i < $LENu; i += 64u) {
        squares += head[i] * head[i];
    }
    let mean_square = sum_of_group(squares, local) / f32($LEN);
    let scale = 1.0 / sqrt(mean_square + select(p.key_epsilon, p.query_epsilon, is_query));
    if !is_value {
        for (var i = local; i < $LENu; i += 64u) {
            head[i] *= scale * select(key_gain[i], query_gain[i], is_query);
        }
    }
    workgroupBarrier();
#end
    let position = p.start + row;
    if is_query {
        for (var i = local; i < $LENu; i += 64u) {
            queries[(row * p.heads + part) * $LENu + i] = finished(i, false, position);
        }
        return;
    }
    let at = cache_at(u32(is_value), (part - p.heads) % p.kv_heads, position);
    for (var word = local; word < WORDS; word += 64u) {
        let e = word * PER_WORD;
        let low = vec4<f32>(
#for i in 0..4
            finished(e + $iu, is_value, position),
#end
        );
#if F16
        let high = vec4<f32>(
#for i in 4..8
            finished(e + $iu, is_value, position),
#end
        );
        cache[at + word] = vec4<u32>(
            pack2x16float(low.xy),
            pack2x16float(low.zw),
            pack2x16float(high.xy),
            pack2x16float(high.zw),
        );
#else
        cache[at + word] = low;
#end
    }
}
