enable f16;
enable wgpu_cooperative_matrix;
// Tiles of 32 rows of weights by 32 rows of input, of square matrices that the threads of a subgroup, which are a group,
// multiply together: numbers in f16, sums in f32.
#include matmul/bindings.wgsl

const SPAN: u32 = 32u;
// Numbers from row to row of a tile: more than 32, so that rows do not fall onto each other in the banks of the memory.
const PITCH: u32 = 40u;
const LARGEST: vec4<f32> = vec4<f32>(65504.0);

var<workgroup> tile_x: array<f16, 1280>;
#for m in $TILES
var<workgroup> tile_w$m: array<f16, 1280>;
var<workgroup> sums_$m: array<f32, 1024>;
#end

#for s in $RUNS
fn run_$s(begin: u32, offset: u32, token: u32, local: u32) {
#for m in $MINE$s
#for t in 0..$SQUARES
#for r in 0..$SQUARES
    var sum_$m_$t_$r = coop_mat$SIDEx$SIDE<f32, C>();
#end
#end
#end
    for (var unit = 0u; unit < p.units; unit++) {
        for (var loaded = local; loaded < 32u; loaded += $GROUPu) {
#for i in 0..8
            let x$i = vec4<f16>(clamp(input_at(token + loaded, unit * 32u + $iu * 4u), -LARGEST, LARGEST));
#for e in 0..4
            tile_x[loaded * PITCH + 4u * $iu + $eu] = x$i[$e];
#end
#end
            let row = min(begin + loaded, p.rows_$s - 1u);
#for m in $MINE$s
            let w$m = decode_$m(row, unit);
#for i in 0..8
#for e in 0..4
            tile_w$TILE$m[loaded * PITCH + 4u * $iu + $eu] = f16(w$m[$i][$e]);
#end
#end
#end
        }
        workgroupBarrier();
#for k in 0..$SQUARES
#for t in 0..$SQUARES
        let x_$k_$t = coopLoadT<coop_mat$SIDEx$SIDE<f16, A>>(&tile_x[$tu * $SIDEu * PITCH + $ku * $SIDEu], PITCH);
#end
#for m in $MINE$s
#for r in 0..$SQUARES
        let w_$m_$k_$r = coopLoad<coop_mat$SIDEx$SIDE<f16, B>>(&tile_w$TILE$m[$ru * $SIDEu * PITCH + $ku * $SIDEu], PITCH);
#for t in 0..$SQUARES
        sum_$m_$t_$r = coopMultiplyAdd(x_$k_$t, w_$m_$k_$r, sum_$m_$t_$r);
#end
#end
#end
#end
        workgroupBarrier();
    }
#for m in $MINE$s
#for t in 0..$SQUARES
#for r in 0..$SQUARES
    coopStoreT(sum_$m_$t_$r, &sums_$TILE$m[$tu * $SIDEu * 32u + $ru * $SIDEu], 32u);
#end
#end
#end
    workgroupBarrier();
    for (var i = local; i < 1024u; i += $GROUPu) {
        let row = begin + i % 32u;
        let at = token + i / 32u;
        if row < p.rows_$s && at < p.tokens {
#if GATE
            let gate = activated(p.activation, biased_0(row, sums_0[i]));
            output[at * p.stride + p.offset + row] = gate * biased_1(row, sums_1[i]);
#else
            put(at, offset + row, biased_$s(row, sums_$TILE$s[i]));
#end
        }
    }
}
#end

#include matmul/tile/main.wgsl
