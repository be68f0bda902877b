"""Pre-drawn scenes on disk, in shards that appear whole and are mapped into memory.

POOLS/see-train-L1-0003/  images.npy  [n][image][image][3] u8, targets.npy [n][patches][slots][4] u8,
                          items.json  a transcript and typed questions for each
POOLS/hear-train-L1-0003/ mels.npy    [n][MAX_FRAMES][bins] f16, frames.npy [n] i32, items.json what is said;
                          item i belongs to picture i of the `see` shard of the same number, if its `scene` says so
"""

import json
import os
import random
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .config import MAX_FRAMES, PICO
from .frontend.mel import log_mel
from .world import commands, picture, questions, voice

SHARD = 500
TYPED = 8


def shards(scenes: int) -> int:
    """Shards that hold so many scenes."""
    return -(-scenes // SHARD)


def shard_path(pools: Path, sense: str, split: str, level: int, number: int) -> Path:
    return pools / f"{sense}-{split}-L{level}-{number:04}"


def draw_shard(pools: Path, sense: str, split: str, level: int, number: int) -> Path:
    """Draws a shard unless it is there."""
    path = shard_path(pools, sense, split, level, number)
    if path.exists():
        return path
    making = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    numbers = range(number * SHARD, (number + 1) * SHARD)
    {"see": _draw_pictures, "hear": _draw_sounds}[sense](making, split, level, numbers)
    making.rename(path)
    return path


def _draw_pictures(folder: Path, split: str, level: int, numbers: range) -> None:
    images = np.zeros((len(numbers), PICO.vision.image, PICO.vision.image, 3), np.uint8)
    targets = np.zeros((len(numbers), PICO.vision.side**2, picture.SLOTS, len(picture.CLASSES)), np.uint8)
    items = []
    for i, number in enumerate(numbers):
        scene, rng = questions.scene_of(split, level, number)
        images[i], targets[i] = picture.sample(scene, rng)
        # There is nothing to ask about a page.
        typed = [asdict(questions.ask(scene, rng)) for _ in range(TYPED if level else 0)]
        items.append({"transcript": scene.transcript(), "typed": typed})
    np.save(folder / "images.npy", images)
    np.save(folder / "targets.npy", targets)
    (folder / "items.json").write_text(json.dumps(items))


def _draw_sounds(folder: Path, split: str, level: int, numbers: range) -> None:
    mels = np.zeros((len(numbers), MAX_FRAMES, PICO.audio.bins), np.float16)
    frames = np.zeros(len(numbers), np.int32)
    items = []
    for i, number in enumerate(numbers):
        item, samples = spoken(split, level, number)
        mel = log_mel(samples)
        frames[i] = len(mel)
        mels[i, : len(mel)] = mel
        items.append(item)
    np.save(folder / "mels.npy", mels)
    np.save(folder / "frames.npy", frames)
    (folder / "items.json").write_text(json.dumps(items))


def spoken(split: str, level: int, number: int) -> tuple[dict, np.ndarray]:
    """What is said to the scene with this number, and its sound. Half of it are commands, seen with or without it: their
    words are many, and nothing in a picture helps to hear them. Of the rest a third asks about a product by its name."""
    scene, _ = questions.scene_of(split, level, number)
    rng = random.Random(f"pico/spoken/{split}/{level}/{number}")
    shown = rng.random() < 0.5
    if not shown:
        question = commands.command(rng, with_picture=False)
    elif rng.random() < 1 / 3:
        question = questions.about_named(scene.transcript(), split, rng)
    else:
        question = questions.ask(scene, rng)
    return {"scene": shown, **asdict(question)}, voice.speak(question.text, split, rng)


class Pool:
    """The shards of one sense, split and level that are there. More may come while it is used."""

    def __init__(self, pools: Path, sense: str, split: str, level: int):
        self.pools, self.name = pools, f"{sense}-{split}-L{level}-"
        self.shards: list[dict] = []
        self.refresh()

    def refresh(self) -> None:
        known = {shard["path"] for shard in self.shards}
        for path in sorted(self.pools.glob(f"{self.name}*")):
            if path not in known:
                arrays = {file.stem: np.load(file, mmap_mode="r") for file in path.glob("*.npy")}
                self.shards.append({"path": path, "items": json.loads((path / "items.json").read_text()), **arrays})

    def __len__(self) -> int:
        return sum(len(shard["items"]) for shard in self.shards)

    def __getitem__(self, index: int) -> dict:
        """What is written of item `index`."""
        shard = self.shards[index // SHARD]
        item = shard["items"][index % SHARD]
        return item | {"frames": shard["frames"][index % SHARD]} if "frames" in shard else item

    def array(self, name: str, index: int) -> np.ndarray:
        """The row of `name` of item `index`."""
        return self.shards[index // SHARD][name][index % SHARD]
