//! Lanes as arrays, for every machine.

use std::ops::{Add, BitAnd, Div, Mul, Neg, Not, Sub};

use super::{LANES, Lanes, Mask, array, nearest};

#[derive(Clone, Copy)]
#[repr(align(32))]
pub(in crate::block) struct Portable([f32; LANES]);

#[derive(Clone, Copy)]
pub(in crate::block) struct PortableMask([bool; LANES]);

impl Portable {
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Self(array(|i| f(self.0[i])))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(array(|i| f(self.0[i], other.0[i])))
    }
}

impl Lanes for Portable {
    type Mask = PortableMask;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        self.map(|x| nearest(x) as f32)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if b < a { b } else { a })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if b > a { b } else { a })
    }

    #[inline(always)]
    fn gt(self, other: Self) -> PortableMask {
        PortableMask(array(|i| self.0[i] > other.0[i]))
    }

    #[inline(always)]
    fn eq(self, other: Self) -> PortableMask {
        PortableMask(array(|i| self.0[i] == other.0[i]))
    }
}

impl Mask<Portable> for PortableMask {
    #[inline(always)]
    fn select(self, yes: Portable, no: Portable) -> Portable {
        Portable(array(|i| if self.0[i] { yes.0[i] } else { no.0[i] }))
    }

    #[inline(always)]
    fn any(self) -> bool {
        self.0.iter().fold(false, |any, &x| any | x)
    }
}

impl From<[f32; LANES]> for Portable {
    #[inline(always)]
    fn from(values: [f32; LANES]) -> Self {
        Self(values)
    }
}

impl From<Portable> for [f32; LANES] {
    #[inline(always)]
    fn from(lanes: Portable) -> Self {
        lanes.0
    }
}

impl Neg for Portable {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

macro_rules! elementwise {
    ($($op:ident $method:ident),*) => {$(
        impl $op for Portable {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, $op::$method)
            }
        }
    )*};
}

elementwise!(Add add, Sub sub, Mul mul, Div div);

impl BitAnd for PortableMask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(array(|i| self.0[i] & other.0[i]))
    }
}

impl Not for PortableMask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(array(|i| !self.0[i]))
    }
}
