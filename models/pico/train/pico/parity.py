"""Whether the runtime computes what JAX does: `python -m pico.parity --lorgnette BIN --answers BIN [--run RUN]`.

Exports the run, or weights from a seed, converts them with `lorgnette convert --outtype f32`, and compares the logits
of a text, the rows of a picture and of a sound, and an answer about both. BIN of --answers is the example of that name of
lorgnette-runtime.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from . import checkpoint, export, tokens
from .config import MAX_FRAMES, PICO
from .frontend.mel import log_mel
from .frontend.pixels import tile
from .model import audio, pico, text, vision
from .packer import Packer, Turn
from .pool import spoken
from .world import picture, questions, split as splits, voice

# The largest difference, as a part of the largest value.
ROWS, LOGITS = 2e-3, 2e-3


class Files:
    """What the runtime is given."""

    def __init__(self, weights: dict, tokenizer: Path, lorgnette: Path, work: Path):
        export.write(weights, tokenizer, work / "pico")
        subprocess.run(
            [lorgnette, "convert", work / "pico", work, "--outtype", "f32"], check=True, capture_output=True
        )
        self.mmproj = next(work.glob("mmproj-*.gguf"))
        self.model = next(path for path in work.glob("*.gguf") if path != self.mmproj)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())


def logits_of_text(weights: dict, ids: list[int]) -> np.ndarray:
    mask = jnp.tril(jnp.ones((1, len(ids), len(ids)), bool))
    x = text.embed(weights, jnp.asarray([ids]))
    return np.asarray(text.logits(weights, text.hidden(weights, PICO.text, x, jnp.arange(len(ids))[None], mask)))[0]


def rows_of_picture(weights: dict, pixels: np.ndarray) -> jnp.ndarray:
    patches = vision.patches(weights, PICO.vision, vision.normalised(jnp.asarray(pixels)[None], jnp.float32))
    return vision.tokens(weights, PICO.vision, patches)


def rows_of_sound(weights: dict, samples: np.ndarray) -> jnp.ndarray:
    mel = log_mel(samples)
    padded = np.zeros((1, MAX_FRAMES, PICO.audio.bins), np.float32)
    padded[0, : len(mel)] = mel
    rows = audio.rows(weights, PICO.audio, jnp.asarray(padded), jnp.asarray([len(mel)]))
    return audio.tokens(weights, PICO.audio, rows)[:, : PICO.audio.tokens(len(mel))]


def greedy(weights: dict, coder: tokens.Tokens, media: jnp.ndarray, sound: int, count: int) -> list[int]:
    """The likeliest tokens of an answer to a sound about a picture."""
    packer = Packer(coder, length=PICO.vision.tokens + sound + count + 64)
    packer.picture()
    packer.question(Turn([], "", sound=sound))
    # Without the end that an empty answer has.
    row = packer.arrays()
    at = len(packer.ids) - 1
    said: list[int] = []
    while len(said) < count:
        for i, token in enumerate(said):
            row["tokens"][at + i], row["group"][at + i], row["sees"][at + i] = token, packer.groups - 1, True
            row["positions"][at + i] = at + i
            row["source"][at + i] = -1
        batch = {name: jnp.asarray(value)[None] for name, value in row.items()}
        logits = pico.packed_logits(weights, PICO, batch, media)
        token = int(logits[0, at + len(said) - 1].argmax())
        if token == coder.end:
            break
        said.append(token)
    return said


def run(weights: dict, tokenizer: Path, lorgnette: Path, answers: Path, work: Path) -> bool:
    files = Files(weights, tokenizer, lorgnette, work)
    coder = tokens.Tokens(tokenizer)
    weights = {name: jnp.asarray(value) for name, value in weights.items()}
    right = True

    def check(what: str, found: float, most: float) -> None:
        nonlocal right
        right &= found <= most
        print(f"{what:<10} {found:.2e} {'' if found <= most else f'is more than {most}'}")

    ids = coder.encode(tokens.HEADER + "Which has the most protein?" + tokens.ASK + "Oat Crisp, 12 g" + tokens.END)
    listed = ",".join(map(str, ids))
    command = [lorgnette, "logits", "--model", files.model, "--tokens", listed, "--every", "--json"]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["rows"]
    check("text", difference(logits_of_text(weights, ids), np.array(theirs)), LOGITS)

    scene, rng = questions.scene_of(splits.TRAIN, 2, 7)
    image, _ = picture.draw(scene, rng)
    image.save(work / "picture.png")
    _, samples = spoken(splits.TRAIN, 2, 7)
    voice.write_wav(str(work / "sound.wav"), samples)
    samples = read_wav(work / "sound.wav")
    both = {"image": str(work / "picture.png"), "audio": str(work / "sound.wav")}
    asked = "\n".join(json.dumps(question) for question in [both | {"rows": True}, both])
    command = [answers, files.model, files.mmproj]
    told = subprocess.run(command, input=asked.encode(), check=True, capture_output=True).stdout
    shown, said = map(json.loads, told.splitlines())

    seen, heard = rows_of_picture(weights, tile(image, PICO.vision.image)), rows_of_sound(weights, samples)
    for what, ours in [("image", seen), ("audio", heard)]:
        theirs = np.array(shown[f"{what}_rows"], np.float32).reshape(-1, PICO.text.width)
        check(what, difference(np.asarray(ours[0]), theirs), ROWS)

    media = jnp.concatenate([seen, heard], axis=1)
    ours = coder.decode(greedy(weights, coder, media, heard.shape[1], 16))
    right &= said["text"].startswith(ours)
    print("answer    ", "the same" if said["text"].startswith(ours) else f"JAX {ours!r}, lorgnette {said['text']!r}")
    return right


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lorgnette", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--run", type=Path)
    arguments = parser.parse_args()
    weights = pico.init(PICO, seed=1)
    if arguments.run:
        weights = checkpoint.so_far(arguments.run, weights)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        tokenizer = arguments.tokenizer or (arguments.run or work) / "tokenizer.json"
        if not tokenizer.exists():
            tokens.train(PICO.vocabulary).save(str(tokenizer))
        return 0 if run(weights, tokenizer, arguments.lorgnette, arguments.answers, work) else 1


if __name__ == "__main__":
    sys.exit(main())
