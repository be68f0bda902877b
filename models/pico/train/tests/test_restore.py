"""A run that begins with the weights that are shipped."""

import tempfile
import unittest
from pathlib import Path

from pico import checkpoint, export, probe, restore, tokens


class Restored(unittest.TestCase):
    def test_it_answers_and_reads_as_what_is_shipped_and_is_exported_as_what_hears(self):
        with tempfile.TemporaryDirectory() as folder:
            run, out = Path(folder) / "run", Path(folder) / "out"
            restore.restore(restore.SHIPPED, run)
            params = checkpoint.so_far(run, {})
            right, there = probe.probe(params, tokens.Tokens(run / "tokenizer.json"), 1, probe.BATCH, hears=False)
            self.assertGreater(right["characters"], 0.8 * there["characters"])
            answers = [kind for kind in there if kind != "characters"]
            self.assertGreater(sum(right[kind] for kind in answers), 0.8 * sum(there[kind] for kind in answers))
            export.export(run, out)
            self.assertIn("audio_config", (out / "config.json").read_text())
            self.assertTrue((out / export.HEADS).exists())


if __name__ == "__main__":
    unittest.main()
