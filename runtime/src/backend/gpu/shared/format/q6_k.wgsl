// 210 bytes for 256: nibbles of each 128, the two high bits of each 128, a scale for each 16, their scale.
fn block_$s(row: u32, unit: u32) -> Block {
    let index = row * p.units + unit;
    let sub = index & 7u;
    let begin = (index >> 3u) * 210u;
    let odd = (begin & 2u) != 0u;
    let at = begin / 4u;
    let side = sub >> 2u;
    let low = at + side * 16u + (sub & 1u) * 8u;
    let high = at + 32u + side * 8u;
    let low_shift = (sub & 2u) * 2u;
    let high_shift = (sub & 3u) * 2u;
#for i in 0..9
    let l$i = weights_$s[low + $iu];
    let h$i = weights_$s[high + $iu];
#end
    let two_scales = begin + 192u + sub * 2u;
    let pair = weights_$s[two_scales / 4u] >> ((two_scales & 2u) * 8u);
    let scales = signed_bytes(pair).xy * half_of(weights_$s[at + 52u], odd);
    let first = vec4<u32>(
        q6_$s(l0, l1, h0, h1, odd, low_shift, high_shift),
        q6_$s(l1, l2, h1, h2, odd, low_shift, high_shift),
        q6_$s(l2, l3, h2, h3, odd, low_shift, high_shift),
        q6_$s(l3, l4, h3, h4, odd, low_shift, high_shift),
    );
    let second = vec4<u32>(
        q6_$s(l4, l5, h4, h5, odd, low_shift, high_shift),
        q6_$s(l5, l6, h5, h6, odd, low_shift, high_shift),
        q6_$s(l6, l7, h6, h7, odd, low_shift, high_shift),
        q6_$s(l7, l8, h7, h8, odd, low_shift, high_shift),
    );
    return block_of(first, second, scales, 0.0);
}

fn q6_$s(l: u32, l_next: u32, h: u32, h_next: u32, odd: bool, low_shift: u32, high_shift: u32) -> u32 {
    let low = select(l, after(l, l_next, false), odd);
    let high = select(h, after(h, h_next, false), odd);
    let bits = ((low >> low_shift) & 0x0f0f0f0fu) | (((high >> high_shift) & 0x03030303u) << 4u);
    // 32 less, without borrowing from the next byte.
    return ((bits | 0x80808080u) - 0x20202020u) ^ 0x80808080u;
}
