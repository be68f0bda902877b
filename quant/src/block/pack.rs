//! Levels of a few bits laid out in bytes, the way ggml's vector code reads them.

/// The length of a super-block.
pub(super) const SUPER: usize = 256;

/// Two nibbles a byte: level `i` in the low half and level `i + HALF` in the high half, for each `2 * HALF` levels.
#[inline(always)]
pub(super) fn nibbles<const HALF: usize>(levels: &[u8], out: &mut [u8]) {
    for (levels, out) in levels.chunks_exact(2 * HALF).zip(out.chunks_exact_mut(HALF)) {
        for i in 0..HALF {
            out[i] = (levels[i] & 15) | (levels[i + HALF] << 4);
        }
    }
}

/// The inverse of [`nibbles`].
#[inline(always)]
pub(super) fn unpack_nibbles<const HALF: usize, const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut levels = [0; N];
    for (levels, bytes) in levels.chunks_exact_mut(2 * HALF).zip(bytes.chunks_exact(HALF)) {
        for i in 0..HALF {
            levels[i] = bytes[i] & 15;
            levels[i + HALF] = bytes[i] >> 4;
        }
    }
    levels
}

/// `BITS` bits of every level, from bit `shift` up. The byte `i` of each 32 holds levels `i`, `i + 32` and so on,
/// lowest bits first.
#[inline(always)]
pub(super) fn planes<const BITS: usize>(levels: &[u8; SUPER], shift: u32, out: &mut [u8]) {
    let mask = (1 << BITS) - 1;
    for (levels, out) in levels.chunks_exact(256 / BITS).zip(out.chunks_exact_mut(32)) {
        for (i, out) in out.iter_mut().enumerate() {
            let part = |plane: usize| ((levels[i + 32 * plane] >> shift) & mask) << (BITS * plane);
            *out = (0..8 / BITS).fold(0, |byte, plane| byte | part(plane));
        }
    }
}

/// The inverse of [`planes`] with shift 0.
#[inline(always)]
pub(super) fn unpack_planes<const BITS: usize>(bytes: &[u8]) -> [u8; SUPER] {
    let mut levels = [0; SUPER];
    let mask = (1 << BITS) - 1;
    for (levels, bytes) in levels.chunks_exact_mut(256 / BITS).zip(bytes.chunks_exact(32)) {
        for (plane, levels) in levels.chunks_exact_mut(32).enumerate() {
            for (level, byte) in levels.iter_mut().zip(bytes) {
                *level = (byte >> (BITS * plane)) & mask;
            }
        }
    }
    levels
}
