//! The gate on made sequences. What it does with each stands in `gate.txt`, which these tests hold exactly; to write
//! it anew: `LORGNETTE_ACCEPT=1 cargo test -p lorgnette-device --test gate`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod scene;
mod sequences;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use common::random::Random;
use jpeg_encoder::{ColorType, Encoder};
use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Frame, Layout, Luma, PixelFormat};
use lorgnette_device::gate::{Gate, GateOptions, Recent, Scenes, Verdict, sharpness};
use scene::{Room, Sensor, State};
use sequences::{FRAMES, SEQUENCES, Sequence};

/// What the gate did with a sequence.
#[derive(Default)]
struct Outcome {
    /// Frames that show what the last one let through shows, and those of them that were dropped.
    same: usize,
    dropped: usize,
    /// Frames that show something else for the first time, and those that were not noticed at once.
    events: usize,
    late: usize,
    /// States that lasted two frames or more and were never let through.
    missed: usize,
}

fn run(sequence: &Sequence) -> Outcome {
    let Sequence { width, height, .. } = *sequence;
    let mut room = Room::new(width, height);
    let mut random = Random(1);
    let mut gate = Gate::new(GateOptions::default());
    let mut outcome = Outcome::default();
    let (mut let_through, mut last): (Option<State>, Option<State>) = (None, None);
    let shows = |shown: Option<State>, state: State| shown.is_some_and(|shown| shown.looks_like(&state));
    for index in 0..FRAMES {
        let state = (sequence.state)(index);
        if last.is_some_and(|last| {
            last != state && (sequence.state)(index - 2) == last && let_through != Some(last)
        }) {
            outcome.missed += 1;
        }
        let luma = room.seen(&state, &(sequence.sensor)(index), &mut random);
        let luma = if sequence.jpeg { through_jpeg(&luma, width, height) } else { luma };
        let verdict = gate.judge(Luma::new(width, height, &luma).unwrap(), Timestamp::default());
        if shows(let_through, state) {
            outcome.same += 1;
            outcome.dropped += usize::from(!verdict.is_worth_it());
        } else if last != Some(state) {
            outcome.events += 1;
            outcome.late += usize::from(!verdict.is_worth_it());
        }
        if verdict.is_worth_it() {
            let_through = Some(state);
        }
        last = Some(state);
    }
    outcome.missed += usize::from(last.is_none_or(|last| !shows(let_through, last)));
    outcome
}

fn through_jpeg(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 75).encode(luma, width as u16, height as u16, ColorType::Luma).unwrap();
    let mut frame = Frame::default();
    frame
        .fill(Layout::packed(PixelFormat::Mjpg, width, height).unwrap(), Timestamp::default(), 0, &bytes)
        .unwrap();
    let mut decoded = Vec::new();
    frame.luma(&mut decoded).unwrap();
    decoded
}

#[test]
fn four_of_five_static_frames_are_dropped_and_no_change_is_missed() {
    let mut report = format!("{:48} same dropped events late missed\n", format!("{FRAMES} frames each"));
    let outcomes = std::thread::scope(|scope| {
        let runs: Vec<_> = SEQUENCES.iter().map(|sequence| scope.spawn(|| run(sequence))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    for (sequence, o) in SEQUENCES.iter().zip(outcomes) {
        let numbers = format!("{:4} {:7} {:6} {:4} {:6}", o.same, o.dropped, o.events, o.late, o.missed);
        writeln!(report, "{:48} {numbers}", sequence.name).unwrap();
        assert_eq!(o.missed, 0, "{}", sequence.name);
        assert!(5 * o.dropped >= 4 * o.same, "{}: {} of {}", sequence.name, o.dropped, o.same);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate/gate.txt");
    if std::env::var_os("LORGNETTE_ACCEPT").is_some() {
        std::fs::write(&path, &report).unwrap();
    }
    assert_eq!(report, std::fs::read_to_string(path).unwrap(), "the numbers in gate.txt are others");
}

/// What the gate says of `after`, once it has let `before` through, ten seconds later.
fn verdict_on(options: GateOptions, before: &[u8], after: &[u8]) -> Verdict {
    let mut gate = Gate::new(options);
    let luma = |bytes| Luma::new(640, 480, bytes).unwrap();
    assert_eq!(gate.judge(luma(before), Timestamp::default()), Verdict::First);
    gate.judge(luma(after), Timestamp::from_start(Duration::from_secs(10)))
}

/// Squares of 16 pixels in three shades.
fn squares(width: usize, height: usize) -> Vec<u8> {
    (0..height).flat_map(|y| (0..width).map(move |x| 60 + 40 * ((x / 16 + y / 16) % 3) as u8)).collect()
}

#[test]
fn a_verdict_says_why() {
    let room = squares(640, 480);
    let options = GateOptions::default();
    let brighter: Vec<u8> = room.iter().map(|&level| level + level / 5).collect();
    let Verdict::Same { gain } = verdict_on(options, &room, &brighter) else { panic!("exposure is no news") };
    assert!((gain - 1.2).abs() < 0.01, "{gain}");

    let mut with_box = room.clone();
    for y in 200..300 {
        with_box[640 * y + 100..640 * y + 180].fill(230);
    }
    let Verdict::Change { region, share } = verdict_on(options, &room, &with_box) else { panic!("not seen") };
    assert!(region.x <= 100 && region.y <= 200 && share < 0.1);
    assert!((180..180 + 64).contains(&(region.x + region.width)), "{region:?}");
    assert!((300..300 + 64).contains(&(region.y + region.height)), "{region:?}");

    let turned: Vec<u8> = room.iter().rev().map(|&level| 255 - level).collect();
    assert!(matches!(verdict_on(options, &room, &turned), Verdict::Scene { share } if share > 0.5));
    assert!(
        matches!(verdict_on(options, &room, &vec![0; 640 * 480]), Verdict::Scene { .. }),
        "a covered lens"
    );

    let mut refreshing = GateOptions::default();
    refreshing.refresh = Some(Duration::from_secs(10));
    assert_eq!(verdict_on(refreshing, &room, &room), Verdict::Stale);
}

#[test]
fn a_frame_of_another_size_and_one_after_a_reset_are_first() {
    let mut gate = Gate::default();
    let (small, large) = (squares(64, 48), squares(640, 480));
    let now = Timestamp::default();
    assert_eq!(gate.judge(Luma::new(64, 48, &small).unwrap(), now), Verdict::First);
    assert_eq!(gate.judge(Luma::new(640, 480, &large).unwrap(), now), Verdict::First);
    assert!(!gate.judge(Luma::new(640, 480, &large).unwrap(), now).is_worth_it());
    gate.reset();
    assert_eq!(gate.judge(Luma::new(640, 480, &large).unwrap(), now), Verdict::First);
}

#[test]
fn pictures_of_any_size_are_judged() {
    for (width, height) in [(1, 1), (1, 500), (500, 1), (3, 3), (161, 7), (321, 241)] {
        let bright = vec![250; width * height];
        let mut gate = Gate::default();
        assert_eq!(
            gate.judge(Luma::new(width, height, &bright).unwrap(), Timestamp::default()),
            Verdict::First
        );
        gate.judge(Luma::new(width, height, &squares(width, height)).unwrap(), Timestamp::default());
        sharpness(Luma::new(width, height, &bright).unwrap());
    }
}

/// The mean of `reach` neighbours along rows, or along columns.
fn blurred(luma: &[u8], width: usize, reach: usize, step: usize) -> Vec<u8> {
    let mean = |at: usize| {
        (0..reach).map(|i| u32::from(luma[(at + i * step) % luma.len()])).sum::<u32>() / reach as u32
    };
    (0..luma.len()).map(|at| mean(at) as u8).collect::<Vec<_>>()[..luma.len() / width * width].to_vec()
}

#[test]
fn sharpness_falls_with_blur_in_any_direction_and_keeps_with_exposure() {
    let (width, height) = (640, 480);
    let sharp = squares(width, height);
    let of = |bytes: &[u8]| sharpness(Luma::new(width, height, bytes).unwrap());
    for step in [1, width] {
        let [a, b, c] = [1, 3, 9].map(|reach| of(&blurred(&sharp, width, reach, step)));
        assert!(a > b && b > c, "{a} {b} {c} in steps of {step}");
    }
    let dim: Vec<u8> = sharp.iter().map(|level| level / 2).collect();
    assert!((of(&dim) / of(&sharp) - 1.0).abs() < 0.1);
}

#[test]
fn brightness_is_judged_alike_where_it_lies_in_any_format() {
    let luma = squares(320, 240);
    let yuyv: Vec<u8> = luma.iter().flat_map(|&y| [y, 7]).collect();
    let rgb: Vec<u8> = luma.iter().flat_map(|&y| [200, y, 3]).collect();
    let mut found = Vec::new();
    for (format, bytes) in [(PixelFormat::Yuyv, &yuyv), (PixelFormat::Rgb, &rgb)] {
        let mut frame = Frame::default();
        frame.fill(Layout::packed(format, 320, 240).unwrap(), Timestamp::default(), 0, bytes).unwrap();
        let mut gate = Gate::default();
        gate.judge(Luma::new(320, 240, &luma).unwrap(), Timestamp::default());
        let mut scratch = Vec::new();
        let view = frame.luma(&mut scratch).unwrap();
        assert_eq!(gate.judge(view, Timestamp::default()), Verdict::Same { gain: 1.0 }, "{format}");
        found.push(sharpness(view));
    }
    assert_eq!(found, [sharpness(Luma::new(320, 240, &luma).unwrap()); 2]);
}

#[test]
fn the_sharpest_recent_frame_is_found_as_by_looking_at_all() {
    let mut random = Random(3);
    let window = Duration::from_millis(500);
    let mut recent = Recent::new(window, 30);
    let mut all: Vec<(Timestamp, u64, f32)> = Vec::new();
    let layout = Layout::packed(PixelFormat::Rgb, 1, 1).unwrap();
    let mut frame = Frame::default();
    for index in 0..300 {
        let captured = Timestamp::from_start(Duration::from_millis(40 * index));
        let sharp = random.below(20) as f32;
        frame.fill(layout, captured, index, &[0; 3]).unwrap();
        recent.push(&mut frame, sharp);
        all.push((captured, index, sharp));
        // The latest of equals.
        let within = all.iter().filter(|(then, ..)| captured.since(*then) <= window);
        let best = within.max_by(|a, b| a.2.total_cmp(&b.2).then(a.1.cmp(&b.1))).unwrap();
        assert_eq!(recent.sharpest(captured).unwrap().sequence(), best.1);
    }
    assert!(recent.sharpest(Timestamp::from_start(Duration::from_secs(60))).is_none(), "too old");
    recent.clear();
    assert!(recent.sharpest(Timestamp::default()).is_none());
}

#[test]
fn the_sharpest_frame_is_kept_when_there_is_no_room_for_all() {
    let mut recent = Recent::new(Duration::from_secs(1), 4);
    let layout = Layout::packed(PixelFormat::Rgb, 1, 1).unwrap();
    let mut frame = Frame::default();
    for index in 0..20 {
        let captured = Timestamp::from_start(Duration::from_millis(index));
        frame.fill(layout, captured, index, &[0; 3]).unwrap();
        recent.push(&mut frame, 100.0 - index as f32);
        assert_eq!(recent.sharpest(captured).unwrap().sequence(), 0);
    }
    // Once it is too old, the next best that was kept.
    assert_eq!(
        recent.sharpest(Timestamp::from_start(Duration::from_micros(1_000_500))).unwrap().sequence(),
        1
    );
}

/// Since which of the frames the scene of the last one is there; one every 40 ms.
fn scene_since(frames: &[Vec<u8>]) -> usize {
    let mut scenes = Scenes::default();
    let frame = |(index, luma): (usize, &Vec<u8>)| {
        let captured = Timestamp::from_start(Duration::from_millis(40 * index as u64));
        scenes.since(Luma::new(640, 480, luma).unwrap(), captured)
    };
    let since = frames.iter().enumerate().map(frame).last().unwrap();
    (since.since_start().as_millis() / 40) as usize
}

/// What the wearer sees who has turned so far, each with how far the head has trembled.
fn turning(pans: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
    let (mut room, mut random) = (Room::new(640, 480), Random(5));
    let sensor = |shake| Sensor { noise: 3.0, exposure: 1.0, shake: (shake, 4), contrast: 1.0 };
    let seen = |(index, pan)| room.seen(&State { pan, ..State::default() }, &sensor(index % 7), &mut random);
    pans.into_iter().enumerate().map(seen).collect()
}

#[test]
fn a_scene_goes_on_while_the_head_trembles_and_pictures_blur() {
    let mut frames = turning([40, 48, 36, 44, 34, 46, 40]);
    assert_eq!(scene_since(&frames), 0, "a tremble of several pixels");
    frames.iter_mut().skip(3).step_by(2).for_each(|frame| *frame = blurred(frame, 640, 13, 1));
    assert_eq!(scene_since(&frames), 0, "every second frame is blurred");
    frames[6].iter_mut().for_each(|level| *level = (f32::from(*level) * 0.7) as u8);
    assert_eq!(scene_since(&frames), 0, "exposure");
}

#[test]
fn a_scene_ends_where_the_wearer_turns_also_while_that_goes_on() {
    let frames = turning([0, 0, 0, 300, 305, 298]);
    assert_eq!(scene_since(&frames), 3, "turned at once");
    let frames = turning([0, 0, 0, 60, 120, 180, 240]);
    assert!(scene_since(&frames) >= 3, "not through yet");
}

#[test]
fn a_scene_ends_where_something_small_changed_and_stays() {
    let (mut room, mut random) = (Room::new(640, 480), Random(5));
    let sensor = Sensor { noise: 3.0, exposure: 1.0, shake: (4, 4), contrast: 1.0 };
    let mut seen = |label| room.seen(&State { label, ..State::default() }, &sensor, &mut random);
    let labels = [1, 1, 1, 1, 2, 2];
    let frames: Vec<_> = labels.into_iter().map(&mut seen).collect();
    assert_eq!(scene_since(&frames), 4);
    assert_eq!(scene_since(&frames[..5]), 0, "one frame alone may be blurred");
}

#[test]
fn a_scene_begins_with_a_picture_of_another_size_and_survives_a_clock_set_back() {
    let mut scenes = Scenes::default();
    let at = |milliseconds| Timestamp::from_start(Duration::from_millis(milliseconds));
    let mut since = |side, time| scenes.since(Luma::new(side, side, &vec![9; side * side]).unwrap(), time);
    assert_eq!(
        [since(64, at(7)), since(64, at(9)), since(65, at(11)), since(65, at(13))]
            .map(|t| t.since_start().as_millis()),
        [7, 7, 11, 11]
    );
    assert_eq!(since(65, at(2)), at(2));
    for side in [1, 2, 3, 161] {
        assert_eq!(since(side, at(20)), at(20));
    }
}

#[test]
fn frames_of_another_scene_are_out_of_the_running() {
    let mut recent = Recent::new(Duration::from_secs(1), 4);
    let layout = Layout::packed(PixelFormat::Rgb, 1, 1).unwrap();
    let at = |milliseconds| Timestamp::from_start(Duration::from_millis(milliseconds));
    let mut frame = Frame::default();
    for index in 0..4 {
        frame.fill(layout, at(index), index, &[0; 3]).unwrap();
        recent.push(&mut frame, 10.0 - index as f32);
    }
    recent.forget_before(at(2));
    assert_eq!(recent.sharpest(at(4)).unwrap().sequence(), 2);
}
