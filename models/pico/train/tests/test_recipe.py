"""What the recipe relies on, quickly: `python -m unittest discover tests`, from this folder. Needs no files but fonts."""

import json
import random
import tempfile
import unittest
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from pico import augment, batches, losses, optimizer, stages, store, tokens, train
from pico.config import MAX_FRAMES, PICO
from pico.frontend.mel import log_mel
from pico.model import audio, letters, pico
from pico.world import goods, picture, questions, split as splits


def coder_of(tokenizer) -> tokens.Tokens:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(str(Path(folder) / "tokenizer.json"))
        return tokens.Tokens(Path(folder) / "tokenizer.json")


class World(unittest.TestCase):
    def test_a_number_gives_the_same_scene_picture_and_questions(self):
        for level in (1, 2, 3):
            made = []
            for _ in range(2):
                scene, rng = questions.scene_of(splits.TRAIN, level, 5)
                pixels, targets = picture.sample(scene, rng)
                made.append((scene, pixels.tobytes(), targets.tobytes(), questions.ask(scene, rng)))
            self.assertEqual(made[0], made[1])

    def test_names_of_the_splits_are_never_the_same(self):
        names = {
            split: {goods.name(random.Random(i), split) for i in range(400)}
            for split in (splits.TRAIN, splits.HELD_OUT)
        }
        self.assertFalse(names[splits.TRAIN] & names[splits.HELD_OUT])

    def test_fonts_and_voices_of_the_splits_are_never_the_same(self):
        for level in (1, 2, 3):
            self.assertFalse(set(splits.fonts(splits.TRAIN, level)) & set(splits.fonts(splits.HELD_OUT, level)))
        self.assertFalse(set(splits.fonts(splits.TRAIN, 3)) & set(splits.fonts(splits.HELD_OUT, 1)))
        self.assertFalse(set(splits.voices(splits.TRAIN)) & set(splits.voices(splits.HELD_OUT)))

    def test_what_is_written_lies_in_the_picture(self):
        for number in range(40):
            scene, rng = questions.scene_of(splits.TRAIN, 1, number)
            image, chars = picture.draw(scene, rng)
            outside = [c for c in chars if not (0 <= c[1] < image.width and 0 <= c[2] < image.height)]
            self.assertFalse(outside, (number, scene))

    def test_the_best_of_a_shelf_is_the_best(self):
        for number in range(200):
            scene, rng = questions.scene_of(splits.TRAIN, 2, number)
            question = questions.ask(scene, rng)
            if question.kind == "most" and "protein" in question.text:
                best = max(scene.products, key=lambda p: p.number("protein"))
                self.assertTrue(question.answer.startswith(best.name))

    def test_thoughts_about_a_shelf_list_its_products_in_reading_order(self):
        for number in range(200):
            scene, rng = questions.scene_of(splits.TRAIN, 2, number)
            question = questions.ask(scene, rng)
            listed, _ = question.listing()
            at = [listed.find(product.name) for product in scene.products]
            if question.kind == "value":
                # Up to the one that is asked about.
                at = [place for place in at if place >= 0]
                self.assertTrue(listed.split("; ")[-1].startswith(f"{question.answer} "), question)
                self.assertEqual(listed.count("*"), 1)
            if question.kind != "read":
                self.assertTrue(at == sorted(at) and at[0] >= 0, question)

    def test_what_follows_from_a_listing_is_the_answer(self):
        for number in range(200):
            scene, rng = questions.scene_of(splits.TRAIN, 2, number)
            question = questions.ask(scene, rng)
            if question.kind not in questions.COMPARED:
                continue
            listed, follows = question.listing()
            name, value = question.answer.split(", ")
            self.assertIn(f"{value} {name}", listed.replace("*", "").split("; "))
            self.assertTrue(follows.endswith(f"st {value} {name}"))
            marked = [entry for entry in listed.split("; ") if entry.endswith("*")]
            self.assertEqual(len(marked), 2 if question.kind == "compare" else 0)
            self.assertTrue(all(" ".join(entry[:-1].split(" ")[-2:]) in question.text for entry in marked))

    def test_what_is_not_there_is_looked_for_as_a_value_is(self):
        shelf = "Oat Crisp, $2.49, protein 12 g; Rice Tea, $1.05, protein 0 g"
        rng = random.Random(1)
        thoughts = {questions.about_another(shelf, splits.TRAIN, rng).reads for _ in range(60)}
        prices, protein = "$2.49 Oat Crisp; $1.05 Rice Tea", "12 g Oat Crisp; 0 g Rice Tea"
        self.assertEqual(thoughts, {prices, protein, "Oat Crisp, Rice Tea"})

    def test_what_is_missing_is_not_on_the_label(self):
        for number in range(100):
            scene, rng = questions.scene_of(splits.TRAIN, 1, number)
            asked = questions.about_missing(scene.transcript(), rng)
            if scene.reading or len(scene.products[0].values) == len(goods.ATTRIBUTES):
                self.assertIsNone(asked)
            else:
                there = [text.format(it=it) for a in scene.products[0].values for text in questions.ASK_VALUE[a]
                         for it in ("it", "this")]  # fmt: skip
                self.assertNotIn(asked.text, there)

    def test_characters_know_what_they_are_part_of(self):
        for number in range(40):
            scene, rng = questions.scene_of(splits.TRAIN, 1, number)
            _, chars = picture.draw(scene, rng)
            for product in scene.products:
                price = [c for c in chars if c.part == "price"]
                said = product.fact("price") if "price" in product.values else ""
                self.assertEqual("".join(c.char for c in sorted(price, key=lambda c: c.place)), said)

    def test_characters_know_whose_they_are(self):
        for number in range(40):
            scene, rng = questions.scene_of(splits.TRAIN, 2, number)
            _, chars = picture.draw(scene, rng)
            for at, product in enumerate(scene.products, 1):
                name = sorted((c for c in chars if (c.part, c.product) == ("name", at)), key=lambda c: c.place)
                self.assertEqual("".join(c.char for c in name).lower(), product.name.replace(" ", "").lower())

    def test_bundled_scenes_have_their_files(self):
        for folder in (Path(__file__).parents[2] / name for name in ("scenes", "quick")):
            for row in json.loads((folder / "scenes.json").read_text()):
                self.assertTrue(row["text"] and row["answer"])
                for name in filter(None, (row["picture"], row["recording"])):
                    self.assertTrue((folder / name).is_file(), name)


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.params = pico.init(PICO, seed=3)

    def test_it_is_as_small_as_it_has_to_be(self):
        count = sum(v.size for name, v in self.params.items() if not name.startswith(pico.NOT_EXPORTED))
        self.assertLess(count, 12_000_000)

    def test_a_block_of_sound_does_not_depend_on_what_follows(self):
        block = PICO.audio.block
        mel = np.random.default_rng(0).normal(size=(1, 3 * block, PICO.audio.bins)).astype(np.float32)
        whole = audio.rows(self.params, PICO.audio, jnp.asarray(mel), jnp.asarray([3 * block]))
        mel[:, block:] += 1.0
        other = audio.rows(self.params, PICO.audio, jnp.asarray(mel), jnp.asarray([3 * block]))
        first = block // 2
        np.testing.assert_allclose(whole[:, :first], other[:, :first], atol=1e-5)
        self.assertGreater(float(jnp.abs(whole[:, first:] - other[:, first:]).max()), 1e-2)

    def test_frames_behind_a_clip_change_nothing(self):
        block = PICO.audio.block
        mel = np.random.default_rng(1).normal(size=(1, 2 * block, PICO.audio.bins)).astype(np.float32)
        count = jnp.asarray([block + 21])
        whole = audio.rows(self.params, PICO.audio, jnp.asarray(mel), count)
        mel[:, block + 21 :] = 7.0
        other = audio.rows(self.params, PICO.audio, jnp.asarray(mel), count)
        np.testing.assert_allclose(whole, other, atol=1e-5)

    def test_the_spelling_loss_is_the_sum_over_all_ways(self):
        logs = jax.nn.log_softmax(jax.random.normal(jax.random.key(0), (1, 4, 3)))
        found = losses._ctc(logs, jnp.asarray([4]), jnp.asarray([[1, 2, 0]]), jnp.asarray([2]))
        total = -np.inf
        for way in np.ndindex(3, 3, 3, 3):
            collapsed = [c for c, last in zip(way, (0, *way)) if c != last and c != 0]
            if collapsed == [1, 2]:
                total = np.logaddexp(total, sum(float(logs[0, t, c]) for t, c in enumerate(way)))
        self.assertAlmostEqual(float(found[0]), -total, places=4)

    def test_collapsing_undoes_spelling(self):
        spelled = letters.spelled("Which has less, A/B?")
        with_blanks = [c for letter in spelled for c in (letter, letter, 0)]
        self.assertEqual(letters.collapsed(with_blanks), "which has less a b")


class Packing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = tokens.train(PICO.vocabulary)

    def test_pieces_of_a_row_are_the_tokens_of_the_whole_text(self):
        coder = coder_of(self.tokenizer)
        for number in range(50):
            scene, rng = questions.scene_of(splits.TRAIN, 2, number)
            question = questions.ask(scene, rng)
            pieces = [f"{scene.transcript()}\n", question.text, tokens.ASK, question.answer, tokens.END]
            self.assertEqual(coder.encode("".join(pieces)), [id for piece in pieces for id in coder.encode(piece)])

    def test_a_sound_is_changed_little_and_another_way_each_time(self):
        mels = jax.random.normal(jax.random.key(0), (32, MAX_FRAMES, PICO.audio.bins)).cumsum(axis=2)
        one, other = (augment.sounds(mels, jax.random.key(seed)) for seed in (1, 2))
        self.assertEqual(one.shape, mels.shape)
        changed = (one != mels).any(axis=(1, 2))
        self.assertTrue(10 < changed.sum() < 32)
        self.assertFalse(jnp.array_equal(one, other))
        # A bin has what was near it, but for gaps.
        far = jnp.abs(one[:, :, 20] - mels[:, :, 20]) > jnp.abs(mels[:, :, 15:26] - mels[:, :, 20:21]).max(axis=2)
        self.assertLess(far.mean(), 0.25)
        self.assertTrue(jnp.array_equal(augment._warped(mels, jnp.ones(32)), mels))

    def test_a_question_among_others_gives_the_logits_that_it_gives_alone(self):
        coder, params = coder_of(self.tokenizer), pico.init(PICO, seed=4)
        media = jax.random.normal(jax.random.key(1), (1, PICO.vision.tokens + 9, PICO.text.width))

        def logits(*questions_):
            packer = batches.Packer(coder, 200)
            packer.picture()
            for text, sound in questions_:
                self.assertTrue(packer.question(batches.Turn(coder.encode(text), "Oat Crisp", sound=sound)))
            row = packer.arrays()
            batch = {name: jnp.asarray(value)[None] for name, value in row.items()}
            found = pico.packed_logits(params, PICO, batch, media)[0]
            return found[row["weight"] > 0]

        alone, among = logits(("What is this?", 9)), logits(("Read it to me.", 0), ("What is this?", 9))
        np.testing.assert_allclose(alone, among[-len(alone) :], atol=2e-4)

    def test_what_follows_from_a_listing_is_learned_question_by_question(self):
        coder = coder_of(self.tokenizer)
        asked = questions.about_invented_shelf(splits.TRAIN, 3, random.Random(3))
        listed = {question.listing()[0] for question in asked}
        self.assertEqual(len(listed), 1)
        packer = batches.Packer(coder, 400)
        packer.listing(listed.pop())
        for question in asked:
            turn = batches.Turn(coder.encode(question.text), question.answer, thought=question.listing()[1])
            self.assertTrue(packer.question(turn))
        row = packer.arrays()
        learned = coder.decode([int(token) for token in row["target"][row["weight"] > 0]])
        said = [question.listing()[1] + tokens.THOUGHT + question.answer + tokens.END for question in asked]
        self.assertEqual(learned, "".join(said))

    def test_a_talk_is_written_as_the_template_writes_it(self):
        coder = coder_of(self.tokenizer)
        packer = batches.Packer(coder, 200)
        packer.picture()
        shown = tokens.FRAME + tokens.OVERVIEW + tokens.IMAGE * PICO.vision.tokens + tokens.FRAME
        self.assertTrue(packer.question(batches.Turn(coder.encode("What is this?"), "Oat Crisp")))
        self.assertTrue(packer.question(batches.Turn(coder.encode("Price of it?"), "$2.49"), follows=True))
        self.assertTrue(packer.question(batches.Turn(coder.encode("Sugar in it?"), "4 g"), follows=True, again=True))
        talk = (
            f"<|im_start|>user\n{shown}What is this?<|im_end|>\n<|im_start|>assistant\nOat Crisp<|im_end|>\n"
            "<|im_start|>user\nPrice of it?<|im_end|>\n<|im_start|>assistant\n$2.49<|im_end|>\n"
            f"<|im_start|>user\n{shown}Sugar in it?<|im_end|>\n<|im_start|>assistant\n4 g<|im_end|>"
        )
        self.assertEqual(packer.ids, coder.encode(talk))
        self.assertEqual(packer.positions, list(range(len(packer.ids))))
        row = packer.arrays()
        seen = pico.packed_mask(jnp.asarray(row["group"])[None], jnp.asarray(row["sees"])[None])[0]
        count = len(packer.ids)
        # All but the header and the picture, which see each other only, see all before them.
        behind = packer.group.index(2)
        np.testing.assert_array_equal(seen[behind:count, :count], np.tri(count, dtype=bool)[behind:])
        learned = [id for id, weight in zip(row["target"], row["weight"]) if weight]
        self.assertEqual(coder.decode(learned), "Oat Crisp<|im_end|>$2.49<|im_end|>4 g<|im_end|>")


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
            packer = batches.Packer(coder, stage.mix.length)
            packer.picture()
            packer.question(batches.Turn(coder.encode("What is this?"), "Oat Crisp"))
            batch |= {name: value[None] for name, value in packer.arrays().items()}
        if "see" in stage.senses:
            batch["image"] = np.zeros((1, PICO.vision.image, PICO.vision.image, 3), np.uint8)
            batch["patches"] = np.zeros((1, PICO.vision.side**2, picture.SLOTS, len(picture.CLASSES)), np.uint8)
        if "hear" in stage.senses:
            batch["mel"] = np.zeros((1, MAX_FRAMES, PICO.audio.bins), np.float16)
            batch |= {"frames": np.ones(1, np.int32), "spelling": np.ones((1, batches.LETTERS_AT_MOST), np.int32)}
        return batch


class Sound(unittest.TestCase):
    def test_a_clip_has_a_frame_for_each_ten_milliseconds(self):
        clip = np.random.default_rng(2).normal(size=16_080).astype(np.float32) * 0.1
        self.assertEqual(log_mel(clip).shape, (100, PICO.audio.bins))


if __name__ == "__main__":
    unittest.main()
