use std::sync::Arc;

use super::consent::{Consent, Grant, Kind, PictureScope, Text, Words};
use super::picture::Portable;

/// A question, and all else that may leave the device for it. Each part comes with the consent of its kind.
#[derive(Clone, Debug)]
pub struct Question {
    pub(super) words: String,
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    pub(super) pictures: Vec<Arc<Portable>>,
    pub(super) grants: Vec<Arc<Grant>>,
}

impl Question {
    /// A question in words: written, or said.
    pub fn new<S: Words>(consent: &Consent<S>, words: impl Into<String>) -> Self {
        let (words, grants) = (words.into(), vec![consent.grant()]);
        Self { words, kind: S::KIND, description: None, pictures: Vec::new(), grants }
    }

    /// With the device's own description of what it sees.
    #[must_use]
    pub fn with_description(mut self, consent: &Consent<Text>, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self.grants.push(consent.grant());
        self
    }

    /// With a picture of what it sees; several may be added.
    #[must_use]
    pub fn with_picture(mut self, consent: &Consent<PictureScope>, picture: Arc<Portable>) -> Self {
        self.pictures.push(picture);
        self.grants.push(consent.grant());
        self
    }

    /// Whether text that the device made may go with it.
    pub(super) fn may_carry_text(&self) -> bool {
        self.grants.iter().any(|grant| grant.kind == Kind::Text)
    }

    /// Whether anything of what the camera sees goes with it.
    pub(super) fn shows(&self) -> bool {
        self.description.is_some() || !self.pictures.is_empty()
    }

    /// Whether any part of it may not be sent any more.
    pub(super) fn is_revoked(&self) -> bool {
        self.grants.iter().any(|grant| grant.is_revoked())
    }

    /// Ends when that is so.
    pub(super) async fn revoked(&self) {
        let each = self.grants.iter().map(|grant| Box::pin(grant.revoked()));
        futures_util::future::select_all(each).await;
    }

    /// What was allowed of `kinds`, for the ledger.
    pub(super) fn consent_for(&self, kinds: &[Kind]) -> String {
        let mut terms = Vec::new();
        for kind in kinds {
            let grant = self.grants.iter().find(|grant| grant.kind == *kind);
            terms.extend(grant.map(|grant| format!("{} {}", kind.name(), grant.term.name())));
        }
        terms.join(", ")
    }
}
