//! Tools of servers that speak the Model Context Protocol, over stdio and streamable HTTP, through `rmcp`.
//!
//! A server is not trusted: only the tools that the configuration names are taken, with the effect that it gives them;
//! what a server says of itself is bounded and shielded; what its tools say is data from outside. Waiting for it has an
//! end, what it sends is bounded, and it is killed with the last of its tools. It is offered nothing: no sampling, no
//! roots, no questions to the wearer.

mod client;
mod config;
mod host;
mod process;
mod served;

pub use self::config::{Config, ServerConfig};
pub use self::host::Host;
