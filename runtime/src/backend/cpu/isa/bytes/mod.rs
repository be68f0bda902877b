//! Sixteen bytes, in a register where every machine of the target has one.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(any(test, not(any(target_arch = "aarch64", target_arch = "x86_64"))))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(target_arch = "aarch64")]
pub(in crate::backend::cpu) use self::neon::Bytes;
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
pub(in crate::backend::cpu) use self::portable::Bytes;
#[cfg(target_arch = "x86_64")]
pub(in crate::backend::cpu) use self::sse2::Bytes;

#[cfg(test)]
mod tests {
    use super::{Bytes, portable};

    #[test]
    fn registers_do_what_arrays_do() {
        let x: [u8; 16] = std::array::from_fn(|i| (i * 167 + 41) as u8);
        let nibbles = x.map(|x| x & 15);
        let (register, array) = (Bytes::new(x), portable::Bytes::new(x));
        for shift in 0..8 {
            let mask = 255 >> shift;
            assert_eq!(register.bits(shift, mask).to_array(), array.bits(shift, mask).to_array(), "{shift}");
        }
        let (low, array_low) = (Bytes::new(nibbles), portable::Bytes::new(nibbles));
        assert_eq!(low.to_high().to_array(), array_low.to_high().to_array());
        assert_eq!(low.or(register).to_array(), array_low.or(array).to_array());
        assert_eq!(register.xor(128).to_array(), array.xor(128).to_array());
        for bits in [[0, 0], [0x81, 0x7e], [0x35, 0xca], [255, 255]] {
            let spread = Bytes::where_bits(bits, 16).to_array();
            assert_eq!(spread, portable::Bytes::where_bits(bits, 16).to_array(), "{bits:?}");
        }
    }
}
