#!/usr/bin/env python3
"""Writes front_ends.json and front_ends/: what Hugging Face transformers makes of small pictures and clips.

    python front_ends.py [FOLDER]

Needs transformers, torch, torchvision, numpy and pillow. Pictures and clips come from the generators below, which
runtime/tests/front_ends/{vision,audio}.rs have too; only encoded files are kept.
"""

import json
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import torch
import transformers
from transformers import WhisperFeatureExtractor
from transformers.image_utils import load_image
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from transformers.models.smolvlm.image_processing_smolvlm import SmolVLMImageProcessor

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
FILES = FOLDER / "front_ends"
MEAN, STD = [0.5, 0.48, 0.4], [0.5, 0.26, 0.25]
ORIENTATION = 0x0112


def fnv1a(data: bytes) -> str:
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def picture(width: int, height: int) -> np.ndarray:
    """Curved bands with hard edges, [height][width][3]."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return (((3 * x * x + 5 * y * y + 7 * x * y * (c + 1) + 997 * c) >> 5) & 255).astype(np.uint8)


def clip(length: int, shift: int) -> np.ndarray:
    """A rising triangle wave under a slow swell, and noise, all made of integers; 2**shift times quieter than full."""
    i = np.arange(length, dtype=np.int64)
    phase = (i * 900 + i * i // 8) & 0xFFFF
    wave = np.abs(phase - 0x8000) - 0x4000
    swell = np.abs((i & 0x1FFF) - 0x1000)
    noise = ((i * 0x9E3779B1 & 0xFFFFFFFF) >> 16) * 0x85EBCA6B >> 7 & 0x3FF
    return ((wave * swell >> 11) + noise - 0x200).astype(np.float32) / np.float32(1 << (16 + shift))


def width_first(resize):
    """Pillow 13 resizes the height first where that is less work and rounds otherwise; Pillow 12, torchvision and
    llama.cpp resize the width first. A pass that changes nothing is skipped by all."""
    def resized(image, size, *args, **kwargs):
        return resize(resize(image, (size[0], image.height), *args, **kwargs), size, *args, **kwargs)
    return resized


def pixels(width: int, height: int, tile: int, edge: int, split: bool) -> dict:
    image = PIL.Image.fromarray(picture(width, height))
    options = {
        "size": {"longest_edge": edge}, "max_image_size": {"longest_edge": tile}, "do_image_splitting": split,
        "image_mean": MEAN, "image_std": STD, "return_row_col_info": True, "return_tensors": "np",
    }
    out = SmolVLMImageProcessorPil()(image, **options)
    values = np.asarray(out["pixel_values"])[0]
    other = np.asarray(SmolVLMImageProcessor()(image, **{**options, "return_tensors": "pt"})["pixel_values"])[0]
    mean, std = (np.array(v).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    levels = np.rint((values * std + mean) * 255).astype(np.uint8)
    other = np.rint((other * std + mean) * 255).astype(int)
    apart = np.abs(levels.astype(int) - other)
    print(f"{width}x{height} {tile}/{edge} {split}: torchvision differs by {apart.max()} in {(apart > 0).mean():.2%}")
    step = max(1, values.size // 40)
    return {
        "width": width, "height": height, "tile": tile, "edge": edge, "split": split,
        "rows": int(out["rows"][0][0]), "columns": int(out["cols"][0][0]),
        "tiles": [fnv1a(tile.tobytes()) for tile in levels],
        "step": step, "values": [float(v) for v in values.reshape(-1)[::step].astype(np.float32)],
    }


def log_mel(length: int, shift: int, bins: int) -> dict:
    samples = clip(length, shift)
    extractor = WhisperFeatureExtractor(feature_size=bins)
    if length > 200:
        mel = extractor(samples, sampling_rate=16000, padding="do_not_pad", return_tensors="np")["input_features"][0]
    else:  # torch refuses to mirror so short a clip
        mel = extractor._np_extract_fbank_features(samples[None], "cpu")[0]
    double = extractor._np_extract_fbank_features(samples[None], "cpu")[0]
    padded = extractor(samples, sampling_rate=16000, return_tensors="np")["input_features"][0][:, : mel.shape[1]]
    last = np.abs(padded - mel).max(axis=0)
    print(f"{length} >> {shift}, {bins} bins: numpy differs by {np.abs(double - mel).max():.1e},",
          f"30 s by {last[:-2].max(initial=0):.1e} before the last two frames, {last[-2:].max():.1e} in them")
    values = mel.T.reshape(-1)  # [frames][bins]
    step = max(1, values.size // 1200)
    return {"length": length, "shift": shift, "bins": bins, "frames": mel.shape[1],
            "step": step, "values": [round(float(v), 6) for v in values[::step]]}


def save(name: str, image: PIL.Image.Image, **options) -> dict:
    path = FILES / name
    image.save(path, **options)
    seen = load_image(str(path))
    return {"file": name, "width": seen.width, "height": seen.height, "rgb": np.asarray(seen).tobytes().hex()}


def encoded() -> list[dict]:
    FILES.mkdir(exist_ok=True)
    rgb = PIL.Image.fromarray(picture(23, 14))
    # JPEG decoders may differ in how they interpolate colour; a smooth picture shows only mistakes.
    y, x, c = np.meshgrid(np.arange(14), np.arange(23), np.arange(3), indexing="ij")
    smooth = PIL.Image.fromarray((30 + 8 * x + 3 * y + 10 * c * (y > x)).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(PIL.Image.fromarray(picture(23, 14)[..., 1]))
    grey = rgb.convert("L")
    deep = PIL.Image.fromarray(picture(23, 14)[..., 0].astype(np.uint16) * 257)
    cases = []
    for tag in range(1, 9):
        exif = PIL.Image.Exif()
        exif[ORIENTATION] = tag
        cases.append(save(f"orientation-{tag}.jpg", smooth, quality=95, subsampling=0, exif=exif))
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    cases += [
        save("subsampled.jpg", smooth, quality=90, subsampling=2),
        save("progressive.jpg", smooth, quality=90, progressive=True),
        save("grey.jpg", grey, quality=90),
        save("rgb.png", rgb), save("rgba.png", rgba), save("grey.png", grey), save("palette.png", rgb.quantize(7)),
        save("one-bit.png", grey.convert("1")), save("orientation-6.png", rgb, exif=exif),
        save("lossless.webp", rgb, lossless=True), save("alpha.webp", rgba, lossless=True, exact=True),
        save("orientation-6.webp", rgb, lossless=True, exif=exif), save("lossy.webp", smooth, quality=90),
    ]
    deep.save(FILES / "deep.png")  # Pillow clips 16 bits to 255; the upper 8 are the picture.
    cases.append({"file": "deep.png", "width": 23, "height": 14,
                  "rgb": np.repeat(picture(23, 14)[..., :1], 3, axis=2).tobytes().hex()})
    return cases


def main():
    PIL.Image.Image.resize = width_first(PIL.Image.Image.resize)
    sizes = [(320, 240), (240, 320), (1, 1), (1, 50), (300, 1), (37, 91), (129, 65), (256, 256), (64, 64), (60, 600)]
    golden = {
        "made_with": {"transformers": transformers.__version__, "pillow": PIL.__version__, "torch": torch.__version__},
        "pixels": [pixels(w, h, 64, 256, split) for w, h in sizes for split in (False, True)]
        + [pixels(*size, 32, 100, True) for size in [(333, 222), (90, 100), (100, 97), (5, 7)]]
        + [pixels(200, 100, 364, 1456, True), pixels(1280, 720, 512, 2048, True), pixels(1280, 720, 512, 2048, False)],
        "files": encoded(),
        "mel": [log_mel(*case) for case in
                [(160, 0, 80), (200, 0, 80), (201, 0, 80), (399, 0, 80), (640, 0, 128), (4801, 3, 80), (16000, 0, 80),
                 (16123, 0, 128), (48039, 9, 80)]],
    }
    (FOLDER / "front_ends.json").write_text(json.dumps(golden, indent=None, separators=(",", ":")).replace('},{', '},\n{'))


if __name__ == "__main__":
    sys.exit(main())
