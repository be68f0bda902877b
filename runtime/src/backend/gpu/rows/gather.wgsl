// Row i is the rows numbered sources[i * group..][..group] side by side; all ones stand for zeros.
#include shared/grid.wgsl

struct Params { columns: u32, elements: u32, rows: u32 }
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

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
    let source = sources[item / p.columns];
    let x = input[min(source, p.rows - 1u) * p.columns + item % p.columns];
    output[item] = select(0.0, x, source < p.rows);
}
