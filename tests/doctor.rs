//! `lorgnette doctor`, with no devices and with made ones.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// What the doctor prints with `--devices folder`, as `fake.so` in that folder makes it look if it is there.
fn doctor(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lorgnette"))
        .arg("doctor")
        .args(arguments)
        .arg("--devices")
        .arg(folder)
        .env("LD_PRELOAD", if folder.join("fake.so").exists() { folder.join("fake.so") } else { "".into() })
        .env("LORGNETTE_FAKE_CAMERA", folder)
        .arg("--sysfs")
        .arg(folder.join("sys"))
        .env("ALSA_CONFIG_PATH", folder.join("asound.conf"))
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_machine_without_a_camera_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(doctor(folder.path(), &[]).contains("no camera"));
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    assert_eq!(found["cameras"], json!([]));
}

#[test]
fn a_machine_without_a_microphone_and_a_battery_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = doctor(folder.path(), &[]);
    assert!(text.contains("no microphone") && text.contains("battery  none that is known"), "{text}");
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    assert_eq!(found["microphones"], json!([]));
    assert_eq!(found["power"]["charge"], Value::Null);
    assert_eq!(found["power"]["temperatures"], json!([]));
}

#[test]
fn microphones_are_shown_with_their_formats_and_those_that_are_not_there_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let missing = "type hw card 99 hint { show on description \"gone\" }";
    let config = format!("pcm.!default {{ type null }}\npcm.gone {{ {missing} }}\n");
    fs::write(folder.path().join("asound.conf"), config).unwrap();
    let text = doctor(folder.path(), &[]);
    assert!(text.contains("alsa:default  Default Audio Device (default)"), "{text}");
    assert!(text.contains("    f32  1 to "), "{text}");
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    let [default] = &found["microphones"].as_array().unwrap()[..] else { panic!("{found}") };
    assert_eq!((&default["id"], &default["default"]), (&json!("alsa:default"), &json!(true)));
    assert!(default["formats"].as_array().unwrap().iter().any(|format| format["samples"] == "i16"));
}

#[test]
fn what_is_known_of_power_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let battery = folder.path().join("sys/class/power_supply/BAT0");
    fs::create_dir_all(&battery).unwrap();
    for (file, value) in
        [("type", "Battery"), ("status", "Discharging"), ("capacity", "73"), ("power_now", "9400000")]
    {
        fs::write(battery.join(file), value).unwrap();
    }
    let text = doctor(folder.path(), &[]);
    assert!(text.contains("battery  73 %, discharging, 9.4 W"), "{text}");
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    assert_eq!(found["power"]["state"], "discharging");
    assert_eq!(found["power"]["charge"], 0.73);
    assert_eq!(found["power"]["counts_processor_energy"], false);
}

#[test]
fn cameras_are_shown_with_what_they_offer_and_a_broken_one_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("fake.so");
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("device/tests/v4l/fake");
    let sources = ["camera.c", "modes.c", "preload.c"].map(|source| fake.join(source));
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).args(sources).arg("-ldl").status();
    assert!(built.unwrap().success());
    for name in ["video0", "video1", "MJPG-1280x720", "H264-640x480"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let text = doctor(folder.path(), &[]);
    assert!(text.contains("Lorgnette Fake Camera (fake, platform:fake)"), "{text}");
    assert!(text.contains("MJPG  1280x720 at 15, 30, 200 fps"), "{text}");
    assert!(text.contains("not read here: H264"), "{text}");
    assert!(text.contains("video1: cannot ask"), "{text}");
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    let mode =
        json!({"format": "MJPG", "width": 1280, "height": 720, "frames_per_second": [15.0, 30.0, 200.0]});
    assert_eq!(found["cameras"][0]["modes"], json!([mode]));
    assert!(found["cameras"][1]["error"].is_string());
}

/// Needs nothing: where there is an adapter its tests must be passed.
#[test]
#[cfg(feature = "gpu")]
fn adapters_are_shown_with_the_tests_of_their_kernels() {
    let folder = tempfile::tempdir().unwrap();
    let found: Value = serde_json::from_str(&doctor(folder.path(), &["--json"])).unwrap();
    let adapters = found["gpu"]["adapters"].as_array().unwrap();
    let text = doctor(folder.path(), &[]);
    let Some(first) = adapters.first() else {
        assert!(text.contains("no adapter"), "{text}");
        return;
    };
    assert!(text.contains(first["name"].as_str().unwrap()), "{text}");
    assert!(found["gpu"]["record"]["tests"]["norms"]["error"].is_number(), "{found}");
    assert_eq!(found["gpu"]["left_out"], json!([]));
    assert!(found["gpu"]["cache"].as_str().unwrap().contains("lorgnette/gpu-"), "{found}");
    assert!(text.contains("norms: ") && text.contains("kept in "), "{text}");
}
