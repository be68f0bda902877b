// The numbers of a tile in f32.
alias Four = vec4<f32>;
alias Sums = vec4<f32>;

fn load_input(at: u32, token: u32, unit: u32) {
#for i in 0..8
    tile_x[at * 9u + $iu] = input_at(token, unit * 32u + $iu * 4u);
#end
}

fn products(w: Four, x0: Four, x1: Four, x2: Four, x3: Four) -> Sums {
    return vec4<f32>(dot(w, x0), dot(w, x1), dot(w, x2), dot(w, x3));
}

#for m in $SOURCES
fn load_weights_$m(at: u32, row: u32, unit: u32) {
    let w = decode_$m(row, unit);
#for i in 0..8
    tile_w$TILE$m[at * 9u + $iu] = w[$i];
#end
}

fn scaled_$m(sums: Sums, row: u32, token: u32, part: u32) -> vec4<f32> {
    return sums;
}
#end
