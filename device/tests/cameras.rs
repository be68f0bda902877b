//! Recorded and made cameras: the suite of all cameras, and what is theirs alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::compliance::{self, Case};
use common::made;
use lorgnette_device::camera::{
    Camera, Event, Folder, Frame, Mjpeg, Pace, Picture, Player, Rate, Recording, Still, Y4m, open_recording,
};
use lorgnette_device::clock::{Clock, ManualClock};
use lorgnette_device::{ErrorKind, Timestamp};

const WIDTH: usize = 64;
const HEIGHT: usize = 48;
/// That of the files that `made::write_y4m` writes.
const RATE: Rate = Rate::per_second(10);

fn check<R: Recording + 'static>(numbered: bool, open: impl Fn() -> R) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_start(Duration::from_secs(5))));
    let open = || Box::new(Player::new(open(), clock.clone()).repeating()) as Box<dyn Camera>;
    let case = Case { open: &open, clock: &*clock, width: WIDTH, height: HEIGHT, rate: RATE, numbered };
    compliance::check(&case);
}

/// Everything that `camera` gives until its end: number, time, drops, picture.
fn play(camera: &mut dyn Camera) -> Vec<(u64, Timestamp, u64, Vec<u8>)> {
    let mut frame = Frame::default();
    let mut seen = Vec::new();
    loop {
        match camera.next(&mut frame, Timestamp::from_start(Duration::MAX)) {
            Event::Frame => {
                seen.push((frame.sequence(), frame.captured(), frame.dropped(), frame.bytes().to_vec()));
            }
            Event::End => return seen,
            event => panic!("{event:?}"),
        }
    }
}

fn with_folder(test: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    test(folder.path());
}

#[test]
fn a_still_picture_is_a_camera() {
    with_folder(|folder| {
        let path = folder.join("still.jpg");
        fs::write(&path, made::jpeg(WIDTH, HEIGHT, 3)).unwrap();
        check(false, || Still::open(&path, RATE).unwrap());
    });
}

#[test]
fn a_folder_of_pictures_is_a_camera() {
    with_folder(|folder| {
        made::write_folder(folder, WIDTH, HEIGHT, made::NUMBERS);
        check(true, || Folder::open(folder, RATE).unwrap());
    });
}

#[test]
fn a_video_of_planes_is_a_camera() {
    with_folder(|folder| {
        let path = folder.join("video.y4m");
        made::write_y4m(&path, WIDTH, HEIGHT, made::NUMBERS);
        check(true, || Y4m::open(&path).unwrap());
    });
}

#[test]
fn a_video_of_jpegs_is_a_camera() {
    with_folder(|folder| {
        let path = folder.join("video.mjpeg");
        made::write_mjpeg(&path, WIDTH, HEIGHT, made::NUMBERS);
        check(true, || Mjpeg::open(&path, RATE).unwrap());
    });
}

#[test]
fn at_any_pace_frames_have_the_same_times_numbers_and_pictures() {
    with_folder(|folder| {
        let path = folder.join("video.y4m");
        made::write_y4m(&path, WIDTH, HEIGHT, 12);
        let played = |pace| {
            let clock = Arc::new(ManualClock::default());
            play(&mut Player::new(Y4m::open(&path).unwrap(), clock).with_pace(pace))
        };
        let real = played(Pace::Real);
        assert_eq!(real.len(), 12);
        assert_eq!(real[11].1, Timestamp::from_start(Duration::from_millis(1100)));
        assert_eq!(real, played(Pace::OnDemand));
    });
}

#[test]
fn a_slow_consumer_gets_exactly_the_frames_that_the_clock_says() {
    with_folder(|folder| {
        let path = folder.join("video.mjpeg");
        made::write_mjpeg(&path, WIDTH, HEIGHT, 20);
        let clock = Arc::new(ManualClock::default());
        let mut camera = Player::new(Mjpeg::open(&path, RATE).unwrap(), clock.clone());
        let mut frame = Frame::default();
        let mut seen = Vec::new();
        while matches!(camera.next(&mut frame, clock.now() + Duration::from_secs(1)), Event::Frame) {
            seen.push((frame.sequence(), frame.dropped()));
            clock.advance(Duration::from_millis(450));
        }
        // At 0, 0.45, 0.9, 1.35 and 1.8 s.
        assert_eq!(seen, [(0, 0), (4, 3), (9, 4), (13, 3), (18, 4)]);
    });
}

#[test]
fn no_rate_keeps_a_player_beyond_its_deadline() {
    let grey = Picture::filled(8, 8, [128; 3]);
    let still = Still::from_picture(&grey, Rate::per_second(u32::MAX));
    let clock = Arc::new(ManualClock::default());
    let mut camera = Player::new(still, clock.clone());
    let mut frame = Frame::default();
    assert!(matches!(camera.next(&mut frame, clock.now()), Event::Frame));
    // Billions of pictures later.
    clock.advance(Duration::from_millis(500));
    assert!(matches!(camera.next(&mut frame, clock.now()), Event::Timeout));
}

#[test]
fn a_damaged_picture_is_said_and_the_next_one_comes() {
    with_folder(|folder| {
        made::write_folder(folder, WIDTH, HEIGHT, 3);
        let whole = made::jpeg(WIDTH, HEIGHT, 1);
        fs::write(folder.join("0001.jpg"), &whole[..whole.len() / 2]).unwrap();
        let clock = Arc::new(ManualClock::default());
        let mut camera = Player::new(Folder::open(folder, RATE).unwrap(), clock.clone());
        let mut frame = Frame::default();
        let end = Timestamp::from_start(Duration::from_secs(9));
        assert!(matches!(camera.next(&mut frame, end), Event::Frame));
        let Event::Damaged(error) = camera.next(&mut frame, end) else { panic!("nothing said") };
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.device().unwrap().ends_with("0001.jpg"), "{error}");
        assert!(matches!(camera.next(&mut frame, end), Event::Frame));
        assert_eq!((frame.sequence(), frame.dropped()), (2, 1));
        assert!(matches!(camera.next(&mut frame, end), Event::End));
    });
}

#[test]
fn behind_a_jpeg_without_an_end_and_what_is_none_the_next_one_is_found() {
    with_folder(|folder| {
        let path = folder.join("video.mjpeg");
        let [first, second, third] = [1, 2, 3].map(|number| made::jpeg(WIDTH, HEIGHT, number));
        let half = &second[..second.len() / 2];
        fs::write(&path, [&b"noise \xff\xff"[..], &first, b"noise", half, &third].concat()).unwrap();
        let mut camera = Player::new(Mjpeg::open(&path, RATE).unwrap(), Arc::new(ManualClock::default()));
        let mut frame = Frame::default();
        let end = Timestamp::from_start(Duration::from_secs(9));
        assert!(matches!(camera.next(&mut frame, end), Event::Frame));
        assert_eq!(made::number_of(&frame), 1);
        assert!(matches!(camera.next(&mut frame, end), Event::Damaged(_)));
        assert!(matches!(camera.next(&mut frame, end), Event::Frame));
        assert_eq!((made::number_of(&frame), frame.sequence()), (3, 2));
        assert!(matches!(camera.next(&mut frame, end), Event::End));
    });
}

#[test]
fn a_video_that_is_cut_anywhere_ends_with_a_word_or_in_silence() {
    with_folder(|folder| {
        made::write_y4m(&folder.join("whole.y4m"), 8, 8, 2);
        made::write_mjpeg(&folder.join("whole.mjpeg"), 8, 8, 2);
        for extension in ["y4m", "mjpeg"] {
            let path = folder.join("whole").with_extension(extension);
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            let whole = file.metadata().unwrap().len();
            for length in (0..=whole).rev() {
                file.set_len(length).unwrap();
                let Ok(video) = open_recording(&path, RATE) else { continue };
                let frames = count_frames(&mut Player::new(video, Arc::new(ManualClock::default())));
                assert_eq!(frames == 2, length == whole, "{frames} frames in {length} bytes");
            }
        }
    });
}

/// The whole frames until the end, which has to come soon.
fn count_frames(camera: &mut dyn Camera) -> usize {
    let mut frame = Frame::default();
    let mut frames = 0;
    for _ in 0..10 {
        match camera.next(&mut frame, Timestamp::from_start(Duration::MAX)) {
            Event::Frame => frames += 1,
            Event::Damaged(_) => {}
            Event::End => return frames,
            event => panic!("{event:?}"),
        }
    }
    panic!("no end");
}

#[test]
fn a_header_that_lies_is_refused_by_name() {
    with_folder(|folder| {
        let path = folder.join("video.y4m");
        for (header, kind, word) in [
            ("JPEG W8 H8 F10:1\n", ErrorKind::Malformed, "YUV4MPEG2"),
            ("YUV4MPEG2 W0 H8 F10:1\n", ErrorKind::Malformed, "0 x 8"),
            ("YUV4MPEG2 W99999 H8 F10:1\n", ErrorKind::Unsupported, "99999"),
            ("YUV4MPEG2 Wx H8 F10:1\n", ErrorKind::Malformed, "Wx"),
            ("YUV4MPEG2 W8 H8 F10:0\n", ErrorKind::Malformed, "F10:0"),
            ("YUV4MPEG2 W8 H8 F4294967295:1\n", ErrorKind::Malformed, "F4294967295:1"),
            ("YUV4MPEG2 W8 H8 F10:1 C444\n", ErrorKind::Unsupported, "C444"),
            ("YUV4MPEG2 W8 H8 F10:1 It\n", ErrorKind::Unsupported, "It"),
        ] {
            fs::write(&path, header).unwrap();
            let error = Y4m::open(&path).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            assert!(text.contains(word) && text.contains("video.y4m"), "{text}");
        }
        assert_eq!(Folder::open(&folder.join("none"), RATE).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(Folder::open(folder, RATE).unwrap_err().kind(), ErrorKind::NotFound);
    });
}
