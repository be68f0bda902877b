// Rows of a table, by number: 32 elements for each thread. Rows of other parts of the table are left alone.
#include shared/grid.wgsl
#include shared/words.wgsl

struct Params {
    columns: u32,
    units: u32,
    // Rows wanted.
    rows: u32,
    // Rows of the table that are in this part.
    first: u32,
    end: u32,
    // Without numbers: the number of the first row.
    start: u32,
}
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read_write> output: array<f32>;
#if NUMBERS
@group(0) @binding(1) var<storage, read> numbers: array<u32>;
#end
#for s in 0..1
#include shared/weights.wgsl
#end

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = group_number(id, groups) * 64u + local;
    let row = min(item / p.units, p.rows - 1u);
    let unit = item % p.units;
#if NUMBERS
    let number = numbers[row];
#else
    let number = p.start + row;
#end
    if item >= p.rows * p.units || number < p.first || number >= p.end {
        return;
    }
    let w = decode_0(number - p.first, unit);
    for (var i = 0u; i < min(32u, p.columns - unit * 32u); i++) {
#if ADD
        output[row * p.columns + unit * 32u + i] += w[i / 4u][i % 4u];
#else
        output[row * p.columns + unit * 32u + i] = w[i / 4u][i % 4u];
#end
    }
}
