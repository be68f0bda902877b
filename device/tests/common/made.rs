//! Pictures that carry their number, in every format, and files of them.

use std::fs;
use std::io::Write;
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder};
use lorgnette_device::camera::{Frame, Layout, PixelFormat};

/// Numbers that pictures can carry before they start again.
pub(crate) const NUMBERS: u64 = 16;

/// The brightness of the upper half of picture `number`; the lower half is dark and has some texture.
fn level(number: u64) -> u8 {
    (60 + 10 * (number % NUMBERS)) as u8
}

/// The number that a frame carries, read from its brightness.
pub(crate) fn number_of(frame: &Frame) -> u64 {
    let picture = frame.picture().unwrap();
    let at = 3 * (picture.width() * (picture.height() / 4) + picture.width() / 2);
    let green = f64::from(picture.rgb()[at + 1]);
    // In YUV from 16 to 235, the level is stretched by 255 / 219.
    let level = match frame.layout().format() {
        PixelFormat::Mjpg | PixelFormat::Rgb => green,
        _ => green * 219.0 / 255.0 + 16.0,
    };
    ((level - 60.0) / 10.0).round() as u64
}

/// Brightness of picture `number`: `[height][width]`.
pub(crate) fn luma(width: usize, height: usize, number: u64) -> Vec<u8> {
    let texture = |x: usize, y: usize| (20 + (x * 7 + y * 13) % 23) as u8;
    let pixel = |y: usize, x: usize| if y < height / 2 { level(number) } else { texture(x, y) };
    (0..height).flat_map(|y| (0..width).map(move |x| pixel(y, x))).collect()
}

/// Picture `number` as a grey JPEG.
pub(crate) fn jpeg(width: usize, height: usize, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let luma = luma(width, height, number);
    Encoder::new(&mut bytes, 90).encode(&luma, width as u16, height as u16, ColorType::Luma).unwrap();
    bytes
}

/// Picture `number` in `format`, without gaps between its rows.
pub(crate) fn bytes(format: PixelFormat, width: usize, height: usize, number: u64) -> Vec<u8> {
    let luma = luma(width, height, number);
    let planes = |colours: usize| [luma.clone(), vec![128; colours]].concat();
    match format {
        PixelFormat::Mjpg => jpeg(width, height, number),
        PixelFormat::Yuyv => luma.iter().flat_map(|&y| [y, 128]).collect(),
        PixelFormat::Rgb => luma.iter().flat_map(|&y| [y; 3]).collect(),
        _ => planes(Layout::packed(format, width, height).unwrap().bytes() - luma.len()),
    }
}

pub(crate) fn write_folder(folder: &Path, width: usize, height: usize, count: u64) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        fs::write(folder.join(format!("{number:04}.jpg")), jpeg(width, height, number)).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not a picture").unwrap();
}

pub(crate) fn write_mjpeg(path: &Path, width: usize, height: usize, count: u64) {
    fs::write(path, (0..count).flat_map(|number| jpeg(width, height, number)).collect::<Vec<_>>()).unwrap();
}

pub(crate) fn write_y4m(path: &Path, width: usize, height: usize, count: u64) {
    let mut file = fs::File::create(path).unwrap();
    writeln!(file, "YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg").unwrap();
    for number in 0..count {
        file.write_all(b"FRAME\n").unwrap();
        file.write_all(&bytes(PixelFormat::I420, width, height, number)).unwrap();
    }
}
