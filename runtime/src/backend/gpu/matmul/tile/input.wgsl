fn input_unit(token: u32, unit: u32) -> array<vec4<f32>, 8> {
    return array<vec4<f32>, 8>(
#for i in 0..8
        input_at(token, unit * 32u + $iu * 4u),
#end
    );
}

fn largest_of(x: array<vec4<f32>, 8>) -> f32 {
    var four = abs(x[0]);
#for i in 1..8
    four = max(four, abs(x[$i]));
#end
    return max(max(four.x, four.y), max(four.z, four.w));
}
