// Row i is the mean of rows i * count..(i + 1) * count.
#include shared/grid.wgsl

struct Params { columns: u32, elements: u32, count: u32 }
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = group_number(id, groups) * 64u + local;
    if item >= p.elements {
        return;
    }
    let first = item / p.columns * p.count;
    var sum = 0.0;
    for (var i = 0u; i < p.count; i++) {
        sum += input[(first + i) * p.columns + item % p.columns];
    }
    output[item] = sum / f32(p.count);
}
