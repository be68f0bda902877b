//! The `lorgnette` command line: parses arguments and calls the crates.
//!
//! Exit codes: 0 done, 1 failed at work, 2 wrong use.

mod commands;
mod console;
mod places;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The inference runtime for AI glasses.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ask(Box<commands::ask::Arguments>),
    Bench(commands::bench::Arguments),
    Inspect(commands::inspect::Arguments),
    #[cfg(feature = "cloud")]
    Ledger(commands::ledger::Arguments),
    Logits(commands::logits::Arguments),
    Perplexity(commands::perplexity::Arguments),
    Quantize(commands::quantize::Arguments),
    Router(commands::router::Arguments),
    Run(Box<commands::run::Arguments>),
    Sim(Box<commands::sim::Arguments>),
    Convert(commands::convert::Arguments),
    Doctor(commands::doctor::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Ask(arguments) => commands::ask::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Inspect(arguments) => commands::inspect::run(&arguments),
        #[cfg(feature = "cloud")]
        Command::Ledger(arguments) => commands::ledger::run(&arguments),
        Command::Logits(arguments) => commands::logits::run(&arguments),
        Command::Perplexity(arguments) => commands::perplexity::run(&arguments),
        Command::Quantize(arguments) => commands::quantize::run(&arguments),
        Command::Router(arguments) => commands::router::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Sim(arguments) => commands::sim::run(&arguments),
        Command::Convert(arguments) => commands::convert::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => console::fail(&*error),
    }
}

/// Whether whoever reads our output has seen enough.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
