// A row of weights for each thread, and all threads of a subgroup have the same input: each loads a part of it and tells
// the others. Best where loads are costly and there are few threads, as on a processor.
#include matmul/bindings.wgsl

const SPAN: u32 = $GROUPu * $ROWSu;

#for s in $RUNS
fn run_$s(begin: u32, offset: u32, token: u32, local: u32, lane: u32, lanes: u32) {
#for r in 0..$ROWS
    let row_$r = min(begin + $ru * $GROUPu + local, p.rows_$s - 1u);
#for m in $MINE$s
#if TEXELS$m
    var scales_$m_$r = vec4<u32>();
#end
#for t in 0..$TOKENS
    var sum_$m_$r_$t = 0.0;
#end
#end
#end
    var squares = 0.0;
    for (var unit = 0u; unit < p.units; unit++) {
        let e = unit * 32u + (lane & 7u) * 4u;
#for m in $MINE$s
#if TEXELS$m
        if (unit & 7u) == 0u {
#for r in 0..$ROWS
            scales_$m_$r = scales_$m(row_$r, unit / 8u);
#end
        }
#end
#for r in 0..$ROWS
#if TEXELS$m
        let w_$m_$r = levels_$m(row_$r, unit);
        let scale_$m_$r = scale_$m(scales_$m_$r, unit);
#else
        let w_$m_$r = decode_$m(row_$r, unit);
        let scale_$m_$r = 1.0;
#end
#end
#end
#for t in 0..$TOKENS
        {
            var x = input_at(token + $tu, e);
#if NORM
            squares += dot(x, x);
            x *= gain_at(e);
#end
#for i in 0..8
            let x$i = subgroupBroadcast(x, $iu);
#end
#for r in 0..$ROWS
#for m in $MINE$s
            var part_$m_$r = w_$m_$r[0] * x0;
#for i in 1..8
            part_$m_$r = fma(w_$m_$r[$i], x$i, part_$m_$r);
#end
            sum_$m_$r_$t = fma(part_$m_$r.x + part_$m_$r.y + part_$m_$r.z + part_$m_$r.w, scale_$m_$r, sum_$m_$r_$t);
#end
#end
        }
#end
    }
#if NORM
    // Each eight lanes have summed all of them.
    let scale = norm_scale(subgroupAdd(squares) * 8.0 / f32(lanes));
#else
    let scale = 1.0;
#end
#for r in 0..$ROWS
    if begin + $ru * $GROUPu + local < p.rows_$s {
#for t in 0..$TOKENS
        if token + $tu < p.tokens {
#if GATE
            let gate = activated(p.activation, biased_0(row_$r, sum_0_$r_$t * scale));
            output[(token + $tu) * p.stride + p.offset + row_$r] = gate * biased_1(row_$r, sum_1_$r_$t * scale);
#else
            put(token + $tu, offset + row_$r, biased_$s(row_$r, sum_$s_$r_$t * scale));
#end
        }
#end
    }
#end
}
#end

@compute @workgroup_size($GROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) lanes: u32,
) {
    let number = p.begin + group_number(id, groups);
    if number >= p.groups {
        return;
    }
    let token_tiles = (p.tokens + $TOKENSu - 1u) / $TOKENSu;
    let token = (number % token_tiles) * $TOKENSu;
    var tile = number / token_tiles;
    var offset = 0u;
#for s in $RUNS
    let tiles_$s = (p.rows_$s + SPAN - 1u) / SPAN;
    if tile < tiles_$s {
        run_$s(tile * SPAN, offset, token, local, lane, lanes);
        return;
    }
    tile -= tiles_$s;
    offset += p.rows_$s;
#end
}
