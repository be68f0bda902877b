//! The chat template of a model: from messages to the text the model was trained to continue.
//!
//! Templates are Jinja, in the dialect of Hugging Face's `apply_chat_template`: its globals and filters, Python's
//! methods on strings and maps, and Python's words for what is printed.
//!
//! Templates come with the model file, so they are untrusted. They reach nothing outside, and their length, steps and
//! output are limited ([`MAX_SOURCE`], [`MAX_STEPS`], [`MAX_OUTPUT`]); they are compiled and rendered on a thread
//! whose stack is enough for any that is no longer. What stays possible within the limits: to use up the memory by
//! doubling a string, and the stack by printing a namespace that was put into itself.
//!
//! What users typed goes through [`Tokenizer::shield`](super::tokenizer::Tokenizer::shield) first, so that the text
//! can be encoded with [`Special::Parse`](super::tokenizer::Special).

mod dialect;
mod message;
mod python;
mod time;

use std::io;

use lorgnette_quant::gguf::{Metadata, Strings};
use lorgnette_quant::{Error, Result};
use minijinja::Environment;
use minijinja::value::{Serde, Value};
use serde_json::{Map, Value as Json, json};

pub use self::message::{Message, Part, Role};
pub use self::time::LocalTime;

/// Bytes of the longest template.
pub const MAX_SOURCE: usize = 128 << 10;
/// Instructions that one rendering may take.
pub const MAX_STEPS: u64 = 1_000_000;
/// Bytes that one rendering may write.
pub const MAX_OUTPUT: usize = 16 << 20;
/// Calls that may be open at a time.
const MAX_DEPTH: usize = 100;
/// Bytes of the stack: as many levels as a template of [`MAX_SOURCE`] can write, or [`MAX_STEPS`] can nest.
const STACK: usize = 256 << 20;

/// The key of the template, and the name it goes by in the environment.
const DEFAULT: &str = "tokenizer.chat_template";
/// A template of its own for conversations with tools, which a few families have.
const TOOL_USE: &str = "tokenizer.chat_template.tool_use";

/// What a rendering needs beside the messages.
#[derive(Clone, Debug, Default)]
pub struct RenderOptions {
    /// Whether the start of the model's answer is written, so that it answers.
    pub add_generation_prompt: bool,
    /// For models that can think first: whether they do. `None` leaves it to the template.
    pub enable_thinking: Option<bool>,
    /// Tools as JSON schemas, in the form of `{"type": "function", "function": {...}}`.
    pub tools: Vec<Json>,
    /// The time where the user is, for templates that write the date.
    pub now: Option<LocalTime>,
    /// Further variables, by the names the template has for them.
    pub variables: Map<String, Json>,
}

/// A compiled template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// `bos_token` and the like, for the template to write.
    tokens: Map<String, Json>,
    /// Whether content may be a list of parts, and whether it may be a string.
    takes_parts: bool,
    takes_text: bool,
}

impl ChatTemplate {
    /// The template of a model file; `None` when it has none.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](lorgnette_quant::ErrorKind) with the line when a template does not parse, or is longer
    /// than [`MAX_SOURCE`].
    pub fn from_metadata(metadata: &Metadata) -> Result<Option<Self>> {
        let Some(source) = metadata.get::<&str>(DEFAULT)? else { return Ok(None) };
        let mut template = Self::new(source)?;
        if let Some(source) = metadata.get::<&str>(TOOL_USE)? {
            add_template(&mut template.environment, TOOL_USE, source)?;
        }
        template.tokens = special_texts(metadata)?;
        Ok(Some(template))
    }

    /// A template from its source, for models that know no special tokens.
    ///
    /// # Errors
    /// As [`ChatTemplate::from_metadata`].
    pub fn new(source: &str) -> Result<Self> {
        let mut environment = dialect::environment();
        environment.set_fuel(Some(MAX_STEPS));
        environment.set_recursion_limit(MAX_DEPTH);
        add_template(&mut environment, DEFAULT, source)?;
        let mut template = Self { environment, tokens: Map::new(), takes_parts: false, takes_text: true };
        template.probe();
        Ok(template)
    }

    /// Whether pictures and sounds have a place in the template itself; else it knows only text.
    pub fn takes_parts(&self) -> bool {
        self.takes_parts
    }

    /// The text of `messages`. It holds the start token if the template writes one: encode it without adding another.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](lorgnette_quant::ErrorKind) when the template refuses the messages, in its words, or has no place for a picture or
    /// a sound; [`ErrorKind::Malformed`](lorgnette_quant::ErrorKind) when it fails, or takes more than [`MAX_STEPS`] or [`MAX_OUTPUT`].
    pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
        let messages = messages
            .iter()
            .map(|message| message.to_json(self.takes_parts, self.takes_text))
            .collect::<Result<Vec<_>>>()?;
        self.render_json(messages, options)
    }

    /// Finds out what content may be by rendering one message in both forms, as llama.cpp does. A list that the
    /// template prints as a whole shows its `type`.
    fn probe(&mut self) {
        const NEEDLE: &str = "lorgnette-probe";
        let now = LocalTime { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let options = RenderOptions { now: Some(now), ..RenderOptions::default() };
        let render = |content: Json| {
            let messages = vec![json!({"role": "user", "content": content})];
            let text = self.render_json(messages, &options).ok()?;
            (text.contains(NEEDLE) && !text.contains("lorgnette-type")).then_some(())
        };
        let part = json!({"type": "text", "text": NEEDLE, "lorgnette-type": ""});
        let (parts, text) = (render(json!([part])).is_some(), render(json!(NEEDLE)).is_some());
        self.takes_parts = parts;
        self.takes_text = text || !parts;
    }

    fn render_json(&self, messages: Vec<Json>, options: &RenderOptions) -> Result<String> {
        let with_tools = !options.tools.is_empty();
        let own = self.environment.get_template(TOOL_USE).ok().filter(|_| with_tools);
        let field = own.as_ref().map_or(DEFAULT, |_| TOOL_USE);
        let template = match own {
            Some(template) => template,
            None => self.environment.get_template(DEFAULT).map_err(|e| dialect::error(field, &e))?,
        };
        let mut context = self.tokens.clone();
        context.extend(options.variables.clone());
        context.insert("messages".to_owned(), messages.into());
        context.insert("tools".to_owned(), if with_tools { json!(options.tools) } else { Json::Null });
        context.insert("documents".to_owned(), Json::Null);
        context.insert("add_generation_prompt".to_owned(), options.add_generation_prompt.into());
        if let Some(thinking) = options.enable_thinking {
            context.insert("enable_thinking".to_owned(), thinking.into());
        }
        let clock = dialect::clock(options.now);
        let context = minijinja::context! { strftime_now => clock, ..Value::from(Serde(&context)) };
        with_stack(field, || {
            let mut output = Limited(Vec::new());
            let rendered = template.render_captured_to(context, &mut output);
            rendered.map_err(|e| dialect::error(field, &e))?;
            String::from_utf8(output.0).map_err(|e| Error::malformed(field, e, "UTF-8"))
        })
    }
}

fn add_template(environment: &mut Environment<'static>, name: &'static str, source: &str) -> Result<()> {
    if source.len() > MAX_SOURCE {
        let expected = format!("{MAX_SOURCE} at most");
        return Err(Error::malformed(name, format!("{} bytes", source.len()), expected));
    }
    with_stack(name, || {
        environment
            .add_template_owned(name, dialect::without_generation_tags(source))
            .map_err(|e| dialect::error(name, &e))
    })
}

/// Does `work` on a thread with [`STACK`] bytes of stack, of which only what is used costs memory.
fn with_stack<T: Send>(field: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("chat template".to_owned()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, work).map_err(|e| Error::io("start a thread", e))?;
        let broken =
            |_| Err(Error::malformed(field, "a template that breaks the engine", "one that renders"));
        thread.join().unwrap_or_else(broken)
    })
}

/// The special tokens that templates name.
fn special_texts(metadata: &Metadata) -> Result<Map<String, Json>> {
    let mut texts = Map::new();
    let tokens: Option<&Strings> = metadata.get("tokenizer.ggml.tokens")?;
    for (name, key) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")] {
        let id: Option<usize> = metadata.get(&format!("tokenizer.ggml.{key}_token_id"))?;
        if let (Some(tokens), Some(id)) = (tokens, id)
            && let Some(text) = tokens.get(id)
        {
            texts.insert(format!("{name}_token"), text.into());
        }
    }
    Ok(texts)
}

/// Takes [`MAX_OUTPUT`] bytes, then fails.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("more than {MAX_OUTPUT} bytes of output")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
