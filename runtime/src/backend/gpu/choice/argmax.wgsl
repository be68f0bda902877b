// The first of the largest logits that are allowed, by one group of threads.
struct Params { count: u32, first: u32 }
var<immediate> p: Params;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> token: array<u32>;
#if MASK
@group(0) @binding(2) var<storage, read> allowed: array<u32>;
#end

const LOWEST: f32 = -3.4028234e38;
var<workgroup> values: array<f32, 256>;
var<workgroup> places: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32) {
    var value = LOWEST;
    var place = 0xffffffffu;
    for (var i = local; i < p.count; i += 256u) {
        let logit = logits[p.first + i];
#if MASK
        let may = ((allowed[i / 32u] >> (i % 32u)) & 1u) == 1u;
#else
        let may = true;
#end
        // Also where all are at the bottom some token is chosen.
        if may && (logit > value || place == 0xffffffffu) {
            value = max(logit, LOWEST);
            place = i;
        }
    }
    values[local] = value;
    places[local] = place;
    workgroupBarrier();
    for (var step = 128u; step > 0u; step /= 2u) {
        if local < step {
            let other = values[local + step];
            let closer = places[local + step] < places[local];
            if places[local + step] != 0xffffffffu
                && (places[local] == 0xffffffffu || other > values[local] || (other == values[local] && closer)) {
                values[local] = other;
                places[local] = places[local + step];
            }
        }
        workgroupBarrier();
    }
    if local == 0u {
        token[0] = min(places[0], p.count - 1u);
    }
}
