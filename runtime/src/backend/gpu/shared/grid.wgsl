// Groups are counted over two dimensions, because one has 65535 at most.
fn group_number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x;
}
