// The norm of each row, a group of threads for each.
#include shared/grid.wgsl
#include shared/sum.wgsl

struct Params { columns: u32, rows: u32, epsilon: f32, first: u32 }
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if LAYER
@group(0) @binding(3) var<storage, read> shift: array<f32>;
#end

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group_number(id, groups);
    if row >= p.rows {
        return;
    }
    let base = row * p.columns;
    let from_base = (p.first + row) * p.columns;
    var mean = 0.0;
#if LAYER
    var sum = 0.0;
    for (var i = local; i < p.columns; i += 64u) {
        sum += input[from_base + i];
    }
    mean = sum_of_group(sum, local) / f32(p.columns);
#end
    var squares = 0.0;
    for (var i = local; i < p.columns; i += 64u) {
        let x = input[from_base + i] - mean;
        squares += x * x;
    }
    let scale = 1.0 / sqrt(sum_of_group(squares, local) / f32(p.columns) + p.epsilon);
    for (var i = local; i < p.columns; i += 64u) {
        let x = (input[from_base + i] - mean) * scale * gain[i];
#if LAYER
        output[base + i] = x + shift[i];
#else
        output[base + i] = x;
#end
    }
}
