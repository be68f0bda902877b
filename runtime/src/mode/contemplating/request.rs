use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::budget::Tokens;
use super::consent::Kind;
use super::endpoint::{Reply, Settings};
use super::question::Question;

/// Tokens that a picture takes, about.
const PICTURE_TOKENS: usize = 1500;
/// Bytes of a token, about, and rather too few.
const TOKEN_BYTES: usize = 3;

/// What a request is for. Endpoints may have a model for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Splits the question.
    Planner,
    /// Answers a part of it, or all of it among others.
    Agent,
    /// Looks for contradictions.
    Critic,
    /// Writes the answer.
    Writer,
}

impl Role {
    /// As configuration and ledger write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Agent => "agent",
            Self::Critic => "critic",
            Self::Writer => "writer",
        }
    }
}

/// A request to a model. It is made of a [`Question`], which nobody has without the wearer's consent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) question: Question,
    pub(super) role: Role,
    pub(super) most_tokens: u32,
    instructions: String,
    shows: bool,
    carries_text: bool,
    data: String,
    turns: Vec<Value>,
    temperature: Option<f32>,
    schema: Option<Value>,
    tools: Vec<Value>,
}

impl Request {
    /// Asks `question`, with `instructions` of ours and at most `most_tokens` of answer.
    pub(super) fn new(
        question: &Question,
        role: Role,
        instructions: impl Into<String>,
        most_tokens: u32,
    ) -> Self {
        Self {
            question: question.clone(),
            role,
            most_tokens,
            instructions: instructions.into(),
            shows: false,
            carries_text: false,
            data: String::new(),
            turns: Vec::new(),
            temperature: None,
            schema: None,
            tools: Vec::new(),
        }
    }

    /// With what the device saw: the picture where that is allowed and the endpoint takes one, otherwise the device's
    /// description.
    #[must_use]
    pub(super) fn showing(mut self) -> Self {
        self.shows = true;
        self
    }

    /// With `data` behind the question.
    #[must_use]
    pub(super) fn with_data(mut self, data: impl Into<String>) -> Self {
        self.data = data.into();
        self
    }

    /// With `text` that the device made behind the question; for those that
    /// [may carry it](Question::may_carry_text).
    #[must_use]
    pub(super) fn with_device_text(self, text: impl Into<String>) -> Self {
        debug_assert!(self.question.may_carry_text());
        Self { carries_text: true, ..self.with_data(text) }
    }

    /// Answers may differ from one time to the next.
    #[must_use]
    pub(super) fn with_temperature(mut self, temperature: f32) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// The answer is JSON of this schema.
    #[must_use]
    pub(super) fn with_schema(mut self, schema: Value) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The model may call these tools, in the form of the protocol.
    #[must_use]
    pub(super) fn with_tools(mut self, tools: Vec<Value>) -> Self {
        self.tools = tools;
        self
    }

    /// What the model said, with the calls that it proposed.
    pub(super) fn push_reply(&mut self, reply: &Reply) {
        let calls: Vec<_> = reply.calls.iter().map(|call| call.to_json()).collect();
        self.turns.push(json!({"role": "assistant", "content": reply.text, "tool_calls": calls}));
    }

    /// What came of one of those calls.
    pub(super) fn push_result(&mut self, call: &str, data: &str) {
        self.carries_text = true;
        self.turns.push(json!({"role": "tool", "tool_call_id": call, "content": data}));
    }

    /// Whether only a whole answer is of use.
    pub(super) fn wants_whole(&self) -> bool {
        self.schema.is_some()
    }

    /// What leaves the device when this is sent, each kind once.
    pub(super) fn kinds(&self, settings: &Settings) -> Vec<Kind> {
        let mut kinds = vec![self.question.kind];
        let tells = self.carries_text || self.description(settings).is_some();
        if tells && self.question.kind != Kind::Text {
            kinds.push(Kind::Text);
        }
        if self.shows_pictures(settings) {
            kinds.push(Kind::Picture);
        }
        kinds
    }

    /// Tokens that it takes, about.
    pub(super) fn tokens(&self, settings: &Settings) -> Tokens {
        let turns: usize = self.turns.iter().map(|turn| turn.to_string().len()).sum();
        let tools: usize = self.tools.iter().map(|tool| tool.to_string().len()).sum();
        let text = self.instructions.len() + self.text(settings).len() + turns + tools;
        let pictures = if self.shows_pictures(settings) { self.question.pictures.len() } else { 0 };
        let input = text / TOKEN_BYTES + 16 + pictures * PICTURE_TOKENS;
        let input = u32::try_from(input).unwrap_or(u32::MAX);
        Tokens { input, output: self.most_tokens }
    }

    /// The body, for a server with these `settings`, with at most `most_tokens` of answer. `resumed` is what the answer
    /// begins with, when it broke off there.
    ///
    /// # Errors
    /// What the picture's encoder says.
    pub(super) fn body(
        &self,
        settings: &Settings,
        most_tokens: u32,
        resumed: &str,
    ) -> crate::Result<Map<String, Value>> {
        let mut messages = vec![
            json!({"role": "system", "content": self.instructions}),
            json!({"role": "user", "content": self.content(settings)?}),
        ];
        messages.extend(self.turns.iter().cloned());
        let mut body = settings.extra.clone();
        let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        set("model", settings.model(self.role).into());
        set("stream", true.into());
        set("stream_options", json!({"include_usage": true}));
        set(&settings.tokens_field, most_tokens.into());
        if let Some(temperature) = self.temperature {
            set("temperature", temperature.into());
        }
        if let Some(schema) = &self.schema {
            set("response_format", settings.structured.format(schema));
        }
        if !self.tools.is_empty() {
            set("tools", self.tools.clone().into());
        }
        if !resumed.is_empty() {
            messages.push(json!({"role": "assistant", "content": resumed}));
            // vLLM and llama-server go on with the message then, instead of beginning one.
            set("continue_final_message", true.into());
            set("add_generation_prompt", false.into());
        }
        set("messages", messages.into());
        Ok(body)
    }

    fn content(&self, settings: &Settings) -> crate::Result<Value> {
        let text = self.text(settings);
        if !self.shows_pictures(settings) {
            return Ok(text.into());
        }
        let mut parts = vec![json!({"type": "text", "text": text})];
        for picture in &self.question.pictures {
            let url = picture.data_url(settings.picture_side)?;
            parts.push(json!({"type": "image_url", "image_url": {"url": &*url}}));
        }
        Ok(parts.into())
    }

    fn text(&self, settings: &Settings) -> String {
        let mut text = self.question.words.clone();
        if let Some(description) = self.description(settings) {
            text += "\n\nWhat the camera of the one who asks sees, as their device describes it:\n";
            text += description;
        }
        if !self.data.is_empty() {
            text += "\n\n";
            text += &self.data;
        }
        text
    }

    fn shows_pictures(&self, settings: &Settings) -> bool {
        self.shows && settings.pictures && !self.question.pictures.is_empty()
    }

    fn description(&self, settings: &Settings) -> Option<&str> {
        let stands_in = self.shows && !self.shows_pictures(settings);
        self.question.description.as_deref().filter(|_| stands_in)
    }
}
