"""What is asked about a scene, and the answers, in the style of a display in front of the eye."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from . import goods, split as splits
from .goods import Product, Reading

NOT_SEEN = "I don't see one."
NOT_SAID = "It doesn't say."

ASK_VALUE = {
    "price": ["How much does {it} cost?", "What does {it} cost?", "What is the price of {it}?", "Price of {it}?"],
    "protein": ["How much protein is in {it}?", "How much protein does {it} have?", "Protein in {it}?"],
    "sugar": ["How much sugar is in {it}?", "How much sugar does {it} have?", "Sugar in {it}?"],
    "calories": ["How many calories are in {it}?", "How many calories does {it} have?", "Calories of {it}?"],
}
ASK_MOST = {
    "price": ["Which is the most expensive?", "Which one costs the most?"],
    "protein": ["Which has the most protein?", "Which one has the most protein?", "What has the most protein here?"],
    "sugar": ["Which has the most sugar?", "Which one has the most sugar?"],
    "calories": ["Which has the most calories?", "Which one has the most calories?"],
}
ASK_LEAST = {
    "price": ["Which is the cheapest?", "Which one is the cheapest?", "What is the cheapest here?"],
    "protein": ["Which has the least protein?", "Which one has the least protein?"],
    "sugar": ["Which has the least sugar?", "Which one has the least sugar?", "What has the least sugar here?"],
    "calories": ["Which has the fewest calories?", "Which one has the fewest calories?"],
}
ASK_MORE = {
    "price": ["Which is cheaper, {a} or {b}?", "What costs less, {a} or {b}?"],
    "protein": ["Which has more protein, {a} or {b}?", "More protein, {a} or {b}?"],
    "sugar": ["Which has less sugar, {a} or {b}?", "Less sugar, {a} or {b}?"],
    "calories": ["Which has fewer calories, {a} or {b}?", "Fewer calories, {a} or {b}?"],
}
ASK_READ = ["Read it to me.", "Read the label.", "What does it say?", "Read this."]
ASK_NAME = ["What is this?", "What product is this?", "What am I looking at?"]
ASK_COUNT = ["How many products are there?", "How many products do you see?"]
ASK_READING = {
    "pressure": ["What is my blood pressure?", "What is the pressure?", "Blood pressure?"],
    "temperature": ["What is the temperature?", "What is my temperature?", "Temperature?"],
    "glucose": ["What is my glucose?", "What is the glucose level?", "Glucose?"],
}
ASK_VERDICT = {
    "pressure": ["Is this pressure high?", "Is my blood pressure high?", "Is the pressure too high?"],
    "temperature": ["Do I have a fever?", "Is that a fever?", "Is my temperature high?"],
    "glucose": ["Is my glucose high?", "Is this glucose level high?"],
}
# Kinds of questions about a shelf that are answered from one value of each of its products.
COMPARED = {"most", "least", "compare"}
# How a transcript tells a value.
TOLD = {
    "price": lambda field: field[0] in "$€£",
    "protein": lambda field: field.startswith("protein "),
    "sugar": lambda field: field.startswith("sugar "),
    "calories": lambda field: field.endswith(" kcal"),
}
ASK_PULSE = ["What is my pulse?", "What is the pulse?", "Pulse?"]


@dataclass(frozen=True)
class Question:
    """A question with its answer; `reads` is what Thinking lists before it, `named` a product that it asks for."""

    kind: str
    text: str
    answer: str
    reads: str = ""
    named: str = ""

    def listing(self) -> tuple[str, str]:
        """What `reads` lists, and what it says that follows from that."""
        listed, colon, follows = self.reads.partition(":")
        return listed, colon + follows


@dataclass
class Scene:
    """One picture: a label, a display, or a shelf; or (level 0) a page of text to learn to read from."""

    level: int
    split: str
    number: int
    products: list[Product]
    reading: Reading | None = None
    lines: list[str] | None = None

    def transcript(self) -> str:
        if self.lines:
            return "\n".join(self.lines)
        return self.reading.transcript() if self.reading else "; ".join(p.transcript() for p in self.products)


def scene(split: str, level: int, number: int, rng: random.Random) -> Scene:
    if level == 0:
        return Scene(level, split, number, [], lines=[goods.line(rng, split) for _ in range(rng.randint(4, 9))])
    shelf = level == 2 or (level == 3 and rng.random() < 0.5)
    if shelf:
        count = rng.choice([2, 3, 4])
        shown = sorted(rng.sample(goods.ATTRIBUTES, rng.randint(2, 4)), key=goods.ATTRIBUTES.index)
        return Scene(level, split, number, goods.products(rng, split, count, shown))
    if rng.random() < 0.3:
        return Scene(level, split, number, [], goods.reading(rng))
    shown = sorted(rng.sample(goods.ATTRIBUTES, rng.randint(1, 4)), key=goods.ATTRIBUTES.index)
    return Scene(level, split, number, goods.products(rng, split, 1, shown))


def ask(scene: Scene, rng: random.Random) -> Question:
    """A question about `scene`, of one of the kinds that it allows."""
    if rng.random() < 0.08:
        return _absent(scene, rng)
    if scene.reading:
        return _about_reading(scene.reading, rng)
    if len(scene.products) == 1:
        return _about_label(scene.products[0], rng)
    return _about_shelf(scene, rng)


def _about_reading(reading: Reading, rng: random.Random) -> Question:
    reads = reading.transcript()
    choice = rng.random()
    if choice < 0.15:
        return Question("read", rng.choice(ASK_READ), reads)
    if choice < 0.35 and "pulse" in reading.values:
        return Question("pulse", rng.choice(ASK_PULSE), reading.values["pulse"], reads)
    said = reading.pressure() if reading.kind == "pressure" else reads
    if choice < 0.65:
        return Question(reading.kind, rng.choice(ASK_READING[reading.kind]), said, reads)
    verdict = reading.verdict()
    start = "Yes" if verdict == "high" else "No"
    answer = f"{start}, {said} is {verdict}."
    return Question("verdict", rng.choice(ASK_VERDICT[reading.kind]), answer, reads)


def _about_label(product: Product, rng: random.Random) -> Question:
    choice = rng.random()
    reads = product.transcript()
    if choice < 0.15:
        return Question("read", rng.choice(ASK_READ), reads)
    if choice < 0.3:
        return Question("name", rng.choice(ASK_NAME), product.name)
    it = rng.choice(["it", "it", "this", product.name])
    missing = [a for a in goods.ATTRIBUTES if a not in product.values]
    if choice < 0.38 and missing:
        return Question("not there", rng.choice(ASK_VALUE[rng.choice(missing)]).format(it=it), NOT_SAID, reads)
    attribute = rng.choice(list(product.values))
    return Question("value", rng.choice(ASK_VALUE[attribute]).format(it=it), product.fact(attribute), reads)


def _about_shelf(scene: Scene, rng: random.Random) -> Question:
    products = scene.products
    attribute = rng.choice(list(products[0].values))
    choice = rng.random()
    if choice < 0.08:
        return Question("read", rng.choice(ASK_READ), scene.transcript())
    if choice < 0.14:
        return Question("count", rng.choice(ASK_COUNT), str(len(products)), ", ".join(p.name for p in products))
    if choice < 0.44:
        one = rng.choice(products)
        text = rng.choice(ASK_VALUE[attribute]).format(it=one.name)
        read = products[: products.index(one) + 1]
        return Question("value", text, one.fact(attribute), _listed(read, [one], attribute))
    if choice < 0.6:
        return _compared("most", rng.choice(ASK_MOST[attribute]), products, products, attribute, max)
    if choice < 0.76:
        return _compared("least", rng.choice(ASK_LEAST[attribute]), products, products, attribute, min)
    pair = rng.sample(products, 2)
    text = rng.choice(ASK_MORE[attribute]).format(a=pair[0].name, b=pair[1].name)
    return _compared("compare", text, products, pair, attribute, max if attribute == "protein" else min)


def _compared(
    kind: str, text: str, products: list[Product], asked: list[Product], attribute: str, best_of: Callable
) -> Question:
    best = best_of(asked, key=lambda p: p.number(attribute))
    listed = _listed(products, asked if kind == "compare" else [], attribute)
    reads = f"{listed}: {'most' if best_of is max else 'least'} {best.fact(attribute)} {best.name}"
    return Question(kind, text, f"{best.name}, {best.fact(attribute)}", reads)


def _listed(products: list[Product], marked: list[Product], attribute: str) -> str:
    """Thoughts about a shelf: in reading order, as what comes first must not depend on the answer. Values go before
    names, as they decide, and what follows at once is easily copied. A mark behind a name says that it was asked about."""
    return "; ".join(f"{p.fact(attribute)} {p.name}{'*' if p in marked else ''}" for p in products)


def _absent(scene: Scene, rng: random.Random) -> Question:
    """A question about something that is not in the picture."""
    if not scene.reading and rng.random() >= 0.3:
        return about_another(scene.transcript(), scene.split, rng)
    kinds = [kind for kind in ASK_READING if not scene.reading or kind != scene.reading.kind]
    return Question("absent", rng.choice(ASK_READING[rng.choice(kinds)]), NOT_SEEN, _seen(scene.transcript()))


def about_another(transcript: str, split: str, rng: random.Random) -> Question:
    """A question about a product that is not in the picture with this transcript."""
    other = next(name for name in iter(lambda: goods.name(rng, split), None) if name not in transcript)
    return _about_none(transcript, rng.choice(goods.ATTRIBUTES), other, rng)


def about_named(transcript: str, split: str, rng: random.Random) -> Question:
    """A question about a product by its name: one in the picture with this transcript or, as often, another, which only
    the name tells, as the value is there; one in three others has a word of the name."""
    if _is_reading(transcript):
        return about_another(transcript, split, rng)
    shown = _shown(transcript)
    name, facts = rng.choice(shown)
    attribute = rng.choice(list(facts))
    if rng.random() < 0.5:
        word = rng.choice(name.split(" ")) if rng.random() < 1 / 3 else ""
        names = iter(lambda: goods.name(rng, split), None)
        other = next(other for other in names if word in other.split(" ") + [""] and other not in transcript)
        return _about_none(transcript, attribute, other, rng)
    if not is_shelf(transcript) and rng.random() < 0.2 and (missing := _missing(transcript)):
        text = rng.choice(ASK_VALUE[rng.choice(missing)]).format(it=name)
        return Question("not there", text, NOT_SAID, transcript, name)
    read = [f"{told[attribute]} {other}" for other, told in shown[: shown.index((name, facts)) + 1]]
    reads = "; ".join(read) + "*" if is_shelf(transcript) else transcript
    return Question("value", rng.choice(ASK_VALUE[attribute]).format(it=name), facts[attribute], reads, name)


def _about_none(transcript: str, attribute: str, other: str, rng: random.Random) -> Question:
    text = rng.choice(ASK_VALUE[attribute]).format(it=other)
    return Question("absent", text, NOT_SEEN, _looked_for(transcript, attribute), other)


def about_missing(transcript: str, rng: random.Random) -> Question | None:
    """A question about a value that the label with this transcript lacks, if it lacks one."""
    missing = _missing(transcript) if is_label(transcript) else []
    if not missing:
        return None
    text = rng.choice(ASK_VALUE[rng.choice(missing)]).format(it=rng.choice(["it", "this"]))
    return Question("not there", text, NOT_SAID, transcript)


def about_invented_shelf(split: str, count: int, rng: random.Random) -> list[Question]:
    """Questions about a shelf that is in no picture, which have one listing that answers them."""
    shelf = scene(split, 2, 0, rng)
    asked = (question for question in iter(lambda: _about_shelf(shelf, rng), None) if question.kind in COMPARED)
    first = next(asked)
    return [first, *islice((question for question in asked if question.listing()[0] == first.listing()[0]), count - 1)]


def invented(split: str, count: int, rng: random.Random) -> tuple[str, list[Question]]:
    """The transcript of a label or a shelf that is in no picture, with questions about its products by their names."""
    scenes = iter(lambda: scene(split, rng.choice([1, 2]), 0, rng), None)
    transcript = next(scene.transcript() for scene in scenes if scene.products)
    return transcript, [about_named(transcript, split, rng) for _ in range(count)]


def is_shelf(transcript: str) -> bool:
    return "; " in transcript


def is_label(transcript: str) -> bool:
    return not is_shelf(transcript) and not _is_reading(transcript)


def _is_reading(transcript: str) -> bool:
    return not transcript[0].isalpha()


def _shown(transcript: str) -> list[tuple[str, dict[str, str]]]:
    """The products of a transcript by name, with the values that are told of each by attribute."""
    products = [product.split(", ") for product in transcript.split("; ")]
    return [
        (name, {a: field.removeprefix(f"{a} ") for field in fields for a, told in TOLD.items() if told(field)})
        for name, *fields in products
    ]


def _missing(label: str) -> list[str]:
    """The attributes that the label with this transcript lacks."""
    return [a for a in goods.ATTRIBUTES if a not in _shown(label)[0][1]]


def _looked_for(transcript: str, attribute: str) -> str:
    """What is seen where a product is looked for that is not there: as in thoughts about a value, but to the end."""
    if not is_shelf(transcript):
        return transcript
    found = [f"{facts[attribute]} {name}" for name, facts in _shown(transcript) if attribute in facts]
    return "; ".join(found) or _seen(transcript)


def _seen(transcript: str) -> str:
    """What is in the picture with this transcript: of a shelf only the names."""
    if not is_shelf(transcript):
        return transcript
    return ", ".join(product.split(", ")[0] for product in transcript.split("; "))


def scene_of(split: str, level: int, number: int) -> tuple[Scene, random.Random]:
    """The scene with this number, and the generator that goes on with its drawing and its questions."""
    rng = splits.rng_of(split, level, number)
    return scene(split, level, number, rng), rng
