//! Picture files that are cut, damaged or lie: a typed error or a picture, never a panic or a long wait.

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::model::vision::{Picture, decode};

use crate::common::{Outcome, flipped, golden_file, is_typed};

const FILES: &[&str] = &[
    "orientation-6.jpg",
    "subsampled.jpg",
    "progressive.jpg",
    "grey.jpg",
    "orientation-6.png",
    "palette.png",
    "deep.png",
    "orientation-6.webp",
    "alpha.webp",
    "lossy.webp",
];
const FLIPS: u64 = 1000;

#[test]
fn a_file_cut_short_is_refused() -> Outcome {
    for name in FILES {
        let file = golden_file(name)?;
        for len in 0..file.len() - 1 {
            match decode(&file[..len]) {
                Err(error) => assert!(is_typed(error.kind()), "{name} cut to {len}: {error}"),
                // WebP pads chunks and holds metadata behind the pixels.
                Ok(picture) => assert!(is_whole(name, &picture), "{name} cut to {len} of {}", file.len()),
            }
        }
    }
    Ok(())
}

#[test]
fn a_jpeg_cut_short_is_said_to_be() -> Outcome {
    let file = golden_file("progressive.jpg")?;
    for len in 4..file.len() - 1 {
        assert_eq!(decode(&file[..len]).unwrap_err().kind(), ErrorKind::Truncated, "{len}");
    }
    Ok(())
}

#[test]
fn flipped_bits_never_panic() -> Outcome {
    for name in FILES {
        let file = golden_file(name)?;
        for seed in 0..FLIPS {
            let damaged = flipped(&file, seed);
            if let Err(error) = decode(&damaged) {
                assert!(is_typed(error.kind()), "{name}, seed {seed}: {error}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_huge_picture_is_refused_by_its_header() -> Outcome {
    for file in [huge_jpeg()?, huge_png()?, huge_webp()?, huge_webp_frame()?] {
        let error = decode(&file).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, "picture size"), "{error}");
        assert!(error.to_string().contains("64000000 pixels"), "{error}");
    }
    Ok(())
}

#[test]
fn one_pixel_is_a_picture() -> Outcome {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 1, 1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&[1, 2, 3])?;
    assert_eq!(decode(&file)?, Picture::new(1, 1, vec![1, 2, 3])?);
    Ok(())
}

#[test]
fn what_is_no_picture_is_said_to_be_none() {
    let kind = |bytes: &[u8]| decode(bytes).unwrap_err().kind();
    assert_eq!(kind(b""), ErrorKind::Truncated);
    assert_eq!(kind(b"GIF89a"), ErrorKind::Unsupported);
    assert_eq!(kind(b"once upon a time"), ErrorKind::Unsupported);
    assert_eq!(kind(b"\xff\xd8\xff\xd9"), ErrorKind::Malformed);
}

#[test]
fn a_picture_holds_what_its_size_says() {
    let kind = |width, height, len| Picture::new(width, height, vec![0; len]).unwrap_err().kind();
    assert_eq!(kind(2, 2, 11), ErrorKind::Malformed);
    assert_eq!(kind(0, 2, 0), ErrorKind::Malformed);
    assert_eq!(kind(30_000, 30_000, 0), ErrorKind::Unsupported);
    assert_eq!(kind(40_000, 1, 0), ErrorKind::Unsupported);
}

fn is_whole(name: &str, picture: &Picture) -> bool {
    let whole = decode(&golden_file(name).unwrap()).unwrap();
    name.ends_with(".webp") && picture.rgb().len() == whole.rgb().len()
}

fn huge_jpeg() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut file = golden_file("orientation-1.jpg")?;
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).ok_or("no frame header")?;
    file[frame + 5..frame + 7].copy_from_slice(&30_000u16.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&30_000u16.to_be_bytes());
    Ok(file)
}

fn huge_png() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut file = Vec::new();
    // The writer says when it goes away that pixels are missing; the header is there.
    drop(png::Encoder::new(&mut file, 30_000, 30_000).write_header()?);
    Ok(file)
}

/// 16383 x 16383, about the largest that the format can say.
fn huge_webp() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut file = golden_file("lossless.webp")?;
    let chunk = file.windows(4).position(|name| name == b"VP8L").ok_or("no VP8L chunk")?;
    file[chunk + 9..chunk + 13].copy_from_slice(&(0x3ffe << 14 | 0x3ffe_u32).to_le_bytes());
    Ok(file)
}

/// A canvas of 1 x 1 that holds a frame of 16383 x 16383.
fn huge_webp_frame() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let simple = golden_file("lossy.webp")?;
    let mut frame = simple[12..].to_vec();
    frame[14..18].fill(0xff);
    let canvas = *b"VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let len = u32::try_from(4 + canvas.len() + frame.len())?.to_le_bytes();
    Ok([b"RIFF", &len[..], b"WEBP", &canvas, &frame].concat())
}
