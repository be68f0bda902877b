//! What is encoded while it is spoken.

use std::sync::Arc;

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::{Cpu, Rows};
use lorgnette_runtime::model::audio::{AudioStream, Clip};
use proptest::prelude::*;

use crate::sounds::clip;
use crate::{encode, tower};

fn values(rows: Option<Rows>) -> Vec<f32> {
    rows.map_or(Vec::new(), |rows| Cpu.download(rows).unwrap())
}

/// All that is given for `samples`, pushed in chunks of the lengths of `chunks`, over and over.
fn streamed(stream: &mut AudioStream<Cpu>, samples: &[f32], chunks: &[usize]) -> Vec<f32> {
    let (mut rest, mut tokens) = (samples, Vec::new());
    for &len in chunks.iter().cycle() {
        let (chunk, later) = rest.split_at(len.min(rest.len()));
        tokens.extend(values(stream.push(chunk).unwrap()));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    tokens.extend(values(stream.finish().unwrap()));
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn streaming_equals_the_whole_clip(
        kind in prop::sample::select(vec!["ultravox", "qwen2a", "voxtral"]),
        block in prop::option::of(1usize..=2),
        length in 160usize..16_000,
        chunks in prop::collection::vec(1usize..2_500, 1..40),
    ) {
        let block = block.map(|blocks| 8 * blocks);
        let tower = Arc::new(tower(kind, block));
        let clip = clip(length, 0).unwrap();
        let whole = encode(&tower, &clip);
        let mut stream = tower.stream().unwrap();
        // A clip begun and dropped leaves nothing behind.
        stream.push(&clip.samples()[..length / 2]).unwrap();
        stream.reset();
        for _ in 0..2 {
            let before = stream.blocks();
            prop_assert_eq!(&streamed(&mut stream, clip.samples(), &chunks), &whole);
            let frames = [("ultravox", 20), ("qwen2a", 24), ("voxtral", 32)].into_iter().find(|(k, _)| *k == kind);
            let block = block.unwrap_or(frames.unwrap().1);
            prop_assert_eq!(stream.blocks() - before, (length / 160).div_ceil(block));
        }
    }
}

#[test]
fn a_block_is_given_as_soon_as_it_is_full() {
    let tower = Arc::new(tower("qwen2a", Some(8)));
    let clip = clip(6000, 0).unwrap();
    let whole = encode(&tower, &clip);
    let mut stream = tower.stream().unwrap();
    // Frame 7, the last of the block, reaches to sample 7 * 160 + 200.
    let (before, rest) = clip.samples().split_at(1319);
    assert!(stream.push(before).unwrap().is_none());
    assert_eq!(stream.blocks(), 0);
    let first = values(stream.push(&rest[..1]).unwrap());
    assert_eq!(stream.blocks(), 1);
    assert_eq!(first, whole[..tower.tokens(8 * 160) * tower.width()]);
    stream.push(&rest[1..]).unwrap();
    stream.finish().unwrap();
    assert_eq!(stream.blocks(), 5);
}

#[test]
fn a_tower_that_sees_the_whole_clip_waits_for_its_end() {
    let tower = Arc::new(tower("voxtral", None));
    let mut stream = tower.stream().unwrap();
    assert!(stream.push(clip(9000, 0).unwrap().samples()).unwrap().is_none());
    assert_eq!(stream.blocks(), 0);
    assert_eq!(values(stream.finish().unwrap()).len(), tower.tokens(9000) * tower.width());
    assert_eq!(stream.blocks(), 2);
}

#[test]
fn a_stream_that_hears_nothing_gives_nothing() {
    for block in [None, Some(8)] {
        let mut stream = Arc::new(tower("ultravox", block)).stream().unwrap();
        assert!(stream.finish().unwrap().is_none());
        assert!(stream.push(&[0.1; 159]).unwrap().is_none());
        assert!(stream.finish().unwrap().is_none());
        assert_eq!(stream.blocks(), 0);
    }
}

#[test]
fn samples_that_are_refused_are_not_taken() {
    let tower = Arc::new(tower("ultravox", None));
    let clip = clip(3000, 0).unwrap();
    let mut stream = tower.stream().unwrap();
    stream.push(&clip.samples()[..1000]).unwrap();
    let too_many = vec![0.0; Clip::MAX_SECONDS as usize * 16_000 - 999];
    assert_eq!(stream.push(&too_many).err().unwrap().kind(), ErrorKind::Unsupported);
    assert_eq!(stream.push(&[0.0, f32::NAN]).err().unwrap().kind(), ErrorKind::Malformed);
    assert!(stream.push(&clip.samples()[1000..]).unwrap().is_none());
    assert_eq!(values(stream.finish().unwrap()), encode(&tower, &clip));
}
