"""Measures where turns begin and end in mixed recordings, and writes its part of docs/benchmarks.md.

Sentences are spoken by espeak-ng in several voices, with pauses; noise, music, coughs and another speaker are mixed in. All
is drawn from one seed, so that two detectors hear the same.
"""

import argparse
import io
import json
import pathlib
import subprocess
import tempfile
import wave

import numpy as np
import report

RATE = 16000
SENTENCES = [
    "What does the milk cost?", "Which of these has the most protein?", "Read me the label, please.",
    "How long do I have to boil it, and how much salt does it need?", "Is this the bus to the station?",
    "What is the name of this flower?", "Set a timer for ten minutes.", "Can I wash it at sixty degrees?",
    "Who painted this, and when?", "Is there any sugar in it, or only fruit?",
]
VOICES = [("en-us", 150), ("en-gb", 165), ("en-us+f3", 150), ("en-gb+m4", 140)]
# Of the listening options of the runtime: what was said so long before a start is heard.
PRE_ROLL = 300
# Sounds beside which the sentences are spoken, in decibels under the voice.
BESIDE = [("nothing", None), ("white noise", 20), ("white noise", 10), ("music", 20), ("music", 10), ("another speaker", 15)]
ALONE = ["white noise", "music", "coughs", "another speaker"]


def speak(text, voice, speed):
    said = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text], check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as spoken:
        rate, samples = spoken.getframerate(), np.frombuffer(spoken.readframes(10**9), "<i2") / 32768
    count = len(samples) * RATE // rate
    spectrum = np.fft.rfft(samples)[: count // 2 + 1]
    samples = np.fft.irfft(spectrum, count) * count / len(samples)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[loud[0] : loud[-1] + 1]
    return samples * 0.08 / np.sqrt(np.mean(samples**2))


def music(rng, count):
    """Chords of four tones with overtones, a second each."""
    time = np.arange(RATE) / RATE
    out = []
    while len(out) * RATE < count:
        root = 110 * 2 ** (rng.integers(0, 24) / 12)
        tones = [root * 2 ** (step / 12) * overtone for step in (0, 4, 7, 12) for overtone in (1, 2, 3)]
        chord = sum(np.sin(2 * np.pi * tone * time) / (1 + index % 3) for index, tone in enumerate(tones))
        out.append(chord * np.exp(-2 * time))
    return np.concatenate(out)[:count]


def coughs(rng, count):
    """Bursts of noise of a quarter of a second, every few seconds."""
    out = np.zeros(count)
    at = RATE
    while at + RATE < count:
        length = int(RATE * rng.uniform(0.15, 0.35))
        burst = rng.normal(0, 1, length) * np.exp(-np.arange(length) / (0.08 * RATE))
        out[at : at + length] += np.convolve(burst, np.ones(6) / 6, "same")
        at += int(RATE * rng.uniform(3, 8))
    return out


def speaker(rng, count):
    parts, total = [], 0
    while total < count:
        text = SENTENCES[rng.integers(len(SENTENCES))]
        parts += [speak(text, "en-us+m7", 170), np.zeros(int(RATE * rng.uniform(0.5, 2)))]
        total += len(parts[-1]) + len(parts[-2])
    return np.concatenate(parts)[:count]


def beside(kind, rng, count):
    """A sound as loud as the voice."""
    made = {"white noise": lambda: rng.normal(0, 1, count), "music": lambda: music(rng, count),
            "coughs": lambda: coughs(rng, count), "another speaker": lambda: speaker(rng, count)}[kind]()
    return made * 0.08 / np.sqrt(np.mean(made[np.abs(made) > 0] ** 2))


def talk(rng, sentences):
    """Sentences with silence between them, and in each the middles of its words, in milliseconds."""
    parts, places, at = [], [], 0
    for number in range(sentences):
        pause = np.zeros(int(RATE * rng.uniform(2, 4)))
        text = SENTENCES[number % len(SENTENCES)]
        said = speak(text, *VOICES[number % len(VOICES)])
        at += len(pause)
        words = text.split()
        ends = np.cumsum([len(word) + 1 for word in words]) / sum(len(word) + 1 for word in words)
        middles = (np.concatenate([[0], ends[:-1]]) + ends) / 2
        places.append((at / 16, (at + len(said)) / 16, [(at + middle * len(said)) / 16 for middle in middles]))
        parts += [pause, said]
        at += len(said)
    return np.concatenate([*parts, np.zeros(2 * RATE)]), places


def write(path, samples, rng):
    samples = samples + rng.normal(0, 3e-4, len(samples))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def judged(command, paths):
    output = subprocess.check_output([str(word) for word in [*command, *paths]])
    return {pathlib.Path(line["sound"]).stem: line for line in map(json.loads, output.splitlines())}


def row(found, places):
    """False starts, missed words and turns that were cut off within a sentence."""
    turns = list(zip(found["starts"], [*found["ends"], *[found["seconds"] * 1e3] * (len(found["starts"]) - len(found["ends"]))]))
    false = sum(not any(end > first - 500 and start < last + 500 for first, last, _ in places) for start, end in turns)
    words = [middle for _, _, middles in places for middle in middles]
    missed = sum(not any(start - PRE_ROLL <= word <= end for start, end in turns) for word in words)
    cut = sum(any(first <= end < last - 100 for first, last, _ in places) for _, end in turns)
    return false, missed, len(words), cut, len(places)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=pathlib.Path, required=True, help="the example `turns` of lorgnette-runtime")
    parser.add_argument("--silero", type=pathlib.Path, help="Silero's graph; ORT_DYLIB_PATH names the library")
    parser.add_argument("--minutes", type=float, default=10, help="of each sound without speech")
    parser.add_argument("--sentences", type=int, default=40)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    detectors = {"Earshot": [arguments.turns]}
    if arguments.silero:
        detectors["Silero"] = [arguments.turns, "--silero", arguments.silero]
    rng = np.random.default_rng(1)
    out = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        samples, places = talk(rng, arguments.sentences)
        talks = {}
        for kind, under in BESIDE:
            label = kind if under is None else f"{kind}, {under} dB under it"
            path = folder / f"talk{len(talks)}.wav"
            mixed = samples if under is None else samples + beside(kind, rng, len(samples)) * 10 ** (-under / 20)
            write(path, mixed, rng)
            talks[path.stem] = (label, path)
        alone = {}
        for kind in ALONE:
            path = folder / f"alone{len(alone)}.wav"
            # As loud as somebody beside the wearer.
            write(path, beside(kind, rng, int(arguments.minutes * 60 * RATE)) * 10 ** (-10 / 20), rng)
            alone[path.stem] = (kind, path)
        found = {name: judged(command, [path for _, path in [*talks.values(), *alone.values()]])
                 for name, command in detectors.items()}
    out.append(f"{arguments.sentences} questions spoken by espeak-ng in four voices, with a comma in some of them, and what was mixed in. A "
               "turn begins after 96 ms of speech and ends with 250 ms of silence. Made speech is not people's: these figures "
               "compare detectors and settings, and do not foretell what a street does.\n")
    head = " | ".join(f"{name}: missed words | cut off | false starts" for name in detectors)
    out.append(f"| beside the voice | {head} |")
    out.append("|---|" + "---|---|---|" * len(detectors))
    for stem, (label, _) in talks.items():
        cells = []
        for name in detectors:
            false, missed, words, cut, sentences = row(found[name][stem], places)
            cells += [f"{missed} of {words}", f"{cut} in {sentences}", f"{false}"]
        out.append(f"| {label} | " + " | ".join(cells) + " |")
    out.append("\nFalse starts an hour where the wearer says nothing, by sounds 10 dB under a voice:\n")
    out.append("| sound | " + " | ".join(detectors) + " |")
    out.append("|---|" + "---|" * len(detectors))
    for stem, (kind, _) in alone.items():
        starts = [len(found[name][stem]["starts"]) * 60 / arguments.minutes for name in detectors]
        out.append(f"| {kind} | " + " | ".join(f"{count:.0f}" for count in starts) + " |")
    took = {name: sum(line["took"] for line in lines.values()) / sum(line["seconds"] for line in lines.values())
            for name, lines in found.items()}
    shares = ", ".join(f"{name} {100 * share:.2f} %" for name, share in took.items())
    out.append(f"\nOf one core, listening takes: {shares}.\n")
    report.write(arguments.output, "listening", "Listening", out, peer=None)


if __name__ == "__main__":
    main()
