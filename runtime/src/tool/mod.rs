//! What a model may do beside answering: tools, the calls it proposes, and what came of them.
//!
//! A model only proposes a [`Call`]. Whether it is made is decided here, in a [`Turn`]: the tool must be in the
//! [`Toolbox`], the arguments must fit its schema, the turn must have calls left, and what would send data or spend
//! money asks the wearer first. After text from outside came in (a picture, the result of a tool that reads the world)
//! whatever changes something asks too: a label on a shelf can make a model propose a call, but not make it.
//! `docs/tools.md` has the threats and what is held against them.
//!
//! Nothing here needs a network or an async runtime; servers of tools are in `mcp`, behind the feature of that name.

pub mod builtin;
pub mod local;
#[cfg(feature = "mcp")]
pub mod mcp;

mod approval;
mod call;
mod error;
mod observation;
mod schema;
mod spec;
mod toolbox;
mod turn;
mod wait;

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

pub use self::approval::{Approval, Deny, Reason, Request};
pub use self::call::{Call, MOST_ARGUMENT_BYTES};
pub use self::error::{ToolError, ToolErrorKind};
pub use self::observation::{Observation, Origin};
pub use self::spec::{Effect, Spec};
pub use self::toolbox::{Limits, Toolbox};
pub use self::turn::{Reply, Turn};
pub use self::wait::{block_on, block_on_while, within};

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something a model may call.
pub trait Tool: Send + Sync {
    /// What it is called, what it takes, and what it does to the world.
    fn spec(&self) -> &Spec;

    /// Does it. `arguments` is an object that fits the schema of the spec. Dropping the future gives up the call; a
    /// [`Turn`] drops it when its time is over, and cuts what is too long.
    ///
    /// # Errors
    /// [`ToolErrorKind::Failed`] and the kinds of servers; [`Turn`] names the tool.
    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>>;
}
