"""Pools as batches find them, and a step of every stage."""

import json
import tempfile
import unittest
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from coder import coder_of

from pico import batches, optimizer, stages, store, tokens, train
from pico.config import MAX_FRAMES, PICO
from pico.model import pico
from pico.packer import Packer, Turn
from pico.world import picture, split as splits


class Pools(unittest.TestCase):
    def test_a_batch_finds_the_same_in_files_and_in_the_memory_of_a_device(self):
        with tempfile.TemporaryDirectory() as folder:
            pools = Path(folder)
            for level in (1, 3):
                self._shard(pools / f"see-train-L{level}-0000", images=(3, 4, 4, 3), targets=(3, 9, 3, 3))
                self._shard(pools / f"hear-train-L{level}-0000", mels=(2, MAX_FRAMES, PICO.audio.bins))
            batch = {
                "see": np.array([[1, 2], [3, 0], [3, 2]], np.int32),
                "hear": np.array([[-1, -1], [3, 1], [1, 0]], np.int32),
            }
            mapped = store.Mapped(pools, splits.TRAIN, [1, 3]).filled(batch)
            resident = store.Resident(pools, splits.TRAIN, [1, 3], ["see", "hear"]).filled(batch)
            self.assertEqual(mapped.keys(), resident.keys())
            for name, value in mapped.items():
                np.testing.assert_array_equal(value, resident[name], name)

    def _shard(self, path: Path, **shapes: tuple) -> None:
        path.mkdir()
        generator = np.random.default_rng(len(path.name) + int(path.name[-6]))
        for name, shape in shapes.items():
            kind = np.float16 if name == "mels" else np.uint8
            np.save(path / f"{name}.npy", generator.integers(1, 200, shape).astype(kind))
        (path / "items.json").write_text(json.dumps([{}] * next(iter(shapes.values()))[0]))


class Searches(unittest.TestCase):
    def test_a_row_that_searches_asks_by_name_about_a_label_alone_seen_or_given_in_words(self):
        coder, label = coder_of(tokens.train(PICO.vocabulary)), "Oat Crisp, $2.49, sugar 4 g"
        there = ["120/80, pulse 70", label, "Rice Tea, $1.05; Red Bar, $3.00"]
        with tempfile.TemporaryDirectory() as folder:
            shard = Path(folder) / "see-train-L1-0000"
            shard.mkdir()
            (shard / "items.json").write_text(json.dumps([{"transcript": one, "typed": []} for one in there]))
            source = batches.Conversations(Path(folder), splits.TRAIN, coder, batches.Mix(length=288, searches=1.0), 40, "a")
            rows = source.next()
        self.assertEqual(rows["see"].tolist(), [[1, 1]] * 40)
        seen = (rows["source"] >= 0).any(axis=1)
        self.assertTrue(10 < seen.sum() < 30)
        for row in range(40):
            marks = np.isin(rows["target"][row], [coder.there, coder.nowhere]) & (rows["weight"][row] > 0)
            self.assertGreater(marks.sum(), 10)
            text = coder.decode([int(token) for token in rows["tokens"][row][rows["group"][row] == 1]])
            self.assertEqual(label in text, not seen[row])


class Stages(unittest.TestCase):
    def test_every_stage_learns_in_either_precision_and_keeps_its_weights_in_f32(self):
        coder = coder_of(tokens.train(PICO.vocabulary))
        params = jax.eval_shape(lambda: pico.init(PICO, seed=0))
        for name, stage in stages.stages({1: 1.0}).items():
            learned = {key: value for key, value in params.items() if pico.belongs(key, stage.learns)}
            frozen = {key: value for key, value in params.items() if key not in learned}
            state = jax.eval_shape(optimizer.init, learned)
            for dtype in (jnp.float32, jnp.bfloat16):
                step = train.make_step(stage, dtype)
                found, _, metrics = jax.eval_shape(step, learned, frozen, state, self._batch(stage, coder), 1e-3)
                self.assertEqual(found, learned, name)
                self.assertEqual(metrics["norm"].dtype, jnp.float32, name)

    def _batch(self, stage, coder) -> dict:
        batch = {"seed": np.uint32(0)}
        if stage.mix:
            packer = Packer(coder, stage.mix.length)
            packer.picture()
            packer.question(Turn(coder.encode("What is this?"), "Oat Crisp"))
            batch |= {name: value[None] for name, value in packer.arrays().items()}
        if "see" in stage.senses:
            batch["image"] = np.zeros((1, PICO.vision.image, PICO.vision.image, 3), np.uint8)
            batch["patches"] = np.zeros((1, PICO.vision.side**2, picture.SLOTS, len(picture.CLASSES)), np.uint8)
        if "hear" in stage.senses:
            batch["mel"] = np.zeros((1, MAX_FRAMES, PICO.audio.bins), np.float16)
            batch |= {"frames": np.ones(1, np.int32), "spelling": np.ones((1, batches.LETTERS_AT_MOST), np.int32)}
        return batch


if __name__ == "__main__":
    unittest.main()
