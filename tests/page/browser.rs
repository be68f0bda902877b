//! A headless Chromium, driven over the pipes of its DevTools protocol.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a busy machine may take for anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser of its own, with a camera and a microphone that play files.
pub(crate) struct Page {
    browser: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    last: u64,
    complaints: Vec<String>,
    _profile: TempDir,
}

/// Where Chromium is, if it is installed.
pub(crate) fn chromium() -> Option<PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

impl Page {
    /// Opens `url`. The browser's camera plays `video`, a Y4M file, and its microphone `sound`, a WAV file, both over
    /// and over.
    pub(crate) fn open(chromium: &Path, url: &str, video: &Path, sound: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut browser = start(chromium, profile.path(), video, sound);
        let output = BufReader::new(browser.stdout.take().unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    break;
                }
            }
        });
        let commands = browser.stdin.take().unwrap();
        let mut page = Self {
            browser,
            commands,
            answers,
            session: None,
            last: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        page.attach(url);
        page
    }

    fn attach(&mut self, url: &str) {
        let target = self.command("Target.createTarget", json!({"url": "about:blank"}));
        let wanted = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.command("Target.attachToTarget", wanted);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            self.command(&format!("{domain}.enable"), json!({}));
        }
        self.command("Page.navigate", json!({"url": url}));
    }

    /// Does a command of the protocol, and gives its result.
    pub(crate) fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.ask(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        let deadline = Instant::now() + 2 * PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self.answers.recv_timeout(left).unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer["id"] == self.last {
                return if answer["error"].is_null() { Ok(answer["result"].clone()) } else { Err(answer) };
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let complains = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => parameters["type"] == "error",
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            _ => false,
        };
        if complains {
            self.complaints.push(parameters.to_string());
        }
    }

    /// What the page threw, and what it or the browser wrote to the console as errors.
    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The value of an expression of JavaScript, once its promise is kept.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        self.evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The same as text.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", parameters)?;
        if answer["exceptionDetails"].is_null() { Ok(answer["result"]["value"].clone()) } else { Err(answer) }
    }

    /// Waits until an expression is `true`. One that cannot be computed, for want of a page, is not.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.evaluate(expression).is_ok_and(|value| value == true) {
            if Instant::now() > deadline {
                let page = self.value("document.body.innerText");
                panic!("waited in vain for {expression}\n{page}\n{:?}", self.complaints);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks on what a selector finds, once it is there.
    pub(crate) fn click(&mut self, selector: &str) {
        self.wait_for(&format!("document.querySelector({selector:?}) !== null"));
        self.value(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Chooses an option of a `select` as somebody would.
    pub(crate) fn choose(&mut self, selector: &str, value: &str) {
        self.wait_for(&format!("document.querySelector('{selector} option[value={value}]') !== null"));
        self.value(&format!(
            "{{ const select = document.querySelector({selector:?}); select.value = {value:?}; \
             select.dispatchEvent(new Event('change', {{ bubbles: true }})) }}"
        ));
    }

    /// Presses a key, or lets it go.
    pub(crate) fn key(&mut self, down: bool, key: &str, code: &str) {
        let kind = if down { "keyDown" } else { "keyUp" };
        self.command("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "code": code}));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.browser.kill());
        drop(self.browser.wait());
    }
}

fn start(chromium: &Path, profile: &Path, video: &Path, sound: &Path) -> Child {
    let with = |name: &str, path: &Path| {
        let mut argument = OsString::from(name);
        argument.push(path);
        argument
    };
    // The protocol is spoken on the descriptors 3 and 4.
    Command::new("sh")
        .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#])
        .arg(chromium)
        .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-quic"])
        .args([
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required"])
        .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
        .arg(with("--use-file-for-fake-video-capture=", video))
        .arg(with("--use-file-for-fake-audio-capture=", sound))
        .arg(with("--user-data-dir=", profile))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
