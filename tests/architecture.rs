//! The crates depend on each other in one direction only.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

/// Each crate, and the crates of this workspace that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("lorgnette-device", &[]),
    ("lorgnette-quant", &[]),
    ("lorgnette-runtime", &["lorgnette-device", "lorgnette-quant"]),
    ("lorgnette-sim", &["lorgnette-device", "lorgnette-quant", "lorgnette-runtime"]),
    ("lorgnette", &["lorgnette-device", "lorgnette-quant", "lorgnette-runtime", "lorgnette-sim"]),
];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let crates = metadata["packages"].as_array().unwrap();
    for package in crates {
        let name = package["name"].as_str().unwrap();
        let allowed = ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
        let allowed = allowed.unwrap_or_else(|| panic!("{name} is not in the table of arrows"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let ours = crates.iter().any(|package| package["name"] == to);
            assert!(!ours || allowed.contains(&to), "{name} must not depend on {to}");
        }
    }
}

#[test]
fn the_architecture_page_lists_every_crate() {
    let metadata = metadata();
    let names =
        metadata["packages"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned());
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/architecture.md")).unwrap();
    let missing: BTreeSet<_> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md says nothing of {missing:?}");
}
