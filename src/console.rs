//! The terminal: results on stdout, everything else on stderr.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use lorgnette_quant::Progress;
use serde::Serialize;

/// What a command ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Prints a result: one JSON document, or text for people.
pub(crate) fn print(result: &(impl Serialize + Display), json: bool) -> Outcome {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, result).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{result}")?;
    }
    out.flush()?;
    Ok(())
}

/// Says why the work failed.
pub(crate) fn fail(error: &dyn Error) -> ExitCode {
    // With stderr gone there is nobody left to tell; the exit code still does.
    drop(writeln!(io::stderr(), "lorgnette: {error}"));
    ExitCode::from(1)
}

/// Says what somebody should know though the work goes on.
pub(crate) fn warn(text: &str) {
    drop(writeln!(io::stderr(), "lorgnette: {text}"));
}

/// A progress bar, where stderr is a terminal, and the ear for Ctrl-C.
pub(crate) struct Watch {
    bar: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

/// Takes over Ctrl-C and SIGTERM, once in a process. The first asks for an end, the second does not ask.
fn interrupted() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
    })?;
    Ok(cancelled)
}

impl Watch {
    /// Watches work that is counted in bytes, until Ctrl-C.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        Self::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")
    }

    /// Watches work that is counted in steps.
    pub(crate) fn start_steps() -> Result<Self, Box<dyn Error>> {
        Self::with_template("{bar:30} {pos}/{len} {eta} {msg}")
    }

    fn with_template(template: &str) -> Result<Self, Box<dyn Error>> {
        let cancelled = interrupted()?;
        let style = ProgressStyle::with_template(template)?;
        Ok(Self { bar: ProgressBar::no_length().with_style(style), cancelled })
    }
}

impl Progress for Watch {
    fn advance(&self, item: &str, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.set_message(item.to_owned());
        if done == total {
            self.bar.finish_and_clear();
        }
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// A line that changes, where stderr is a terminal, and the ear for Ctrl-C.
pub(crate) struct Live {
    line: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

impl Live {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let line = ProgressBar::no_length().with_style(ProgressStyle::with_template("{msg}")?);
        Ok(Self { line, cancelled: interrupted()? })
    }

    /// Changes the line.
    pub(crate) fn show(&self, text: &str) {
        self.line.set_message(text.to_owned());
        self.line.tick();
    }

    /// Says something that stays, above the line.
    pub(crate) fn say(&self, text: &str) {
        // With stderr gone there is nobody left to tell.
        self.line.suspend(|| drop(writeln!(io::stderr(), "lorgnette: {text}")));
    }

    pub(crate) fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What Ctrl-C sets, for threads.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    pub(crate) fn finish(&self) {
        self.line.finish_and_clear();
    }
}
