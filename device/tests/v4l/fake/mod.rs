//! The fake camera of `fake.h`, and the process that it is preloaded into.

use std::any::type_name_of_val;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lorgnette_device::camera::v4l::{Options, Select, V4lCamera, Wanted};
use lorgnette_device::camera::{PixelFormat, Rate};
use lorgnette_device::clock::MonotonicClock;

use super::common::made;

const FOLDER: &str = "LORGNETTE_FAKE_CAMERA";
/// The quickest that the fake offers.
pub(crate) const RATE: Rate = Rate::per_second(200);

/// The folder that says what the fake has and does.
pub(crate) struct Fake {
    pub(crate) folder: PathBuf,
}

/// Runs `test`, which is the body of a test function, in a process of its own with the fake plugged in.
pub(crate) fn with_fake<F: Fn(&Fake)>(test: F) {
    if let Some(fake) = Fake::plugged_in() {
        return test(&fake);
    }
    // "program::module::name_of_the_test::{{closure}}"
    let name =
        type_name_of_val(&test).split_once("::").and_then(|(_, name)| name.rsplit_once("::")).unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake { folder: folder.path().to_owned() };
    fake.set("video0");
    let arguments = ["--exact", name, "--nocapture", "--test-threads=1"];
    let output = fake.this_program().args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{name}: {}\n{out}\n{err}", output.status);
}

/// The library, compiled once for each run of the tests.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fake-{}.so", std::process::id()));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/v4l/fake");
        let sources = ["camera.c", "modes.c", "preload.c"].map(|source| folder.join(source));
        let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
        let flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"];
        let status = Command::new(compiler).args(flags).arg(&library).args(sources).arg("-ldl").status();
        assert!(status.unwrap().success(), "the fake does not compile");
        library
    })
}

impl Fake {
    /// The fake that is preloaded into this process, if one is.
    pub(crate) fn plugged_in() -> Option<Self> {
        env::var_os(FOLDER).map(|folder| Self { folder: folder.into() })
    }

    /// This program again, with the fake preloaded.
    pub(crate) fn this_program(&self) -> Command {
        let mut program = Command::new(env::current_exe().unwrap());
        program.env("LD_PRELOAD", library()).env(FOLDER, &self.folder);
        program
    }

    /// Makes the file `name`.
    pub(crate) fn set(&self, name: &str) {
        fs::write(self.folder.join(name), "").unwrap();
    }

    /// Removes the file `name`.
    pub(crate) fn clear(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).unwrap();
    }

    /// Offers a mode, with the pictures of [`made`].
    pub(crate) fn offer(&self, format: PixelFormat, width: usize, height: usize) {
        self.write(&format!("{format}-{width}x{height}"), format, width, height);
    }

    /// The pictures that come while `smaller` is set.
    pub(crate) fn offer_smaller(&self, width: usize, height: usize) {
        self.write("MJPG-smaller", PixelFormat::Mjpg, width, height);
    }

    fn write(&self, name: &str, format: PixelFormat, width: usize, height: usize) {
        self.write_pictures(
            name,
            (0..made::NUMBERS).map(|number| made::bytes(format, width, height, number)),
        );
    }

    /// The pictures of the mode `name`.
    pub(crate) fn write_pictures(&self, name: &str, pictures: impl Iterator<Item = Vec<u8>>) {
        let mut file = Vec::new();
        for picture in pictures {
            file.extend((picture.len() as u32).to_le_bytes());
            file.extend(picture);
        }
        // Under its name only when it is whole: the fake may look at any time.
        let part = self.folder.join("part");
        fs::write(&part, file).unwrap();
        fs::rename(part, self.folder.join(name)).unwrap();
    }

    pub(crate) fn node(&self) -> PathBuf {
        self.folder.join("video0")
    }

    /// Options for this camera at 640x480.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.select = Select::First;
        options.wanted = Wanted { format: None, width: 640, height: 480, rate: RATE };
        options.devices = self.folder.clone();
        // A busy machine is not to be taken for a camera that hangs.
        options.patience = Duration::from_secs(60);
        options
    }

    pub(crate) fn open(&self) -> V4lCamera {
        V4lCamera::open(self.options(), Arc::new(MonotonicClock)).unwrap()
    }
}
