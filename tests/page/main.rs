//! The simulator's page in a browser: `lorgnette sim` and a headless Chromium.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod browser;
#[cfg(feature = "cloud")]
#[path = "../cloud/mod.rs"]
mod cloud;
mod simulator;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use browser::Page;
use serde_json::json;
use simulator::Simulator;

/// A simulator without a model, which answers with what was seen and heard, and its page; none, and a word about it,
/// where there is no Chromium.
fn open() -> Option<(Simulator, Page)> {
    open_with(&["--no-model"])
}

fn open_with(arguments: &[&str]) -> Option<(Simulator, Page)> {
    let Some(chromium) = browser::chromium() else {
        left_out("there is no Chromium");
        return None;
    };
    let simulator = Simulator::start(arguments);
    let mut page = Page::open(&chromium, &simulator.address, &simulator.video(), &simulator.sound());
    page.wait_for("document.querySelector('#connection').dataset.there === 'true'");
    Some((simulator, page))
}

/// Waits until so many turns are answered and their time is known, and gives the text of the last one.
fn answered(page: &mut Page, turns: usize) -> String {
    page.wait_for(&format!("document.querySelectorAll('.turn[data-phase=done]').length >= {turns}"));
    page.wait_for("document.querySelector('.turn:last-child .took').textContent.includes('first word')");
    page.text("document.querySelector('.turn:last-child .answer').textContent")
}

/// What the last turn took, in the page's words.
fn took(page: &mut Page) -> String {
    page.text("document.querySelector('.turn:last-child .took').textContent")
}

fn ask(page: &mut Page, question: &str) {
    page.value(&format!("document.querySelector('#question').value = {question:?}"));
    page.click("#ask button");
}

#[test]
fn a_spoken_question_is_answered_on_the_display_and_the_next_one_reuses_the_picture() {
    let Some((_simulator, mut page)) = open() else { return };
    page.click("[data-scene=shelf]");
    // The runtime has seen it.
    page.wait_for("document.querySelector('#frames').textContent.includes('288 × 288')");
    page.click("[data-say=shelf]");
    let answer = answered(&mut page, 1);
    let shown =
        page.text("[...document.querySelectorAll('#hud-lines p')].map((line) => line.textContent).join(' ')");
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!answer.is_empty());
    assert_eq!(plain(&shown), plain(&answer));
    assert!(took(&mut page).contains("picture encoded while you spoke"), "{}", took(&mut page));
    page.click("[data-say=shelf]");
    answered(&mut page, 2);
    assert!(took(&mut page).contains("picture reused"), "{}", took(&mut page));
    let timeline = page.text("document.querySelector('#timeline').getAttribute('aria-label')");
    assert!(timeline.contains("Your voice") && timeline.contains("in the turn before"), "{timeline}");
    assert_eq!(page.text("document.querySelector('#verdict').textContent"), "Nothing.");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn webcam_and_microphone_stream_in() {
    let Some((_simulator, mut page)) = open() else { return };
    page.choose("#camera-source", "browser");
    // The browser's camera shows a left half that is dark, and a right half that is bright.
    page.wait_for(
        "(() => { const view = document.querySelector('#view'); \
         const at = (x) => view.getContext('2d').getImageData(x * view.width, view.height / 2, 1, 1).data[0]; \
         return at(0.25) < 60 && at(0.75) > 180 })()",
    );
    page.choose("#microphone-source", "browser");
    page.wait_for("document.querySelector('#sound').textContent.startsWith('speech')");
    // The question is asked over and over.
    page.wait_for("document.querySelector('#turns').textContent.includes('picture encoded while you spoke')");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn sound_of_any_rate_is_resampled() {
    let Some((_simulator, mut page)) = open() else { return };
    let mut loudness = |rate: u32, hertz: u32| {
        let resampled = format!(
            "import('/resample.js').then(({{ Resampler }}) => {{ const resampler = new Resampler({rate}, 16000); \
             const sine = Float32Array.from({{ length: {rate} }}, (_, i) => Math.sin(2 * Math.PI * {hertz} * i / {rate})); \
             const out = []; for (let at = 0; at < sine.length; at += 128) out.push(...resampler.push(sine.slice(at, at + 128))); \
             const middle = out.slice(1000, 15000); \
             return Math.sqrt(2 * middle.reduce((sum, sample) => sum + sample ** 2, 0) / middle.length) }})"
        );
        page.value(&resampled).as_f64().unwrap()
    };
    for rate in [16_000, 44_100, 48_000] {
        assert!((loudness(rate, 1000) - 1.0).abs() < 0.01, "{rate}");
    }
    for rate in [44_100, 48_000] {
        assert!(loudness(rate, 12_000) < 0.01, "{rate}");
    }
}

#[test]
fn who_speaks_while_an_answer_is_shown_breaks_it_off() {
    let Some((_simulator, mut page)) = open() else { return };
    // Where no model is loaded, the answer repeats the question at the speed of a model.
    ask(&mut page, &"and ".repeat(250));
    page.wait_for("document.querySelector('.turn:last-child').dataset.phase === 'answering'");
    page.click("[data-say]");
    page.wait_for("document.querySelector('.turn .took').textContent.includes('broken off')");
    answered(&mut page, 2);
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn a_reload_reconnects_and_knows_what_was_said() {
    let Some((_simulator, mut page)) = open() else { return };
    ask(&mut page, "What is it?");
    let before = answered(&mut page, 1);
    page.value("globalThis.old = true");
    page.command("Page.reload", json!({}));
    page.wait_for(
        "globalThis.old === undefined && document.querySelector('#connection').dataset.there === 'true'",
    );
    assert_eq!(answered(&mut page, 1), before);
    page.wait_for("document.querySelector('#view').dataset.frames > 0");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn keys_and_controls_drive_the_glasses() {
    let Some((simulator, mut page)) = open() else { return };
    page.key(true, " ", "Space");
    page.wait_for("document.querySelector('#hold').getAttribute('aria-pressed') === 'true'");
    page.key(false, " ", "Space");
    page.wait_for("document.querySelector('#hold').getAttribute('aria-pressed') === 'false'");
    page.choose("#panel", "halo");
    page.wait_for("document.querySelector('#hud').dataset.panel === 'halo'");
    page.click("#presets button:nth-of-type(2)");
    page.wait_for("document.querySelector('#temperature').textContent.startsWith('43.0')");
    // The runtime hears of the heat within a second, and does less from the next question on.
    for turn in 1.. {
        ask(&mut page, "Is it hot?");
        answered(&mut page, turn);
        let effort = page.text("document.querySelector('#effort').textContent");
        if effort == "small pictures" {
            break;
        }
        assert!(turn < 30, "{effort}");
        thread::sleep(Duration::from_millis(200));
    }
    let scenario = simulator.get("/api/scenario");
    assert!(scenario.contains("halo") && scenario.contains("43"), "{scenario}");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[cfg(feature = "cloud")]
#[test]
fn agents_work_in_lanes_and_what_left_is_on_the_page() {
    let (cloud, folder) = (cloud::Cloud::start(), tempfile::tempdir().unwrap());
    let config = folder.path().join("cloud.toml");
    let text = format!(
        "no_critic = true\nledger = \"ledger.sqlite\"\n{}models = {{ planner = \"planner\" }}\n",
        cloud.endpoint()
    );
    fs::write(&config, text).unwrap();
    let Some((_simulator, mut page)) = open_with(&["--no-model", "--cloud", config.to_str().unwrap()]) else {
        return;
    };
    page.click("#modes input[value=contemplating]");
    ask(&mut page, "Where to?");
    assert!(answered(&mut page, 1).ends_with("there is no consent for text)"));
    assert_eq!(cloud.connections(), 0);
    assert_eq!(page.text("document.querySelector('#verdict').textContent"), "Nothing.");
    page.click("[data-consent=text]");
    page.wait_for("document.querySelector('[data-consent=text]').checked");
    ask(&mut page, "Where to?");
    assert_eq!(answered(&mut page, 2), "Miami.");
    page.wait_for("document.querySelectorAll('.lane[data-state=done]').length === 2");
    assert!(page.text("document.querySelector('#lanes').textContent").contains("guide"));
    page.wait_for("document.querySelectorAll('#ledger tbody tr').length === 4");
    page.wait_for("document.querySelector('#verdict').textContent.endsWith('in 4 requests.')");
    assert_eq!(page.text("document.querySelector('#seal').dataset.clean"), "false");
    assert!(cloud.connections() > 0);
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

/// `make screenshot`
#[cfg(feature = "pico")]
#[test]
fn the_bundled_model_reads_a_display() {
    let Some((_simulator, mut page)) = open_with(&["--backend", "cpu"]) else { return };
    page.click("[data-scene=pressure]");
    page.wait_for("document.querySelector('#frames').textContent.includes('384 × 384')");
    // The sharpest of the last half second is looked at.
    thread::sleep(Duration::from_secs(1));
    ask(&mut page, "What is the pressure?");
    assert_eq!(answered(&mut page, 1), "141/98");
    // Nobody spoke.
    assert!(took(&mut page).ends_with("picture encoded"), "{}", took(&mut page));
    assert_eq!(page.complaints(), &[] as &[String]);
}

#[test]
#[ignore = "writes docs/simulator.png"]
fn the_picture_in_the_readme() {
    let (_simulator, mut page) = open_with(&[]).unwrap();
    let view = json!({"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false});
    page.command("Emulation.setDeviceMetricsOverride", view);
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    page.command("Emulation.setEmulatedMedia", dark);
    page.click("[data-scene=glucose]");
    thread::sleep(Duration::from_secs(1));
    ask(&mut page, "What is my glucose?");
    answered(&mut page, 1);
    thread::sleep(Duration::from_secs(1));
    let picture = page.command("Page.captureScreenshot", json!({"format": "png"}));
    let png = BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulator.png"), png).unwrap();
}

#[allow(clippy::print_stderr, reason = "a test says what it leaves out")]
fn left_out(why: &str) {
    eprintln!("left out: {why}");
}
