// The numbers of a tile in levels of 8 bits, whose products are summed as integers.
#include matmul/tile/input.wgsl
alias Four = u32;
alias Sums = vec4<i32>;

// Of each unit of input: what its levels are multiplied with, and its sum.
var<workgroup> input_scales: array<vec2<f32>, 32>;
// Of each unit of weights: what the levels of its halves are multiplied with, and what is added to them.
#for m in $TILES
var<workgroup> weight_scales_$m: array<vec3<f32>, 32>;
#end

fn load_input(at: u32, token: u32, unit: u32) {
    let x = input_unit(token, unit);
    let largest = largest_of(x);
    let inverse = 127.0 / max(largest, 1e-30);
    var sum = vec4<f32>();
#for i in 0..8
    tile_x[at * 9u + $iu] = pack4xI8(vec4<i32>(round(x[$i] * inverse)));
    sum += x[$i];
#end
    input_scales[at] = vec2<f32>(largest / 127.0, sum.x + sum.y + sum.z + sum.w);
}

fn products(w: Four, x0: Four, x1: Four, x2: Four, x3: Four) -> Sums {
    return vec4<i32>(dot4I8Packed(w, x0), dot4I8Packed(w, x1), dot4I8Packed(w, x2), dot4I8Packed(w, x3));
}

#for m in $SOURCES
fn load_weights_$m(at: u32, row: u32, unit: u32) {
    let block = block_$m(row, unit);
#for i in 0..8
    tile_w$TILE$m[at * 9u + $iu] = block.levels[$i];
#end
    weight_scales_$TILE$m[at] = vec3<f32>(block.scales, block.base);
}

fn scaled_$m(sums: Sums, row: u32, token: u32, part: u32) -> vec4<f32> {
    let w = weight_scales_$TILE$m[row];
    let x = array<vec2<f32>, 4>(
#for t in 0..4
        input_scales[token + $tu],
#end
    );
    let scales = vec4<f32>(x[0].x, x[1].x, x[2].x, x[3].x) * select(w.x, w.y, part == 1u);
    let added = vec4<f32>(x[0].y, x[1].y, x[2].y, x[3].y) * select(w.z, 0.0, part == 1u);
    return fma(vec4<f32>(sums), scales, added);
}
#end
