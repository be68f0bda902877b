//! The sums that a scale is fitted by.

use std::ops::{Add, Div, Mul, Sub};

/// What sums are made of: floats, one or a lane each.
pub(super) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
}

impl<T> Number for T where T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T> + Div<Output = T> {}

/// Weighted sums over the elements of a block: of value times level, and of level squared.
#[derive(Clone, Copy)]
pub(super) struct Sums<T> {
    pub(super) xl: T,
    pub(super) l2: T,
}

impl<T: Number> Sums<T> {
    #[inline(always)]
    pub(super) fn with(self, x: T, weight: T, level: T) -> Self {
        Self { xl: self.xl + weight * x * level, l2: self.l2 + weight * level * level }
    }

    #[inline(always)]
    pub(super) fn without(self, x: T, weight: T, level: T) -> Self {
        Self { xl: self.xl - weight * x * level, l2: self.l2 - weight * level * level }
    }

    /// The scale with the least squared error.
    #[inline(always)]
    pub(super) fn scale(self) -> T {
        self.xl / self.l2
    }
}
