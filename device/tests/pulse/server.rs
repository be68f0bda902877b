//! A PulseAudio for one test, and the process in which ALSA leads to it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::signal;

/// Says to the process of a test where its server is to live.
const FOLDER: &str = "LORGNETTE_TEST_PULSE";
/// Longer than a server or a player takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the body of `test` in a process of its own, because alsa-lib reads its configuration once for each, beside a
/// server of its own.
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
pub(crate) fn with_server(test: &str, body: impl FnOnce(&mut Server)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut server = Server { folder: folder.into(), process: None };
        server.start();
        return body(&mut server);
    }
    let missing = ["pulseaudio", "pactl", "paplay"].into_iter().find(|it| !is_installed(it));
    if let Some(missing) = missing.or((!plugin_is_installed()).then_some("alsa-lib's plugin for PulseAudio"))
    {
        eprintln!("LEFT OUT: {test} needs {missing}; make test-packages installs it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("asound.conf");
    fs::write(&config, asound_conf(&socket(folder.path()))).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let status = child.env(FOLDER, folder.path()).env("ALSA_CONFIG_PATH", config).status().unwrap();
    assert!(status.success(), "{status}");
}

fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Whether the plugin lies where alsa-lib looks for it on the distributions that there are.
fn plugin_is_installed() -> bool {
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = below.chain(["/usr/lib".into(), "/usr/lib64".into()]);
    let plugins = folders.map(|folder| folder.join("alsa-lib"));
    let plugins = plugins.chain(std::env::var_os("ALSA_PLUGIN_DIR").map(PathBuf::from));
    plugins.into_iter().any(|folder| folder.join("libasound_module_pcm_pulse.so").exists())
}

fn socket(folder: &Path) -> String {
    format!("unix:{}", folder.join("socket").display())
}

fn asound_conf(server: &str) -> String {
    let device = format!("type pulse server \"{server}\" hint {{ show on description \"private\" }}");
    format!(
        "pcm.!default {{ {device} }}\npcm.private {{ {device} }}\nctl.!default {{ type pulse server \"{server}\" }}\n"
    )
}

pub(crate) struct Server {
    folder: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let folder = self.folder.display();
        // The socket comes last, so that nobody finds half a server.
        let script = format!(
            "load-module module-null-sink sink_name=speaker rate=48000 channels=2\n\
             load-module module-remap-source source_name=microphone master=speaker.monitor\n\
             set-default-sink speaker\nset-default-source microphone\n\
             load-module module-native-protocol-unix socket={folder}/socket auth-anonymous=1\n"
        );
        fs::write(self.folder.join("script"), script).unwrap();
        let mut server = self.command("pulseaudio");
        server.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disable-shm=yes",
        ]);
        server.arg("--file").arg(self.folder.join("script"));
        self.process = Some(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let started = Instant::now();
        while !self
            .command("pactl")
            .arg("info")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            assert!(started.elapsed() < PATIENCE, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Lets `pactl` tell it something.
    pub(crate) fn control<S: AsRef<OsStr>>(&self, arguments: &[S]) {
        assert!(self.command("pactl").args(arguments).status().unwrap().success());
    }

    /// Starts to play a recording.
    pub(crate) fn play(&self, recording: &[f32]) -> Playing {
        let path = self.folder.join("recording.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: signal::RATE as u32,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        recording.iter().flat_map(|&sample| [sample, sample]).for_each(|s| writer.write_sample(s).unwrap());
        writer.finalize().unwrap();
        let player = self.command("paplay").args(["-d", "speaker"]).arg(path).spawn().unwrap();
        Playing { player, deadline: Instant::now() + PATIENCE }
    }

    /// A program that knows this server and nothing of the user's own.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for variable in
            ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"]
        {
            command.env(variable, &self.folder);
        }
        command.env("PULSE_SERVER", socket(&self.folder));
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A recording that is being played.
pub(crate) struct Playing {
    player: Child,
    deadline: Instant,
}

impl Playing {
    /// Whether all of it was handed to the server and played there.
    pub(crate) fn is_over(&mut self) -> bool {
        let status = self.player.try_wait().unwrap();
        assert!(status.is_none_or(|status| status.success()));
        assert!(status.is_some() || Instant::now() < self.deadline, "the player hangs");
        status.is_some()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Nothing happens to one that is over.
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}
