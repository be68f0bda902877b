"""Products and readings: the facts that are drawn and asked about."""

import random
from dataclasses import dataclass

from . import split as splits

FIRST = """Oat Golden Happy Nordic Sunny Green Royal Crunchy Daily Wild Alpine Little Blue Honey Cocoa Berry Maple Lemon
Peanut Almond Coconut Vanilla Rice Corn Barley Red Silver Morning Garden Mountain River Country Island Classic Super
Fresh Simple Pure Power Star Urban Velvet Lucky Amber Winter Summer Ocean Prairie""".split()
SECOND = """Crisp Bar Flakes Granola Yogurt Milk Bread Crackers Cookies Puffs Muesli Shake Soup Pasta Cereal Chips Bites
Butter Cheese Juice Tea Rolls Waffles Snack Mix Beans Pudding Cream Toast Wafers Kefir Salad Noodles Honey Jam Nuts
Seeds Clusters Squares Loops Tofu Hummus Salsa Syrup Porridge Drink Spread Cakes""".split()

ATTRIBUTES = ["price", "protein", "sugar", "calories"]
USUAL_CENTS = [0, 10, 19, 25, 29, 39, 45, 49, 50, 59, 75, 79, 89, 95, 99]


@dataclass
class Product:
    """A product, with what its label shows of it: values by attribute, as texts without a unit."""

    name: str
    values: dict[str, str]
    currency: str = "$"

    def fact(self, attribute: str) -> str:
        """The value as answers have it: `$2.49`, `12 g`, `180 kcal`."""
        value = self.values[attribute]
        unit = {"price": "", "calories": " kcal"}.get(attribute, " g")
        return f"{self.currency}{value}" if attribute == "price" else f"{value}{unit}"

    def number(self, attribute: str) -> float:
        return float(self.values[attribute])

    def transcript(self) -> str:
        parts = [self.name]
        for attribute in self.values:
            named = attribute in ("protein", "sugar")
            parts.append(f"{attribute} {self.fact(attribute)}" if named else self.fact(attribute))
        return ", ".join(parts)


@dataclass
class Reading:
    """What a health display shows: `pressure`, `temperature` or `glucose`, with values by name and a unit."""

    kind: str
    values: dict[str, str]
    unit: str

    def transcript(self) -> str:
        if self.kind == "pressure":
            pulse = f", pulse {self.values['pulse']}" if "pulse" in self.values else ""
            return f"{self.pressure()}{pulse}"
        return f"{self.values['value']} {self.unit}"

    def pressure(self) -> str:
        return f"{self.values['systolic']}/{self.values['diastolic']}"

    def verdict(self) -> str:
        """`high`, `low` or `normal`, by the bounds that home meters have."""
        if self.kind == "pressure":
            systolic, diastolic = int(self.values["systolic"]), int(self.values["diastolic"])
            if systolic >= 140 or diastolic >= 90:
                return "high"
            return "low" if systolic < 90 or diastolic < 60 else "normal"
        value = float(self.values["value"])
        if self.kind == "temperature":
            return "high" if value >= (38.0 if self.unit == "°C" else 100.4) else "normal"
        low, high = (3.9, 7.8) if self.unit == "mmol/L" else (70, 140)
        return "high" if value > high else "low" if value < low else "normal"


def name(rng: random.Random, split: str) -> str:
    while True:
        name = f"{rng.choice(FIRST)} {rng.choice(SECOND)}"
        if splits.name_is_held_out(name) == (split == splits.HELD_OUT):
            return name


def product(rng: random.Random, split: str, attributes: list[str], currency: str) -> Product:
    draw = {"price": _price, "protein": _grams, "sugar": _grams, "calories": _calories}
    return Product(name(rng, split), {attribute: draw[attribute](rng) for attribute in attributes}, currency)


def _price(rng: random.Random) -> str:
    whole = rng.randint(0, 19)
    return f"{whole}.{rng.choice([*USUAL_CENTS, rng.randint(0, 99)]):02}"


def _grams(rng: random.Random) -> str:
    return str(rng.randint(0, 40)) if rng.random() < 0.8 else f"{rng.randint(0, 19)}.{rng.randint(1, 9)}"


def _calories(rng: random.Random) -> str:
    return str(rng.choice([rng.randint(2, 60) * 10, rng.randint(20, 650)]))


def products(rng: random.Random, split: str, count: int, attributes: list[str]) -> list[Product]:
    """Products of different names, and different values of each attribute, so that every comparison has one answer."""
    found: list[Product] = []
    currency = rng.choice("$€£")
    while len(found) < count:
        candidate = product(rng, split, attributes, currency)
        clash = any(
            other.name == candidate.name or any(other.number(a) == candidate.number(a) for a in attributes)
            for other in found
        )
        if not clash:
            found.append(candidate)
    return found


def reading(rng: random.Random) -> Reading:
    kind = rng.choice(["pressure", "pressure", "temperature", "glucose"])
    if kind == "pressure":
        systolic = rng.randint(80, 199)
        diastolic = rng.randint(45, min(systolic - 20, 119))
        values = {"systolic": str(systolic), "diastolic": str(diastolic)}
        if rng.random() < 0.7:
            values["pulse"] = str(rng.randint(45, 140))
        return Reading(kind, values, "mmHg")
    if kind == "temperature":
        celsius = rng.randint(350, 415) / 10
        if rng.random() < 0.7:
            return Reading(kind, {"value": f"{celsius:.1f}"}, "°C")
        return Reading(kind, {"value": f"{celsius * 1.8 + 32:.1f}"}, "°F")
    if rng.random() < 0.6:
        return Reading(kind, {"value": f"{rng.randint(25, 180) / 10:.1f}"}, "mmol/L")
    return Reading(kind, {"value": str(rng.randint(45, 320))}, "mg/dL")


def line(rng: random.Random, split: str) -> str:
    """Some words of the world, numbers, and letters that mean nothing: about as many as fit into a line of print."""
    words: list[str] = []
    length = rng.randint(6, 22)
    while sum(map(len, words)) + len(words) < length:
        thing = product(rng, split, ATTRIBUTES, rng.choice("$€£"))
        attribute = rng.choice(ATTRIBUTES)
        word = rng.choice(
            [
                thing.name,
                thing.fact(attribute),
                thing.fact(attribute).replace(" ", ""),
                thing.values[attribute],
                attribute.title() + rng.choice(["", ":"]),
                reading(rng).transcript(),
                "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 7))),
                "".join(rng.choices("0123456789", k=rng.randint(1, 5))),
            ]
        )
        words.append(rng.choice([word, word, word.upper(), word.lower()]))
    return " ".join(words)
