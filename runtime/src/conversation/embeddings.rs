//! Rows of pictures and sounds, kept for when they are shown or played again.

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
    /// Those used last are last. A hash table would grow by being written to, although it holds no more.
    kept: Vec<(ContentId, Embedding<R>)>,
}

impl<R> Embeddings<R> {
    /// Room for `most_rows` rows.
    pub(super) fn new(most_rows: usize) -> Self {
        Self { most_rows, kept: Vec::new() }
    }

    pub(super) fn get(&mut self, id: ContentId) -> Option<Arc<R>> {
        let at = self.kept.iter().rposition(|(kept, _)| *kept == id)?;
        self.kept[at..].rotate_left(1);
        self.kept.last().map(|(_, embedding)| Arc::clone(&embedding.rows))
    }

    /// Keeps an embedding, and gives up those that were not used for the longest time to make room.
    pub(super) fn insert(&mut self, id: ContentId, embedding: Embedding<R>) {
        if embedding.count > self.most_rows {
            return;
        }
        self.kept.retain(|(kept, _)| *kept != id);
        self.give_up(self.most_rows - embedding.count);
        self.kept.push((id, embedding));
    }

    /// Keeps `most_rows` rows at most.
    pub(super) fn limit(&mut self, most_rows: usize) {
        self.most_rows = most_rows;
        self.give_up(most_rows);
    }

    /// Gives up those that were not used for the longest time, until `left` rows are kept at most.
    fn give_up(&mut self, left: usize) {
        let mut rows = self.rows();
        let mut count = 0;
        while rows > left {
            rows -= self.kept[count].1.count;
            count += 1;
        }
        self.kept.drain(..count);
    }

    fn rows(&self) -> usize {
        self.kept.iter().map(|(_, embedding)| embedding.count).sum()
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
