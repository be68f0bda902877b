// The numbers of a tile in f16; those of a unit of input by its largest one, so that sums stay small.
#include matmul/tile/input.wgsl
alias Four = vec4<f16>;
alias Sums = vec4<f16>;

var<workgroup> largest: array<f32, 32>;

fn load_input(at: u32, token: u32, unit: u32) {
    let x = input_unit(token, unit);
    largest[at] = largest_of(x);
    let inverse = 1.0 / max(largest[at], 1e-30);
#for i in 0..8
    tile_x[at * 9u + $iu] = vec4<f16>(x[$i] * inverse);
#end
}

fn products(w: Four, x0: Four, x1: Four, x2: Four, x3: Four) -> Sums {
    return vec4<f16>(dot(w, x0), dot(w, x1), dot(w, x2), dot(w, x3));
}

#for m in $SOURCES
fn load_weights_$m(at: u32, row: u32, unit: u32) {
    let w = decode_$m(row, unit);
#for i in 0..8
    tile_w$TILE$m[at * 9u + $iu] = vec4<f16>(w[$i]);
#end
}

fn scaled_$m(sums: Sums, row: u32, token: u32, part: u32) -> vec4<f32> {
    return vec4<f32>(sums) * vec4<f32>(largest[token], largest[token + 1u], largest[token + 2u], largest[token + 3u]);
}
#end
