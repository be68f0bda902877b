"""The shapes and the rules of the model, and of what it hears."""

import unittest

import jax
import jax.numpy as jnp
import numpy as np

from pico import augment, losses, optimizer
from pico.config import MAX_FRAMES, PICO
from pico.frontend.mel import log_mel
from pico.model import audio, letters, pico
from pico.model.products import product
from pico.world.picture import CLASSES


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

    def test_a_display_that_is_misread_costs_as_much_as_a_shelf(self):
        wanted = np.zeros((2, 4, 1, 4), np.int32)
        wanted[0, :1], wanted[1, :3] = 1, 1
        right = np.concatenate([20.0 * np.eye(size)[wanted[..., n]] for n, size in enumerate(CLASSES)], axis=-1)
        costs = []
        for picture in range(2):
            logits = right.copy()
            logits[picture][wanted[picture, ..., 0] > 0] = 0.0
            costs.append(float(losses._named(jnp.asarray(logits), jnp.asarray(wanted))[0]))
        self.assertGreater(costs[0], 1.0)
        self.assertAlmostEqual(costs[0], costs[1], places=4)

    def test_collapsing_undoes_spelling(self):
        spelled = letters.spelled("Which has less, A/B?")
        with_blanks = [c for letter in spelled for c in (letter, letter, 0)]
        self.assertEqual(letters.collapsed(with_blanks), "which has less a b")


class Products(unittest.TestCase):
    def test_rounded_factors_change_products_and_their_gradients_little(self):
        x, weight, towards = (
            jax.random.normal(jax.random.key(n), s) for n, s in enumerate([(7, 64), (96, 64), (7, 96)])
        )

        def found(x, weight):
            return jax.value_and_grad(lambda x, weight: jnp.vdot(product(x, weight), towards), argnums=(0, 1))(
                x, weight
            )

        # Either factor of the product may be the narrow one.
        for x, weight, towards in [(x, weight, towards), (towards, weight.T, x)]:
            exact = jax.tree.leaves(found(x, weight))
            with jax.default_matmul_precision("bfloat16"):
                rounded = jax.tree.leaves(found(x, weight))
            for one, other in zip(exact, rounded):
                self.assertEqual(one.shape, other.shape)
                self.assertFalse(jnp.array_equal(one, other))
                self.assertLess(float(jnp.linalg.norm(one - other) / jnp.linalg.norm(one)), 0.02)

    def test_an_orthogonal_matrix_has_singular_values_near_one(self):
        for shape in [(64, 96), (96, 64)]:
            found = optimizer.orthogonal(jax.random.normal(jax.random.key(0), shape))
            values = jnp.linalg.svd(found, compute_uv=False)
            self.assertTrue(((values > 0.5) & (values < 1.3)).all(), values)


class Sound(unittest.TestCase):
    def test_a_clip_has_a_frame_for_each_ten_milliseconds(self):
        clip = np.random.default_rng(2).normal(size=16_080).astype(np.float32) * 0.1
        self.assertEqual(log_mel(clip).shape, (100, PICO.audio.bins))

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


if __name__ == "__main__":
    unittest.main()
