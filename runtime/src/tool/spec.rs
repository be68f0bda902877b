//! What a tool is, for the model and for who decides.

use serde_json::{Value, json};

/// What a call does to the world, from harmless to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It reads what is on the device.
    Reads,
    /// It changes something on the device.
    Changes,
    /// Data leaves the device, if only the arguments.
    Sends,
    /// It spends money.
    Spends,
}

impl Effect {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Reads, Self::Changes, Self::Sends, Self::Spends];

    /// Its name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Changes => "changes",
            Self::Sends => "sends",
            Self::Spends => "spends",
        }
    }
}

/// What a tool is called, what it takes, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Letters, digits, `_` and `-`, 1 to 64 of them.
    pub name: String,
    /// What it is for, as the model reads it. That of a server's tool is text from outside.
    pub description: String,
    /// The JSON Schema of its arguments, that of an object.
    pub parameters: Value,
    /// What a call does to the world.
    pub effect: Effect,
}

impl Spec {
    /// The form in which chat templates and OpenAI-compatible servers take tools.
    pub fn to_function(&self) -> Value {
        json!({"type": "function", "function": {
            "name": self.name, "description": self.description, "parameters": self.parameters,
        }})
    }
}
