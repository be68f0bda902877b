//! A server that is a child of ours.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::ServerConfig;

/// Variables that a server gets of our environment: no keys and tokens are among them.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// A child and all that it started in its group: killed when dropped.
pub(super) struct Process(Child);

impl Process {
    /// Starts the command. What it writes to stderr is not shown: a terminal obeys what it reads.
    pub(super) fn start(config: &ServerConfig) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let (program, arguments) =
            config.command.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
        let inherited = INHERITED.iter().filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(inherited)
            .envs(&config.env)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let process = Self(child);
        let (stdin, stdout) = pipes.ok_or_else(|| io::Error::other("it has no pipes"))?;
        Ok((process, stdin, stdout))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is not waited for yet, so that its number is still its own. Whoever is gone already need not be killed.
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}
