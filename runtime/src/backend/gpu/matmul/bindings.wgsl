// What all products of matrices are given; the host side is matmul/mod.rs.
#include shared/grid.wgsl
#include shared/words.wgsl
#include shared/activation.wgsl

struct Params {
    // Elements of a row of the input, and units of 32 that it has.
    columns: u32,
    units: u32,
    // Rows of the input: the first, and how many.
    first_token: u32,
    tokens: u32,
    // Elements of a row of the output, and where in it the first matrix begins.
    stride: u32,
    offset: u32,
    // Where the groups of threads that have work end.
    groups: u32,
    // Bit s: matrix s has a bias.
    biased: u32,
    activation: u32,
    epsilon: f32,
    // Rows of each matrix.
    rows_0: u32,
    rows_1: u32,
    rows_2: u32,
    // The row of the first matrix in its bias.
    first_bias: u32,
    // The first group of threads.
    begin: u32,
}
var<immediate> p: Params;

#if UNIFORM
@group(0) @binding(0) var<uniform> input: array<vec4<f32>, $QUARTERS>;
#else
#if VECTORS
@group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
#else
@group(0) @binding(0) var<storage, read> input: array<f32>;
#end
#end
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
#if NORM
#if UNIFORM
@group(0) @binding(2) var<uniform> gain: array<vec4<f32>, $QUARTERS>;
#else
#if VECTORS
@group(0) @binding(2) var<storage, read> gain: array<vec4<f32>>;
#else
@group(0) @binding(2) var<storage, read> gain: array<f32>;
#end
#end
#end
#for s in $SOURCES
#include shared/weights.wgsl
#if BIAS
@group(0) @binding(4$s) var<storage, read> bias_$s: array<f32>;
#end
#end

// Elements e..e + 4 of a row of the input, zeros past its end. `e` is a multiple of 4.
fn input_at(token: u32, e: u32) -> vec4<f32> {
    let row = p.first_token + min(token, p.tokens - 1u);
#if VECTORS
    let quarter = p.columns / 4u;
    return select(vec4<f32>(), input[row * quarter + min(e / 4u, quarter - 1u)], e < p.columns);
#else
    let last = p.columns - 1u;
    let at = vec4<u32>(e, e + 1u, e + 2u, e + 3u);
    let i = vec4<u32>(row * p.columns) + min(at, vec4<u32>(last));
    let x = vec4<f32>(input[i.x], input[i.y], input[i.z], input[i.w]);
    return select(vec4<f32>(), x, at < vec4<u32>(p.columns));
#end
}

#if NORM
// Factors of the norm for elements e..e + 4; past the end they meet zeros.
fn gain_at(e: u32) -> vec4<f32> {
#if VECTORS
    return gain[min(e / 4u, p.columns / 4u - 1u)];
#else
    let i = min(vec4<u32>(e, e + 1u, e + 2u, e + 3u), vec4<u32>(p.columns - 1u));
    return vec4<f32>(gain[i.x], gain[i.y], gain[i.z], gain[i.w]);
#end
}

// What all products of a row are multiplied with, `squares` being the sum of its squares.
fn norm_scale(squares: f32) -> f32 {
    return 1.0 / sqrt(squares / f32(p.columns) + p.epsilon);
}
#end

#for s in $SOURCES
fn biased_$s(row: u32, x: f32) -> f32 {
#if BIAS
    let there = (p.biased >> $su) & 1u;
    return x + f32(there) * bias_$s[(p.first_bias + row) * there];
#else
    return x;
#end
}
#end

// Puts `x`, the product of `row` of all matrices together, where it belongs.
fn put(token: u32, row: u32, x: f32) {
    let at = token * p.stride + p.offset + row;
#if ADD
    output[at] += x;
#else
    output[at] = activated(p.activation, x);
#end
}
