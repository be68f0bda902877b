//! Trees of small files, each written down as one file of `path = value` lines: names as the kernel gives them have
//! colons, which not every system that holds this repository allows.

use std::fs;
use std::path::Path;

use lorgnette_device::power::SysfsPower;
use tempfile::TempDir;

pub(crate) struct Tree(TempDir);

impl Tree {
    /// The tree of that name in `tests/data/power`.
    pub(crate) fn recorded(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/power").join(name).with_extension("tree");
        let tree = Self(tempfile::tempdir().unwrap());
        for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with('#')) {
            match line.split_once(" = ") {
                Some((path, value)) => tree.write(path, value),
                // A folder in the place of a file cannot be read as one, not even by root.
                None => fs::create_dir_all(tree.0.path().join(line)).unwrap(),
            }
        }
        tree
    }

    /// Writes a value as the kernel does.
    pub(crate) fn write(&self, path: &str, value: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{value}\n")).unwrap();
    }

    pub(crate) fn source(&self) -> SysfsPower {
        SysfsPower::new(self.0.path(), crate::clock())
    }
}
