// Over a group of 64 threads, all of which must come here.
var<workgroup> parts_of_sum: array<f32, 64>;

fn sum_of_group(x: f32, local: u32) -> f32 {
    parts_of_sum[local] = x;
    workgroupBarrier();
    for (var step = 32u; step > 0u; step /= 2u) {
        if local < step {
            parts_of_sum[local] += parts_of_sum[local + step];
        }
        workgroupBarrier();
    }
    let sum = parts_of_sum[0];
    workgroupBarrier();
    return sum;
}

fn max_of_group(x: f32, local: u32) -> f32 {
    parts_of_sum[local] = x;
    workgroupBarrier();
    for (var step = 32u; step > 0u; step /= 2u) {
        if local < step {
            parts_of_sum[local] = max(parts_of_sum[local], parts_of_sum[local + step]);
        }
        workgroupBarrier();
    }
    let largest = parts_of_sum[0];
    workgroupBarrier();
    return largest;
}
