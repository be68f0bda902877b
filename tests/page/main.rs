//! The simulator's page in a browser: `lorgnette sim` and a headless Chromium.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod browser;
mod simulator;

use browser::Page;
use simulator::Simulator;

/// How the last turn stands, as the page shows it.
const LAST: &str = "document.querySelector('.turn:last-child').dataset.phase";

/// A simulator and its page; none, and a word about it, where there is no Chromium.
fn open() -> Option<(Simulator, Page)> {
    let Some(chromium) = browser::chromium() else {
        left_out("there is no Chromium");
        return None;
    };
    let simulator = Simulator::start();
    let mut page = Page::open(&chromium, &simulator.address, &simulator.video(), &simulator.sound());
    page.wait_for("document.querySelector('#connection')?.dataset.there === 'true'");
    Some((simulator, page))
}

/// Waits until so many turns are answered, and gives the text of the last one.
fn answered(page: &mut Page, turns: usize) -> String {
    page.wait_for(&format!("document.querySelectorAll('.turn[data-phase=done]').length >= {turns}"));
    let text = page.value("document.querySelector('.turn:last-child .answer').textContent");
    text.as_str().unwrap().to_owned()
}

/// What the last turn took, in the page's words.
fn took(page: &mut Page) -> String {
    page.wait_for("document.querySelector('.turn:last-child .took').textContent.includes('first word')")
        .as_bool()
        .unwrap();
    page.value("document.querySelector('.turn:last-child .took').textContent").as_str().unwrap().to_owned()
}

#[test]
fn a_spoken_question_is_answered_on_the_display_and_the_next_one_reuses_the_picture() {
    let Some((_simulator, mut page)) = open() else { return };
    page.click("[data-scene=shelf]");
    page.click("[data-say=shelf]");
    let answer = answered(&mut page, 1);
    assert!(!answer.is_empty());
    let shown = page.value("[...document.querySelectorAll('#hud-lines p')].map((line) => line.textContent).join(' ')");
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(plain(shown.as_str().unwrap()), plain(&answer));
    let first = took(&mut page);
    assert!(first.contains("picture encoded"), "{first}");
    page.click("[data-say=shelf]");
    answered(&mut page, 2);
    let second = took(&mut page);
    assert!(second.contains("picture reused"), "{second}");
    let picture = page.value("document.querySelector('#timeline').getAttribute('aria-label')");
    assert!(picture.as_str().unwrap().contains("Your voice"), "{picture}");
    assert_eq!(page.value("document.querySelector('#verdict').textContent"), "Nothing.");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn webcam_and_microphone_stream_in() {
    let Some((_simulator, mut page)) = open() else { return };
    page.choose("#camera-source", "browser");
    // The browser's camera shows a left half that is dark, and a right half that is bright.
    page.wait_for(
        "(() => { const view = document.querySelector('#view'); if (!view.width) return false; \
         const at = (x) => view.getContext('2d').getImageData(x * view.width, view.height / 2, 1, 1).data[0]; \
         return at(0.25) < 60 && at(0.75) > 180 })()",
    );
    page.choose("#microphone-source", "browser");
    page.wait_for("document.querySelector('#sound').textContent.startsWith('speech')");
    answered(&mut page, 1);
    assert!(took(&mut page).contains("picture encoded"));
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn who_speaks_while_an_answer_is_shown_breaks_it_off() {
    let Some((_simulator, mut page)) = open() else { return };
    page.value("document.querySelector('#question').value = 'What do you see?'");
    page.click("#ask button");
    page.wait_for(&format!("{LAST} === 'answering'"));
    page.click("[data-say]");
    page.wait_for("document.querySelector('.turn .took').textContent.includes('broken off')");
    answered(&mut page, 2);
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn a_reload_reconnects_and_knows_what_was_said() {
    let Some((_simulator, mut page)) = open() else { return };
    page.click("[data-say]");
    let before = answered(&mut page, 1);
    page.value("globalThis.old = true");
    page.command("Page.reload", serde_json::json!({}));
    page.wait_for("globalThis.old === undefined && document.querySelector('#connection')?.dataset.there === 'true'");
    assert_eq!(answered(&mut page, 1), before);
    page.wait_for("document.querySelector('#view').dataset.frames > 0");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[test]
fn held_keys_and_controls_drive_the_glasses() {
    let Some((simulator, mut page)) = open() else { return };
    page.key(true, " ", "Space");
    page.wait_for("document.querySelector('#hold').getAttribute('aria-pressed') === 'true'");
    page.key(false, " ", "Space");
    page.wait_for("document.querySelector('#hold').getAttribute('aria-pressed') === 'false'");
    page.choose("#panel", "halo");
    page.wait_for("document.querySelector('#hud').dataset.panel === 'halo'");
    page.value("[...document.querySelectorAll('#presets button')].find((one) => one.textContent === 'A hot day').click()");
    page.wait_for("document.querySelector('#temperature').dataset.hot === 'true'");
    let scenario = simulator.get("/api/scenario");
    assert!(scenario.contains("halo") && scenario.contains("43"), "{scenario}");
    assert!(page.complaints().is_empty(), "{:?}", page.complaints());
}

#[allow(clippy::print_stderr, reason = "a test says what it leaves out")]
fn left_out(why: &str) {
    eprintln!("left out: {why}");
}
