//! The tokenizer of a model, from `tokenizer.*` keys.
//!
//! | `tokenizer.ggml.model` | what it is | families |
//! |---|---|---|
//! | `gpt2` | byte-level BPE, cut into words by `tokenizer.ggml.pre` | Llama 3, Qwen, SmolLM |
//! | `llama` | SentencePiece's BPE with scores | Llama 2 |
//!
//! Ids are those of the family's own `tokenizer.json` under Hugging Face's tokenizers, and those of llama.cpp, but
//! that the Qwen families compose characters first (NFC), which llama.cpp leaves out.

mod byte_level;
mod decoder;
mod matcher;
mod merge;
mod pre;
mod sentencepiece;
mod special;
mod vocabulary;

use std::borrow::Cow;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result, TokenId};
use lorgnette_quant::gguf::Metadata;

use self::byte_level::ByteLevel;
pub use self::decoder::Decoder;
use self::matcher::{GUARD, Matcher, ends_inside};
use self::sentencepiece::SentencePiece;
use self::special::{Defaults, SpecialTokens};
pub use self::vocabulary::TokenType;
use self::vocabulary::{Spelling, Vocabulary};

/// What the text of control tokens becomes. User-defined tokens, which only stand for their text, are found in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// These tokens: for what a chat template wrote.
    Parse,
    /// Text like any other: for what somebody typed.
    AsText,
}

/// Text to tokens and back.
pub struct Tokenizer {
    vocabulary: Arc<Vocabulary>,
    model: Model,
    special: SpecialTokens,
    /// Tokens that are found in a text before anything else, with and without control tokens.
    parse: Matcher,
    as_text: Matcher,
}

enum Model {
    ByteLevel(ByteLevel),
    SentencePiece(SentencePiece),
}

impl Tokenizer {
    /// Reads the keys of a text model.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a tokenizer or pre-tokenizer that is not known, naming those that are;
    /// [`ErrorKind::Missing`], [`ErrorKind::WrongType`] and [`ErrorKind::Malformed`] for broken keys.
    pub fn from_metadata(metadata: &Metadata) -> Result<Self> {
        let key = "tokenizer.ggml.model";
        let (spelling, defaults) = match metadata.require::<&str>(key)? {
            "gpt2" => (Spelling::ByteLevel, Defaults { bos: None, eos: None, add_bos: false }),
            "llama" => (Spelling::SentencePiece, Defaults { bos: Some(1), eos: Some(2), add_bos: true }),
            other => {
                let detail = format!("found {other:?}, expected one of gpt2, llama");
                return Err(Error::new(ErrorKind::Unsupported, key, detail));
            }
        };
        let mut vocabulary = Vocabulary::from_metadata(metadata, spelling)?;
        let mut special = SpecialTokens::from_metadata(metadata, &mut vocabulary, &defaults)?;
        let model = match spelling {
            Spelling::ByteLevel => Model::ByteLevel(ByteLevel::from_metadata(metadata, &vocabulary)?),
            Spelling::SentencePiece => {
                Model::SentencePiece(SentencePiece::from_metadata(metadata, &vocabulary)?)
            }
        };
        if let Model::ByteLevel(model) = &model
            && metadata.value("tokenizer.ggml.add_bos_token").is_none()
        {
            special.add_bos = model.pre.adds_bos();
        }
        let parse = Matcher::new(&vocabulary, Special::Parse)?;
        let as_text = Matcher::new(&vocabulary, Special::AsText)?;
        Ok(Self { vocabulary: Arc::new(vocabulary), model, special, parse, as_text })
    }

    /// The tokens of `text`, without those that [`Tokenizer::adds_bos`] and [`Tokenizer::adds_eos`] ask for.
    pub fn encode(&self, text: &str, special: Special) -> Vec<TokenId> {
        let mut ids = Vec::new();
        let matcher = match special {
            Special::Parse => &self.parse,
            Special::AsText => &self.as_text,
        };
        let mut at = 0;
        for (found, id) in matcher.find(text) {
            self.encode_plain(&text[at..found.start], special, &mut ids);
            ids.push(id);
            at = found.end;
        }
        self.encode_plain(&text[at..], special, &mut ids);
        ids
    }

    /// `text` such that, wherever a chat template puts it, [`Special::Parse`] reads no control token in it: nobody
    /// can end their turn by typing the token that does. Other text is the same before and after.
    ///
    /// The mark that is set inside is U+FDD0, which is no character; those in `text` are lost.
    pub fn shield<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.parse.shield(text, &self.vocabulary)
    }

    /// As [`shield`](Self::shield), and such that no token of `others` is in it, nor one that what follows completes.
    /// None of them is empty.
    pub fn shield_from(&self, text: &str, others: &[&str]) -> String {
        let mut shielded = self.shield(text).into_owned();
        for token in others {
            let first = token.chars().next().map_or(0, char::len_utf8);
            shielded = shielded.replace(token, &format!("{}{GUARD}{}", &token[..first], &token[first..]));
            if ends_inside(&shielded, token) {
                shielded.push(GUARD);
            }
        }
        shielded
    }

    /// A decoder for one answer.
    pub fn decoder(&self) -> Decoder {
        let adds_space = matches!(&self.model, Model::SentencePiece(model) if model.adds_space);
        Decoder::new(self.vocabulary.clone(), adds_space)
    }

    /// A decoder for one answer whose text is all bytes of its tokens, with the space that SentencePiece puts first.
    pub fn exact_decoder(&self) -> Decoder {
        Decoder::new(self.vocabulary.clone(), false)
    }

    /// The text of `tokens`, as a [`Decoder`] has it.
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut decoder = self.decoder();
        let mut text: String = tokens.iter().filter_map(|&token| decoder.push(token)).collect();
        text.extend(decoder.finish());
        text
    }

    /// Number of tokens; ids are below it.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The text of `token` as the file writes it: byte-level tokens in their alphabet, SentencePiece's with U+2581.
    pub fn token_text(&self, token: TokenId) -> Option<&str> {
        self.vocabulary.text(token)
    }

    /// What kind of token `token` is.
    pub fn token_type(&self, token: TokenId) -> Option<TokenType> {
        self.vocabulary.token_type(token)
    }

    /// The bytes that `token` stands for in an answer; none for a token that is not text. They need not be UTF-8.
    pub fn token_bytes(&self, token: TokenId) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.vocabulary.push_bytes(token, &mut bytes);
        bytes
    }

    /// The token whose text, as the file writes it, is `text`.
    pub fn id_of(&self, text: &str) -> Option<TokenId> {
        self.vocabulary.id_of(text)
    }

    /// The token a text starts with.
    pub fn bos(&self) -> Option<TokenId> {
        self.special.bos
    }

    /// The token a text ends with.
    pub fn eos(&self) -> Option<TokenId> {
        self.special.eos
    }

    /// Whether `token` ends an answer. A vocabulary has several such tokens.
    pub fn is_end(&self, token: TokenId) -> bool {
        self.special.ends.contains(&token)
    }

    /// The tokens that end an answer, in the order of their ids.
    pub fn ends(&self) -> impl Iterator<Item = TokenId> {
        self.special.ends.iter().copied()
    }

    /// Whether a text that no chat template made starts with [`Tokenizer::bos`].
    pub fn adds_bos(&self) -> bool {
        self.special.add_bos
    }

    /// Whether a text that no chat template made ends with [`Tokenizer::eos`].
    pub fn adds_eos(&self) -> bool {
        self.special.add_eos
    }

    fn encode_plain(&self, text: &str, special: Special, ids: &mut Vec<TokenId>) {
        let text: Cow<'_, str> = match special {
            Special::Parse if text.contains(GUARD) => text.replace(GUARD, "").into(),
            _ => text.into(),
        };
        match &self.model {
            Model::ByteLevel(model) => model.encode(&text, &self.vocabulary, ids),
            Model::SentencePiece(model) => model.encode(&text, &self.vocabulary, ids),
        }
    }
}
