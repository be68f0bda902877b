//! What the wearer allows to leave the device, as types.
//!
//! A [`Consent`] has no constructor: it comes from [`Consents`], where the wearer put it. Whatever goes into a
//! `Request` is handed over with the consent of its own kind, so that a picture cannot be sent on a
//! consent for words:
//!
//! ```compile_fail,E0308
//! use lorgnette_runtime::mode::contemplating::{Consent, Portable, Question, Text};
//! # use std::sync::Arc;
//! fn show(question: Question, words: &Consent<Text>, picture: Arc<Portable>) -> Question {
//!     question.with_picture(words, picture)
//! }
//! ```
//!
//! nor words on one for pictures, nor anything without one:
//!
//! ```compile_fail,E0277
//! use lorgnette_runtime::mode::contemplating::{Consent, PictureScope, Question};
//! fn ask(consent: &Consent<PictureScope>) -> Question {
//!     Question::new(consent, "What is this?")
//! }
//! ```
//!
//! ```compile_fail,E0451
//! use lorgnette_runtime::mode::contemplating::{Consent, Text};
//! fn forge(another: &Consent<Text>) -> Consent<Text> {
//!     Consent { ..*another }
//! }
//! ```
//!
//! With the right one it compiles:
//!
//! ```
//! use lorgnette_runtime::mode::contemplating::{Consents, Kind, Question, Term, Text};
//! let consents = Consents::default();
//! assert!(consents.take::<Text>().is_none());
//! consents.allow(Kind::Text, Term::Once);
//! let consent = consents.take::<Text>().ok_or("it was just given")?;
//! let question = Question::new(&consent, "What is this?");
//! # Ok::<(), &str>(())
//! ```

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What may leave the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What the wearer wrote, and the device's own description of what it saw.
    Text,
    /// What the wearer said, as text.
    Transcript,
    /// What the camera saw.
    Picture,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Text, Self::Transcript, Self::Picture];

    /// As configuration and ledger write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Transcript => "transcript",
            Self::Picture => "picture",
        }
    }
}

/// For how long something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    /// For one question, and all requests that it takes.
    Once,
    /// Until [`Consents::end_conversation`].
    Conversation,
    /// Until it is revoked.
    Always,
}

impl Term {
    /// As the ledger writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Conversation => "conversation",
            Self::Always => "always",
        }
    }
}

/// [`Kind`] as a type.
pub trait Scope: sealed::Sealed {
    /// The kind.
    const KIND: Kind;
}

/// The scopes of words.
pub trait Words: Scope {}

/// The scope of [`Kind::Text`].
#[derive(Clone, Copy, Debug)]
pub enum Text {}

/// The scope of [`Kind::Transcript`].
#[derive(Clone, Copy, Debug)]
pub enum Transcript {}

/// The scope of [`Kind::Picture`].
#[derive(Clone, Copy, Debug)]
pub enum PictureScope {}

impl Scope for Text {
    const KIND: Kind = Kind::Text;
}

impl Scope for Transcript {
    const KIND: Kind = Kind::Transcript;
}

impl Scope for PictureScope {
    const KIND: Kind = Kind::Picture;
}

impl Words for Text {}
impl Words for Transcript {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Text {}
    impl Sealed for super::Transcript {}
    impl Sealed for super::PictureScope {}
}

/// The wearer's consent that things of scope `S` leave the device. It ends when it is revoked, wherever it is held.
#[derive(Debug)]
pub struct Consent<S: Scope> {
    grant: Arc<Grant>,
    scope: PhantomData<S>,
}

impl<S: Scope> Clone for Consent<S> {
    fn clone(&self) -> Self {
        Self { grant: Arc::clone(&self.grant), scope: PhantomData }
    }
}

impl<S: Scope> Consent<S> {
    pub(super) fn grant(&self) -> Arc<Grant> {
        Arc::clone(&self.grant)
    }
}

/// What was allowed, once.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) kind: Kind,
    pub(super) term: Term,
    revoked: watch::Sender<bool>,
}

impl Grant {
    pub(super) fn is_revoked(&self) -> bool {
        *self.revoked.borrow()
    }

    /// Ends when it is revoked.
    pub(super) async fn revoked(&self) {
        // The sender is part of this grant, so that waiting cannot fail.
        drop(self.revoked.subscribe().wait_for(|revoked| *revoked).await);
    }
}

/// What the wearer allows now.
#[derive(Debug, Default)]
pub struct Consents(Mutex<Vec<Given>>);

#[derive(Debug)]
struct Given {
    grant: Arc<Grant>,
    /// Whether it was given for one question, and that was asked.
    used: bool,
}

impl Consents {
    /// The wearer allows things of `kind` to leave the device for `term`.
    pub fn allow(&self, kind: Kind, term: Term) {
        let grant = Arc::new(Grant { kind, term, revoked: watch::Sender::new(false) });
        let mut given = self.given();
        // What was used up and nobody holds any more cannot be revoked either.
        given.retain(|given| !given.used || Arc::strong_count(&given.grant) > 1);
        given.push(Given { grant, used: false });
    }

    /// Whether there is a consent for things of `kind`.
    pub fn allows(&self, kind: Kind) -> bool {
        self.given().iter().any(|given| given.grant.kind == kind && !given.used)
    }

    /// The consent for things of scope `S`, if there is one. One for a single question is used up by this.
    pub fn take<S: Scope>(&self) -> Option<Consent<S>> {
        let mut all = self.given();
        let free = |given: &&mut Given| given.grant.kind == S::KIND && !given.used;
        // The longest that was given, so that none is used up without need.
        let given = all.iter_mut().filter(free).max_by_key(|given| given.grant.term as u8)?;
        given.used = given.grant.term == Term::Once;
        Some(Consent { grant: Arc::clone(&given.grant), scope: PhantomData })
    }

    /// The wearer takes back what was allowed of `kind`: nothing more is sent, and what is under way stops.
    pub fn revoke(&self, kind: Kind) {
        self.revoke_if(|grant| grant.kind == kind);
    }

    /// Takes back what was allowed for this conversation.
    pub fn end_conversation(&self) {
        self.revoke_if(|grant| grant.term == Term::Conversation);
    }

    fn revoke_if(&self, ends: impl Fn(&Grant) -> bool) {
        self.given().retain(|given| {
            let ends = ends(&given.grant);
            if ends {
                given.grant.revoked.send_replace(true);
            }
            !ends
        });
    }

    fn given(&self) -> MutexGuard<'_, Vec<Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_for_one_question_is_used_up_by_it() {
        let consents = Consents::default();
        consents.allow(Kind::Picture, Term::Once);
        assert!(consents.take::<Text>().is_none());
        assert!(consents.take::<PictureScope>().is_some());
        assert!(consents.take::<PictureScope>().is_none());
    }

    #[test]
    fn a_conversation_ends_its_consents_and_no_others() {
        let consents = Consents::default();
        consents.allow(Kind::Text, Term::Conversation);
        consents.allow(Kind::Transcript, Term::Always);
        let held = consents.take::<Text>().unwrap();
        consents.end_conversation();
        assert!(held.grant.is_revoked() && consents.take::<Text>().is_none());
        assert!(consents.take::<Transcript>().is_some_and(|consent| !consent.grant.is_revoked()));
    }

    #[test]
    fn what_was_taken_for_one_question_can_still_be_revoked() {
        let consents = Consents::default();
        consents.allow(Kind::Text, Term::Once);
        let held = consents.take::<Text>().unwrap();
        consents.revoke(Kind::Text);
        assert!(held.grant.is_revoked());
    }

    #[test]
    fn a_longer_consent_is_taken_before_one_is_used_up() {
        let consents = Consents::default();
        consents.allow(Kind::Text, Term::Once);
        consents.allow(Kind::Text, Term::Always);
        assert_eq!(consents.take::<Text>().unwrap().grant.term, Term::Always);
        consents.revoke(Kind::Text);
        assert!(consents.take::<Text>().is_none());
    }
}
