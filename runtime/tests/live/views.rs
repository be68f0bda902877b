//! What the wearer looks at when a question begins.

use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::live::{Engine, Stage};
use lorgnette_runtime::model::chat_template::Part;

use crate::script::{Script, at, traces};

const SIDE: usize = 160;

/// A wall with 25 tiles in shades of a scene's own, as sharp as the steps between the tiles are short.
fn level(scene: usize, blur: usize, x: usize, y: usize) -> u8 {
    let shade = |tile: usize, row: usize| (60 + (tile * 7 + row * 11 + scene * 5) * 23 % 130) as f32;
    let (tile, row) = (x / 32, y / 32);
    let step = (x % 32 + blur).saturating_sub(31) as f32 / blur as f32;
    (shade(tile, row) * (1.0 - step) + shade(tile + 1, row) * step) as u8
}

/// Looks at a scene for as many frames as there are blurs, one every 60 ms.
fn look(script: Script, scene: usize, blurs: &[usize]) -> Script {
    blurs
        .iter()
        .fold(script, |script, &blur| script.frame(SIDE, SIDE, |x, y| level(scene, blur, x, y)).silence(60))
}

fn ask(script: Script) -> Script {
    script.speech(400).silence(300)
}

/// The scene, and how blurred, that question `number` is about.
fn asked_about(engine: &Engine<Cpu>, number: usize) -> Option<(usize, usize)> {
    let Part::Image(image) = &engine.history()[2 * number].content[0] else { return None };
    let grey = |at: usize| image.picture().rgb()[3 * at];
    let shows =
        |(scene, blur)| (0..SIDE * SIDE).all(|at| grey(at) == level(scene, blur, at % SIDE, at / SIDE));
    (0..4).flat_map(|scene| (1..20).map(move |blur| (scene, blur))).find(|&shown| shows(shown))
}

#[test]
fn who_turned_just_now_is_not_answered_about_what_was_there_before() {
    let script = look(Script::default(), 1, &[1, 1, 1]);
    let (_, engine) = ask(look(script, 2, &[9, 9])).play();
    assert_eq!(asked_about(&engine, 0), Some((2, 9)), "the old scene is sharper");
    let script = look(Script::default(), 1, &[1, 1, 1]);
    let (_, engine) = ask(look(script, 2, &[12])).play();
    assert_eq!(asked_about(&engine, 0), Some((2, 12)), "with a single frame of the new one");
}

#[test]
fn of_one_scene_the_sharpest_frame_is_taken() {
    let (_, engine) = ask(look(Script::default(), 1, &[9, 1, 5, 9])).play();
    assert_eq!(asked_about(&engine, 0), Some((1, 1)));
    let script = look(Script::default(), 1, &[1, 1]);
    let (_, engine) = ask(look(script, 2, &[9, 3, 7])).play();
    assert_eq!(asked_about(&engine, 0), Some((2, 3)), "also after another");
}

#[test]
fn a_view_that_is_seen_again_unchanged_is_not_encoded_again() {
    let script = ask(look(Script::default(), 1, &[1, 1]));
    let script = ask(look(script, 1, &[1, 1]));
    let script = ask(look(script, 2, &[1]));
    let (reports, _) = ask(look(script, 2, &[1, 1])).play();
    let passes: Vec<_> = traces(&reports).iter().map(|trace| trace.count(Stage::See, at(0))).collect();
    assert_eq!(passes, [1, 0, 1, 0]);
}
