#if HALVES
enable f16;
#end
// Tiles of 32 rows of weights by 32 rows of input, 4 by 4 in the registers of each of 64 threads; both are put into the
// group's memory 32 columns at a time, so that a block is decoded once for 32 rows of input.
#include matmul/bindings.wgsl
#include matmul/tile/$NUMBERS.wgsl

const SPAN: u32 = 32u;

// Four columns each. Nine in place of eight, so that rows do not fall onto each other in the banks of the memory.
var<workgroup> tile_x: array<Four, 288>;
#for m in $TILES
var<workgroup> tile_w$m: array<Four, 288>;
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
            load_weights_$m(loaded, row, unit);
#end
        } else {
            load_input(loaded, token + loaded, unit);
        }
        workgroupBarrier();
#for part in $PARTS
        {
#for m in $MINE$s
#for r in 0..4
            var unit_$m_$r = Sums();
#end
#end
            for (var i = $STEPSu * $partu; i < $STEPSu * ($partu + 1u); i++) {
#for t in 0..4
                let x$t = tile_x[(token_part + $tu) * 9u + i];
#end
#for m in $MINE$s
#for r in 0..4
                unit_$m_$r += products(tile_w$TILE$m[(row_part + $ru) * 9u + i], x0, x1, x2, x3);
#end
#end
            }
#for m in $MINE$s
#for r in 0..4
            sum_$m_$r += scaled_$m(unit_$m_$r, row_part + $ru, token_part, $partu);
#end
#end
        }
#end
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

#include matmul/tile/main.wgsl
