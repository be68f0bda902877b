mod calls;
mod terminal;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_runtime::tool::builtin::{self, Note, NoteFile, Notes, Timer, TimerList, Timers, UnitPrice};
use lorgnette_runtime::tool::mcp::{Config, Host};
use lorgnette_runtime::tool::{Tool, Toolbox};

pub(crate) use self::calls::ToolCall;
use self::terminal::Terminal;
use crate::places;

/// For a server of tools to start and say what it has.
const START_TIME: Duration = Duration::from_secs(10);

/// What the model may call.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// A tool of the device that the model may call; several may be given
    #[arg(long = "tool", value_name = "NAME", value_parser = builtin::NAMES)]
    names: Vec<String>,
    /// More tools, and servers of tools, as this TOML file says (docs/tools.md)
    #[arg(long = "tools", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Calls of this tool may be made without asking; several may be given
    #[arg(long, value_name = "NAME")]
    approve: Vec<String>,
}

/// Tools, and the timers that one of them starts.
pub(crate) struct Tools {
    toolbox: Arc<Toolbox>,
    timers: Arc<Timers>,
}

impl Arguments {
    pub(crate) fn are_given(&self) -> bool {
        !self.names.is_empty() || self.file.is_some()
    }

    /// Starts the servers that the file names.
    pub(crate) fn open(&self) -> Result<Tools, Box<dyn Error>> {
        let config = self.file.as_deref().map(Config::read).transpose()?.unwrap_or_default();
        let timers = Timers::new(Arc::new(MonotonicClock));
        let notes = NoteFile::new(places::data().join("notes.jsonl"));
        let mut toolbox = Toolbox::new(Arc::new(Terminal::new(&self.approve)), config.limits());
        let mut names: Vec<_> = self.names.iter().chain(&config.tools).collect();
        names.sort();
        names.dedup();
        for name in names {
            let tool: Arc<dyn Tool> = match name.as_str() {
                "note" => Arc::new(Note::new(notes.clone())),
                "notes" => Arc::new(Notes::new(notes.clone())),
                "timer" => Arc::new(Timer::new(timers.clone())),
                "timers" => Arc::new(TimerList::new(timers.clone())),
                "unit_price" => Arc::new(UnitPrice::default()),
                _ => {
                    let known = builtin::NAMES.join(", ");
                    return Err(format!("tools: found {name:?}, expected one of {known}").into());
                }
            };
            toolbox.add(tool)?;
        }
        if !config.servers.is_empty() {
            let host = Host::new()?;
            for server in &config.servers {
                for tool in host.connect(server, START_TIME)? {
                    toolbox.add(tool)?;
                }
            }
        }
        Ok(Tools { toolbox: Arc::new(toolbox), timers })
    }
}

impl Tools {
    /// What can be called.
    #[cfg(feature = "cloud")]
    pub(crate) fn toolbox(&self) -> Arc<Toolbox> {
        Arc::clone(&self.toolbox)
    }

    /// Waits for the next timer, or a tenth of a second; `false` when none runs.
    fn wait_a_little(&self) -> bool {
        let Some(next) = self.timers.next() else { return false };
        let clock = MonotonicClock;
        clock.sleep_until(next.min(clock.now() + Duration::from_millis(100)));
        true
    }
}
