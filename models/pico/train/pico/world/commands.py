"""What is said without looking at anything: greetings, commands, and what is too hard for the device."""

import json
import random

from .questions import Question

CONTEMPLATE = "<contemplate>"

HELLO = ["Hello.", "Hi.", "Hey there.", "Good morning.", "Hello, pico."]
ABLE = ["What can you do?", "How can you help me?", "What are you able to do?"]
NO_PICTURE = ["Read the label.", "What is this?", "Which is the cheapest?", "How much sugar is in it?"]

TIMER = [
    "Set a timer for {n} {unit}.",
    "Timer, {n} {unit}.",
    "Start a timer for {n} {unit}.",
    "Wake me in {n} {unit}.",
]
NOTE = ["Take a note: {note}.", "Note: {note}.", "Write down: {note}.", "Remember to {note}."]
VERBS = {
    "buy": ["milk", "bread", "eggs", "rice", "apples", "coffee", "butter", "tea", "flowers", "stamps"],
    "call": ["Anna", "the doctor", "my mother", "the bank", "Peter", "the school", "the office", "Maria"],
    "book": ["a table", "a flight", "a room", "the dentist", "a taxi", "the train"],
    "send": ["the letter", "the invoice", "the photos", "a message", "the report"],
    "return": ["the book", "the shoes", "the keys", "the car", "the parcel"],
    "water": ["the plants", "the garden", "the roses"],
    "pay": ["the rent", "the bill", "the gym", "the taxes"],
}

PLACES = "Rome Florida Japan Lisbon Paris Norway Berlin Iceland Kyoto Spain Greece Vienna Mexico Canada".split()
HARD = [
    "Plan a trip to {place}.", "Plan a weekend in {place} with two children.", "Plan my holiday in {place}.",
    "Compare the best hotels in {place}.", "Write a business plan for a cafe in {place}.",
    "Plan a week of meals for my family.", "Find me the best flights to {place}.",
    "Design a training plan for a marathon.", "Research the history of {place}.", "How should I invest my savings?",
]  # fmt: skip


def hello(rng: random.Random) -> Question:
    return Question("hello", rng.choice(HELLO), "Hello! Ask me about what you see.")


def able(rng: random.Random) -> Question:
    return Question(
        "able", rng.choice(ABLE), "I read labels, compare products, read displays, set timers, take notes."
    )


def tool(rng: random.Random) -> Question:
    """A command that becomes a call: `timer` with minutes, seconds or hours, or `note` with a text."""
    if rng.random() < 0.5:
        unit = rng.choice(["minutes", "minutes", "seconds", "hours"])
        amount = rng.choice([rng.randint(2, 60), rng.randint(2, 12), 5 * rng.randint(1, 12)])
        text = rng.choice(TIMER).format(n=amount, unit=unit)
        return Question("tool", text, call("timer", {unit: amount}))
    verb = rng.choice(list(VERBS))
    note = f"{verb} {rng.choice(VERBS[verb])}"
    return Question("tool", rng.choice(NOTE).format(note=note), call("note", {"text": note}))


def call(name: str, arguments: dict) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def hard(rng: random.Random) -> Question:
    """One for Contemplating: the first token of the answer says so, and is all of it."""
    return Question("contemplate", rng.choice(HARD).format(place=rng.choice(PLACES)), CONTEMPLATE)


def no_picture(rng: random.Random) -> Question:
    return Question("no picture", rng.choice(NO_PICTURE), "I don't see a picture.")


def command(rng: random.Random, with_picture: bool) -> Question:
    """Any of them. With a picture nobody is told that there is none."""
    makers = [hello, able, tool, tool, tool, hard, hard]
    return rng.choice(makers if with_picture else makers + [no_picture])(rng)
