//! From the start of a process to its first token: this program is started again, and its first line awaited.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::LanguageModel;
use lorgnette_runtime::measure::first_token;
use lorgnette_runtime::{Error, ErrorKind, Result};

use crate::console::Outcome;

/// Tokens of the prompt.
pub(super) const PROMPT: usize = 16;

/// What the process that is started does.
pub(super) fn answer<B: Backend>(model: &LanguageModel<B>, prompt: usize) -> Outcome {
    let (_, token) = first_token(model.decoder(), prompt)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{token}")?;
    Ok(out.flush()?)
}

/// Starts a process that loads `model`, or the one that is part of this program, and makes a first token, on `backend` and so many threads.
///
/// # Errors
/// [`ErrorKind::Io`] when it cannot be started or says nothing.
pub(super) fn measure(model: Option<&Path>, backend: &str, threads: usize) -> Result<Duration> {
    let program = env::current_exe().map_err(|e| Error::io("find this program", e))?;
    let mut command = Command::new(&program);
    command.args(["bench", "--first-token", "--backend", backend]);
    command.args(["--prompt", &PROMPT.to_string(), "--threads", &threads.to_string()]);
    if let Some(model) = model {
        command.arg("--model").arg(model);
    }
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| Error::io("start", e).in_file(&program))?;
    let line = first_line(&mut child);
    let took = start.elapsed();
    let mut complaint = String::new();
    let read = child.stderr.take().map_or(Ok(0), |mut stderr| stderr.read_to_string(&mut complaint));
    let status = child.wait();
    let (line, _, status) = line
        .and_then(|line| Ok((line, read?, status?)))
        .map_err(|e| Error::io("run", e).in_file(&program))?;
    if !status.success() || line.is_empty() {
        let detail = format!("found {status}, expected a token: {}", complaint.trim_end());
        return Err(Error::new(ErrorKind::Io, "cold start", detail));
    }
    Ok(took)
}

fn first_line(child: &mut Child) -> io::Result<String> {
    let mut line = String::new();
    child.stdout.take().map_or(Ok(0), |stdout| BufReader::new(stdout).read_line(&mut line))?;
    Ok(line)
}
