//! Frames: what is read from their bytes, whole and in part.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::made;
use lorgnette_device::camera::{Frame, Layout, Picture, PixelFormat, Region};
use lorgnette_device::{ErrorKind, Timestamp};

#[test]
fn every_format_shows_the_same_picture_whole_and_in_part() {
    let formats =
        [PixelFormat::Mjpg, PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Rgb];
    for format in formats {
        let layout = Layout::packed(format, 64, 48).unwrap();
        let mut frame = Frame::default();
        frame.fill(layout, Timestamp::default(), 0, &made::bytes(format, 64, 48, 5)).unwrap();
        assert_eq!(made::number_of(&frame), 5, "{format}");
        let luma = made::luma(64, 48, 5);
        let whole = frame.picture().unwrap();
        let region = Region { x: 7, y: 21, width: 30, height: 9 };
        let part = frame.crop(region).unwrap();
        for (y, row) in part.rgb().chunks_exact(3 * region.width).enumerate() {
            let at = 3 * ((region.y + y) * 64 + region.x);
            assert_eq!(row, &whole.rgb()[at..at + row.len()], "{format}");
        }
        let y = |at: usize| match format {
            PixelFormat::Mjpg | PixelFormat::Rgb => f64::from(luma[at]),
            _ => ((f64::from(luma[at]) - 16.0) * 255.0 / 219.0).max(0.0),
        };
        let close = (0..64 * 48).all(|at| (f64::from(whole.rgb()[3 * at]) - y(at)).abs() < 12.0);
        assert!(close, "{format}");
    }
}

#[test]
fn too_few_bytes_for_a_layout_are_refused_and_the_frame_keeps_what_it_had() {
    for format in [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Rgb] {
        let layout = Layout::packed(format, 16, 16).unwrap();
        let bytes = made::bytes(format, 16, 16, 1);
        let mut frame = Frame::default();
        frame.fill(layout, Timestamp::default(), 7, &bytes).unwrap();
        let error = frame.fill(layout, Timestamp::default(), 8, &bytes[1..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert_eq!((frame.sequence(), frame.bytes()), (7, &bytes[..]));
    }
}

#[test]
fn a_box_on_a_thumbnail_is_cut_from_all_the_pixels_of_the_frame() {
    // Stripes one pixel wide: a thumbnail shows grey.
    let rgb: Vec<u8> = (0..1280 * 720).flat_map(|at| [if at % 2 == 0 { 0 } else { 255 }; 3]).collect();
    let mut frame = Frame::default();
    let layout = Layout::packed(PixelFormat::Rgb, 1280, 720).unwrap();
    frame.fill(layout, Timestamp::default(), 0, &rgb).unwrap();
    let thumbnail = frame.picture().unwrap().fit(320);
    assert_eq!((thumbnail.width(), thumbnail.height()), (320, 180));
    assert!(thumbnail.rgb().iter().all(|level| (90..166).contains(level)));

    let on_thumbnail = Region { x: 10, y: 20, width: 33, height: 11 };
    let region = on_thumbnail.scaled((320, 180), (1280, 720));
    assert_eq!(region, Region { x: 40, y: 80, width: 132, height: 44 });
    let label = frame.crop(region).unwrap();
    assert_eq!((label.width(), label.height()), (132, 44));
    assert!(label.rgb().chunks_exact(6).all(|pair| pair == [0, 0, 0, 255, 255, 255]));

    let grown = Region { x: 3, y: 700, width: 10, height: 10 }.grown(20);
    assert_eq!(grown.within(1280, 720).unwrap(), Region { x: 0, y: 680, width: 33, height: 40 });
    let outside = Region { x: 1280, y: 0, width: 5, height: 5 };
    assert_eq!(frame.crop(outside).unwrap_err().kind(), ErrorKind::Argument);
}

#[test]
fn scaling_keeps_flat_pictures_flat_and_ramps_straight() {
    let flat = Picture::filled(37, 23, [9, 120, 250]);
    for (width, height) in [(1, 1), (5, 90), (74, 46), (300, 2)] {
        assert_eq!(flat.resize(width, height), Picture::filled(width, height, [9, 120, 250]));
    }
    let dot = Picture::filled(1, 1, [1, 2, 3]);
    let largest = dot.resize(usize::MAX, usize::MAX);
    assert_eq!(
        (largest.width(), largest.height()),
        (Picture::MAX_SIDE, Picture::MAX_PIXELS / Picture::MAX_SIDE)
    );
    let ramp: Vec<u8> = (0..64).flat_map(|x| [4 * x as u8; 3]).collect();
    let ramp = Picture::new(64, 1, ramp).unwrap().resize(16, 1);
    // The mean of the four pixels under each, but for the edges, where there is less to the side.
    for x in 1..15 {
        assert_eq!(ramp.rgb()[3 * x], (16 * x + 6) as u8);
    }
}

#[test]
fn a_jpeg_damaged_anywhere_is_an_error_or_a_picture_of_the_size_it_says() {
    let whole = made::jpeg(32, 24, 1);
    let layout = Layout::packed(PixelFormat::Mjpg, 32, 24).unwrap();
    let mut frame = Frame::default();
    let mut refused = 0;
    for at in 0..whole.len() {
        for value in [0x00, 0xd9, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            if frame.fill(layout, Timestamp::default(), 0, &bytes).is_err() {
                refused += 1;
                continue;
            }
            // A size that was forged may be large: decoding it is not what is tried here.
            if (frame.width(), frame.height()) == (32, 24) {
                frame.picture().ok();
                frame.luma(&mut Vec::new()).ok();
            }
        }
        assert!(frame.fill(layout, Timestamp::default(), 0, &whole[..at]).is_err(), "cut at {at}");
    }
    assert!(refused > 3, "the markers at least");
    let mut padded = whole.clone();
    padded.extend([0, 0xff, 0xd9, 7]);
    frame.fill(layout, Timestamp::default(), 0, &padded).unwrap();
    assert_eq!(frame.bytes(), whole);
}
