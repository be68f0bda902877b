// Puts together what split.wgsl gives for each stretch of the positions: a group of threads for each head of each row.
#include shared/grid.wgsl

struct Params { heads: u32, splits: u32 }
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let head = group_number(id, groups);
    if head >= p.heads {
        return;
    }
    let size = $LENu + 2u;
    let begin = head * p.splits * size;
    var largest = -3.0e38;
    for (var split = 0u; split < p.splits; split++) {
        largest = max(largest, parts[begin + split * size + $LENu]);
    }
    for (var e = local; e < $LENu; e += 64u) {
        var sum = 0.0;
        var total = 0.0;
        for (var split = 0u; split < p.splits; split++) {
            let at = begin + split * size;
            let weight = exp(parts[at + $LENu] - largest);
            sum += weight * parts[at + e];
            total += weight * parts[at + $LENu + 1u];
        }
        output[head * $LENu + e] = sum / total;
    }
}
