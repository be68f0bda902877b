// Several threads for each row of weights, whose sums are then added up, by subgroups or in the group's memory. Best
// for a single row of input where there are many threads.
#include matmul/bindings.wgsl

const SPAN: u32 = $GROUPu / $THREADSu;

#if SUBGROUPS
fn total(x: f32, local: u32) -> f32 {
    return subgroupAdd(x);
}
#else
var<workgroup> parts: array<f32, $GROUP>;

// The sum of `x` over the threads of a row.
fn total(x: f32, local: u32) -> f32 {
    parts[local] = x;
    workgroupBarrier();
    for (var step = $THREADSu / 2u; step > 0u; step /= 2u) {
        // Past the threads of the row are those of another, whose sum is not used.
        let other = parts[min(local + step, $GROUPu - 1u)];
        workgroupBarrier();
        parts[local] += other;
        workgroupBarrier();
    }
    let sum = parts[local - local % $THREADSu];
    workgroupBarrier();
    return sum;
}
#end

#for s in $RUNS
fn run_$s(begin: u32, offset: u32, local: u32) {
    let wanted = begin + local / $THREADSu;
    let row = min(wanted, p.rows_$s - 1u);
#for m in $MINE$s
    var sum_$m = 0.0;
#end
    var squares = 0.0;
    for (var unit = local % $THREADSu; unit < p.units; unit += $THREADSu) {
#for i in 0..8
        let e$i = unit * 32u + $iu * 4u;
        var x$i = input_at(0u, e$i);
#if NORM
        squares += dot(x$i, x$i);
        x$i *= gain_at(e$i);
#end
#end
#for m in $MINE$s
        {
            let w = decode_$m(row, unit);
            var part = w[0] * x0;
#for i in 1..8
            part = fma(w[$i], x$i, part);
#end
            sum_$m += part.x + part.y + part.z + part.w;
        }
#end
    }
#if NORM
    let scale = norm_scale(total(squares, local));
#else
    let scale = 1.0;
#end
#for m in $MINE$s
    let whole_$m = total(sum_$m, local) * scale;
#end
    if local % $THREADSu == 0u && wanted < p.rows_$s {
#if GATE
        output[p.offset + row] = activated(p.activation, biased_0(row, whole_0)) * biased_1(row, whole_1);
#else
        put(0u, offset + row, biased_$s(row, whole_$s));
#end
    }
}
#end

@compute @workgroup_size($GROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var tile = p.begin + group_number(id, groups);
    if tile >= p.groups {
        return;
    }
    var offset = 0u;
#for s in $RUNS
    let tiles_$s = (p.rows_$s + SPAN - 1u) / SPAN;
    if tile < tiles_$s {
        run_$s(tile * SPAN, offset, local);
        return;
    }
    tile -= tiles_$s;
    offset += p.rows_$s;
#end
}
