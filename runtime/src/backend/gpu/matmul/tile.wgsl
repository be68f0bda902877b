// Tiles of 32 rows of weights by 32 rows of input, 4 by 4 in the registers of each of 64 threads; both are put into the
// group's memory 32 columns at a time, so that a block is decoded once for 32 rows of input.
#include matmul/bindings.wgsl

const SPAN: u32 = 32u;

// Nine in place of eight, so that rows do not fall onto each other in the banks of the memory.
var<workgroup> tile_x: array<vec4<f32>, 288>;
#for m in $TILES
var<workgroup> tile_w$m: array<vec4<f32>, 288>;
#end

#for s in $RUNS
fn run_$s(begin: u32, offset: u32, token: u32, local: u32) {
    let row_part = (local % 8u) * 4u;
    let token_part = (local / 8u) * 4u;
    let loaded = local % 32u;
#for m in $MINE$s
#for r in 0..4
    var sum_$m_$r = vec4<f32>();
#end
#end
    for (var unit = 0u; unit < p.units; unit++) {
        if local < 32u {
            let row = min(begin + loaded, p.rows_$s - 1u);
#for m in $MINE$s
            {
                let w = decode_$m(row, unit);
#for i in 0..8
                tile_w$TILE$m[loaded * 9u + $iu] = w[$i];
#end
            }
#end
        } else {
#for i in 0..8
            tile_x[loaded * 9u + $iu] = input_at(token + loaded, unit * 32u + $iu * 4u);
#end
        }
        workgroupBarrier();
        for (var i = 0u; i < 8u; i++) {
#for t in 0..4
            let x$t = tile_x[(token_part + $tu) * 9u + i];
#end
#for m in $MINE$s
#for r in 0..4
            {
                let w = tile_w$TILE$m[(row_part + $ru) * 9u + i];
                sum_$m_$r += vec4<f32>(dot(w, x0), dot(w, x1), dot(w, x2), dot(w, x3));
            }
#end
#end
        }
        workgroupBarrier();
    }
#for r in 0..4
    {
        let row = begin + row_part + $ru;
        if row < p.rows_$s {
#for t in 0..4
            if token + token_part + $tu < p.tokens {
#if GATE
                let gate = activated(p.activation, biased_0(row, sum_0_$r[$t]));
                output[(token + token_part + $tu) * p.stride + p.offset + row] = gate * biased_1(row, sum_1_$r[$t]);
#else
                put(token + token_part + $tu, offset + row, biased_$s(row, sum_$s_$r[$t]));
#end
            }
#end
        }
    }
#end
}
#end

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = p.begin + group_number(id, groups);
    if number >= p.groups {
        return;
    }
    let token_tiles = (p.tokens + 31u) / 32u;
    let token = (number % token_tiles) * 32u;
    var tile = number / token_tiles;
    var offset = 0u;
#for s in $RUNS
    let tiles_$s = (p.rows_$s + SPAN - 1u) / SPAN;
    if tile < tiles_$s {
        run_$s(tile * SPAN, offset, token, local);
        return;
    }
    tile -= tiles_$s;
    offset += p.rows_$s;
#end
}
