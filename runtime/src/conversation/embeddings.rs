//! Rows of pictures and sounds, kept for when they are shown or played again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::media::ContentId;

/// The rows of one content, which whoever computes with them keeps alive.
pub(super) struct Embedding<R> {
    pub(super) rows: Arc<R>,
    pub(super) count: usize,
}

/// The rows of contents that were used last, at most so many.
pub(super) struct Embeddings<R> {
    most_rows: usize,
    kept: HashMap<ContentId, (u64, Embedding<R>)>,
    /// Counts uses.
    clock: u64,
}

impl<R> Embeddings<R> {
    /// Room for `most_rows` rows.
    pub(super) fn new(most_rows: usize) -> Self {
        Self { most_rows, kept: HashMap::new(), clock: 0 }
    }

    pub(super) fn get(&mut self, id: ContentId) -> Option<Arc<R>> {
        self.clock += 1;
        let (used, embedding) = self.kept.get_mut(&id)?;
        *used = self.clock;
        Some(Arc::clone(&embedding.rows))
    }

    /// Keeps an embedding, and gives up those that were not used for the longest time to make room.
    pub(super) fn insert(&mut self, id: ContentId, embedding: Embedding<R>) {
        if embedding.count > self.most_rows {
            return;
        }
        self.clock += 1;
        self.kept.insert(id, (self.clock, embedding));
        self.limit(self.most_rows);
    }

    /// Keeps `most_rows` rows at most.
    pub(super) fn limit(&mut self, most_rows: usize) {
        self.most_rows = most_rows;
        while self.rows() > self.most_rows {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { return };
            self.kept.remove(&oldest);
        }
    }

    fn rows(&self) -> usize {
        self.kept.values().map(|(_, embedding)| embedding.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::media::Image;
    use crate::model::vision::Picture;

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let id = |shade: u8| Image::new(Picture::new(1, 1, vec![shade; 3]).expect("a pixel")).id();
        let mut embeddings = Embeddings::new(10);
        let insert = |embeddings: &mut Embeddings<u8>, shade: u8, count| {
            embeddings.insert(id(shade), Embedding { rows: Arc::new(shade), count });
        };
        insert(&mut embeddings, 1, 4);
        insert(&mut embeddings, 2, 4);
        assert_eq!(embeddings.get(id(1)).as_deref(), Some(&1));
        insert(&mut embeddings, 3, 4);
        assert!(embeddings.get(id(2)).is_none());
        assert!(embeddings.get(id(1)).is_some() && embeddings.get(id(3)).is_some());
        insert(&mut embeddings, 4, 11);
        assert_eq!(embeddings.rows(), 8, "what is too large is not kept, and costs the others nothing");
    }
}
