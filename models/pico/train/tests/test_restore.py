"""A run that begins with the weights that are shipped."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from pico import checkpoint, export, probe, restore, tokens
from pico.model import pico


class Restored(unittest.TestCase):
    def test_it_answers_as_what_is_shipped_and_is_exported_as_what_hears_with_its_heads(self):
        with tempfile.TemporaryDirectory() as folder:
            run, out = Path(folder) / "run", Path(folder) / "out"
            restore.restore(restore.SHIPPED, run)
            params = checkpoint.so_far(run, {})
            right, there = probe.probe(params, tokens.Tokens(run / "tokenizer.json"), 1, probe.BATCH, hears=False)
            answers = [kind for kind in there if kind != "characters"]
            self.assertGreater(sum(right[kind] for kind in answers), 0.8 * sum(there[kind] for kind in answers))
            export.export(run, out)
            self.assertIn("audio_config", (out / "config.json").read_text())
            again = load_file(out / export.HEADS)
            self.assertEqual(again.keys(), {name for name in params if name.startswith(pico.NOT_EXPORTED)})
            # Others than those that a run without them would begin with.
            save_file({name: value + np.float16(1) for name, value in again.items()}, out / export.HEADS)
            for name in ["pico.gguf", "pico-mmproj.gguf"]:
                (out / name).symlink_to(restore.SHIPPED / name)
            restore.restore(out, run)
            found = checkpoint.load_weights(run)
            for name, value in again.items():
                np.testing.assert_array_equal(found[name], (value + np.float16(1)).astype(np.float32))


if __name__ == "__main__":
    unittest.main()
