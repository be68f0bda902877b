"""Rows of conversations: what sees what, and what is learned."""

import random
import unittest

import jax
import jax.numpy as jnp
import numpy as np
from coder import coder_of

from pico import tokens
from pico.config import PICO
from pico.model import pico, text
from pico.packer import DECIDES, Packer, Turn
from pico.world import questions, split as splits


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

    def test_a_question_among_others_gives_the_logits_that_it_gives_alone(self):
        coder, params = coder_of(self.tokenizer), pico.init(PICO, seed=4)
        media = jax.random.normal(jax.random.key(1), (1, PICO.vision.tokens + 9, PICO.text.width))

        def logits(*questions_):
            packer = Packer(coder, 200)
            packer.picture()
            for text, sound in questions_:
                self.assertTrue(packer.question(Turn(coder.encode(text), "Oat Crisp", sound=sound)))
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
        packer = Packer(coder, 400)
        packer.listing(listed.pop())
        for question in asked:
            turn = Turn(coder.encode(question.text), question.answer, thought=question.listing()[1])
            self.assertTrue(packer.question(turn))
        row = packer.arrays()
        learned = coder.decode([int(token) for token in row["target"][row["weight"] > 0]])
        said = [question.listing()[1] + tokens.THOUGHT + question.answer + tokens.END for question in asked]
        self.assertEqual(learned, "".join(said))

    def test_a_name_in_a_question_is_told_to_be_there_or_not(self):
        coder, there = coder_of(self.tokenizer), "Oat Crisp, $2.49; Rice Tea, $1.05"
        for name, told in (("Oat Crisp", "**"), ("Oat Tea", "*-"), ("Red Bar", "--")):
            packer = Packer(coder, 400)
            packer.picture()
            asked = coder.encode(f"How much does {name} cost?")
            self.assertTrue(packer.question(Turn(asked, "$2.49", named=name, there=there)))
            row = packer.arrays()
            first = len(packer.ids) - len(coder.encode(tokens.ASK + "$2.49")) - 1 - len(coder.encode(" cost?")) - 2
            self.assertEqual(coder.decode(packer.ids[first : first + 2]), f" {name}")
            learned = [coder.decode([int(token)]) for token in row["target"][row["weight"] > 0]]
            # The name, "cost", "?", and what opens the answer, but for the last, which tells the answer itself.
            marks = told + told[-1] * (2 + len(coder.encode(tokens.ASK)) - 1)
            self.assertEqual("".join(learned), f"{marks}$2.49{tokens.END}")
            self.assertEqual(list(np.flatnonzero(row["early"])), [first, first + 1])
            self.assertEqual(row["weight"].max(), DECIDES)
            self.assertEqual(int(row["weight"].argmax()), first + len(marks))

    def test_what_a_name_is_comes_from_before_the_last_layer(self):
        coder, params = coder_of(self.tokenizer), pico.init(PICO, seed=4)
        packer = Packer(coder, 120)
        packer.picture()
        asked = coder.encode("Price of Oat Crisp?")
        self.assertTrue(packer.question(Turn(asked, "$2.49", named="Oat Crisp", there="Oat Crisp, $2.49")))
        batch = {name: jnp.asarray(value)[None] for name, value in packer.arrays().items()}
        media = jax.random.normal(jax.random.key(1), (1, PICO.vision.tokens, PICO.text.width))
        last = f"{text.MODEL}.layers.{PICO.text.layers - 1}.mlp.down_proj.weight"
        changed = params | {last: params[last] + 1.0}
        one, other = (pico.packed_logits(found, PICO, batch, media)[0] for found in (params, changed))
        same = np.abs(np.asarray(one - other)).max(axis=-1) == 0
        early, real = np.asarray(batch["early"][0]), np.arange(len(same)) < len(packer.ids)
        self.assertEqual(early.sum(), 2)
        np.testing.assert_array_equal(same[real], early[real])

    def test_a_talk_is_written_as_the_template_writes_it(self):
        coder = coder_of(self.tokenizer)
        packer = Packer(coder, 200)
        packer.picture()
        shown = tokens.FRAME + tokens.OVERVIEW + tokens.IMAGE * PICO.vision.tokens + tokens.FRAME
        self.assertTrue(packer.question(Turn(coder.encode("What is this?"), "Oat Crisp")))
        self.assertTrue(packer.question(Turn(coder.encode("Price of it?"), "$2.49"), follows=True))
        self.assertTrue(packer.question(Turn(coder.encode("Sugar in it?"), "4 g"), follows=True, again=True))
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


if __name__ == "__main__":
    unittest.main()
