// Each group of threads computes the tile of 32 by 32 that has its number.
@compute @workgroup_size($GROUP)
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
