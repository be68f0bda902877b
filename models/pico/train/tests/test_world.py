"""What is drawn, spoken and asked, and what is held out of training."""

import json
import random
import unittest
from collections import Counter
from pathlib import Path

from pico.world import goods, picture, questions, split as splits


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

    def test_only_the_name_tells_what_is_there_from_what_is_not(self):
        shelf = "Oat Crisp, $2.49, protein 12 g; Rice Tea, $1.05, protein 0 g"
        label, rng = "Oat Crisp, $2.49, protein 12 g", random.Random(2)
        for transcript, lacking in ((shelf, 0), (label, 2)):
            asked = [questions.about_named(transcript, splits.TRAIN, rng) for _ in range(400)]
            kinds = Counter(question.kind for question in asked)
            self.assertAlmostEqual(kinds["absent"], 200, delta=50)
            self.assertEqual(kinds["not there"] > 0, lacking > 0)
            for question in asked:
                named = [name for name in ("Oat Crisp", "Rice Tea") if name in question.text and name in transcript]
                self.assertEqual(len(named), question.kind != "absent", question)
                if question.kind == "value":
                    told = next(product for product in transcript.split("; ") if product.startswith(named[0]))
                    self.assertIn(question.answer, [field.removeprefix("protein ") for field in told.split(", ")])

    def test_a_value_by_name_is_thought_about_as_in_a_picture(self):
        shelf = "Oat Crisp, protein 12 g; Rice Tea, protein 0 g; Red Bar, protein 7 g"
        asked = [questions.about_named(shelf, splits.TRAIN, random.Random(seed)) for seed in range(60)]
        thoughts = {question.reads for question in asked if question.kind == "value"}
        tea = "12 g Oat Crisp; 0 g Rice Tea*"
        self.assertEqual(thoughts, {"12 g Oat Crisp*", tea, f"{tea[:-1]}; 7 g Red Bar*"})

    def test_what_is_invented_is_of_the_split(self):
        for seed in range(100):
            transcript, asked = questions.invented(splits.TRAIN, 2, random.Random(seed))
            self.assertEqual(len(asked), 2)
            for product in transcript.split("; "):
                self.assertFalse(splits.name_is_held_out(product.split(", ")[0]), product)

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


if __name__ == "__main__":
    unittest.main()
