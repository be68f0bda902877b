//! Pictures against Hugging Face transformers. `golden/front_ends.py` made the expectations and has the same
//! generator of pictures as this file.

use lorgnette_quant::gguf::Metadata;
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::model::vision::{Picture, Pixels, Place, Preprocessor, Tile, decode};
use serde::Deserialize;

use crate::common::{Outcome, golden, golden_file};

const MEAN: [f32; 3] = [0.5, 0.48, 0.4];
const STD: [f32; 3] = [0.5, 0.26, 0.25];

/// The processors round the rescaled value to single precision at other places.
const VALUE_TOLERANCE: f32 = 3e-7;
/// zune-jpeg and libjpeg-turbo round the inverse transform differently.
const JPEG_LEVELS: u8 = 2;

#[derive(Deserialize)]
struct PixelsCase {
    width: usize,
    height: usize,
    tile: u32,
    edge: u32,
    split: bool,
    rows: usize,
    columns: usize,
    tiles: Vec<String>,
    step: usize,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct FileCase {
    file: String,
    width: usize,
    height: usize,
    rgb: String,
}

#[test]
fn pixels_are_those_of_the_processor() -> Outcome {
    for case in golden::<Vec<PixelsCase>>("pixels")? {
        let name = format!("{}x{} {}/{} {}", case.width, case.height, case.tile, case.edge, case.split);
        let pixels = processed(&case)?;
        assert_eq!((pixels.rows, pixels.columns), (case.rows, case.columns), "{name}");
        let hashes: Vec<String> = pixels.tiles.iter().map(|tile| fnv1a(&levels(tile))).collect();
        assert_eq!(hashes, case.tiles, "{name}");
        let values = pixels.tiles.iter().flat_map(|tile| &tile.values).step_by(case.step);
        let furthest = values.zip(&case.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest <= VALUE_TOLERANCE, "{name}: {furthest}");
    }
    Ok(())
}

#[test]
fn tiles_come_row_by_row_and_the_overview_last() -> Outcome {
    let pixels = Preprocessor::from_metadata(&metadata(64, 256))?.tiles(&picture(320, 240)?);
    let places: Vec<Place> = pixels.tiles.iter().map(|tile| tile.place).collect();
    assert_eq!(places.len(), pixels.rows * pixels.columns + 1);
    assert_eq!(places[1], Place::Part { row: 0, column: 1 });
    assert_eq!(places[pixels.columns], Place::Part { row: 1, column: 0 });
    assert_eq!(places.last(), Some(&Place::Overview));
    Ok(())
}

#[test]
fn files_decode_to_what_transformers_loads() -> Outcome {
    for case in golden::<Vec<FileCase>>("files")? {
        let picture = decode(&golden_file(&case.file)?)?;
        assert_eq!((picture.width(), picture.height()), (case.width, case.height), "{}", case.file);
        let expected = unhex(&case.rgb);
        let apart = picture.rgb().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(apart <= tolerance(&case.file), "{}: {apart} levels", case.file);
    }
    Ok(())
}

#[test]
fn metadata_that_cannot_be_meant_is_refused_by_key() {
    let refused = |metadata: &Metadata| {
        let error = Preprocessor::from_metadata(metadata).unwrap_err();
        (error.kind(), error.field().to_owned())
    };
    let with = |key: &str, values: Vec<f32>| {
        let mut metadata = metadata(64, 256);
        metadata.set(key, values);
        metadata
    };
    let (size, edge) = ("clip.vision.image_size", "clip.vision.preproc_image_size");
    let (mean, std) = ("clip.vision.image_mean", "clip.vision.image_std");
    assert_eq!(refused(&Metadata::new()), (ErrorKind::Missing, size.into()));
    assert_eq!(refused(&metadata(0, 256)), (ErrorKind::Malformed, size.into()));
    assert_eq!(refused(&metadata(5000, 4096)), (ErrorKind::Malformed, size.into()));
    assert_eq!(refused(&metadata(64, 0)), (ErrorKind::Malformed, edge.into()));
    assert_eq!(refused(&metadata(2, 4096)), (ErrorKind::Malformed, edge.into()));
    assert_eq!(refused(&with(mean, vec![0.5; 2])), (ErrorKind::Malformed, mean.into()));
    assert_eq!(refused(&with(mean, vec![f32::NAN; 3])), (ErrorKind::Malformed, mean.into()));
    assert_eq!(refused(&with(std, vec![0.5, 0.0, 0.5])), (ErrorKind::Malformed, std.into()));
}

#[test]
fn a_file_without_a_longest_edge_means_four_tiles() -> Outcome {
    let mut short = metadata(64, 256);
    short.remove("clip.vision.preproc_image_size");
    assert_eq!(Preprocessor::from_metadata(&short)?, Preprocessor::from_metadata(&metadata(64, 256))?);
    Ok(())
}

fn processed(case: &PixelsCase) -> Result<Pixels, Box<dyn std::error::Error>> {
    let preprocessor = Preprocessor::from_metadata(&metadata(case.tile, case.edge))?;
    let picture = picture(case.width, case.height)?;
    Ok(if case.split { preprocessor.tiles(&picture) } else { preprocessor.overview(&picture) })
}

fn metadata(tile: u32, edge: u32) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.set("clip.vision.image_size", tile);
    metadata.set("clip.vision.preproc_image_size", edge);
    metadata.set("clip.vision.image_mean", MEAN.to_vec());
    metadata.set("clip.vision.image_std", STD.to_vec());
    metadata
}

/// `picture` of `golden/front_ends.py`.
fn picture(width: usize, height: usize) -> lorgnette_runtime::Result<Picture> {
    let value = |x: usize, y: usize, c: usize| 3 * x * x + 5 * y * y + 7 * x * y * (c + 1) + 997 * c;
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgb = pixels.flat_map(|(x, y)| [0, 1, 2].map(|c| (value(x, y, c) >> 5) as u8)).collect();
    Picture::new(width, height, rgb)
}

/// The 8-bit values that a tile was normalised from.
fn levels(tile: &Tile) -> Vec<u8> {
    let plane = tile.side * tile.side;
    let level = |(i, v): (usize, &f32)| ((v * STD[i / plane] + MEAN[i / plane]) * 255.0).round() as u8;
    tile.values.iter().enumerate().map(level).collect()
}

fn tolerance(file: &str) -> u8 {
    if file.ends_with(".jpg") { JPEG_LEVELS } else { 0 }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn fnv1a(bytes: &[u8]) -> String {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
