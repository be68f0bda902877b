//! Activations, and how rows of them are put side by side.

/// `[count][width]`, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl Rows {
    pub(super) fn zeros(count: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; count * width] }
    }

    pub(super) fn count(&self) -> usize {
        self.values.len() / self.width
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..][..self.width]
    }

    pub(super) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// See [`Backend::gather`](crate::backend::Backend::gather).
    pub(super) fn gather(&self, sources: &[Option<usize>], group: usize) -> Self {
        let mut out = Self::zeros(sources.len(), self.width);
        for (row, source) in out.iter_mut().zip(sources) {
            if let Some(source) = source {
                row.copy_from_slice(self.row(*source));
            }
        }
        Self { width: group * self.width, values: out.values }
    }

    /// See [`Backend::mean_pool`](crate::backend::Backend::mean_pool).
    pub(super) fn mean_pool(&self, count: usize) -> Self {
        let mut out = Self::zeros(self.count() / count, self.width);
        for (index, row) in out.iter_mut().enumerate() {
            for part in 0..count {
                row.iter_mut().zip(self.row(index * count + part)).for_each(|(mean, x)| *mean += x);
            }
            row.iter_mut().for_each(|mean| *mean /= count as f32);
        }
        out
    }
}
