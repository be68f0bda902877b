"""Measures vision and audio towers beside llama.cpp on this machine and writes its part of docs/benchmarks.md.

The towers have the shapes of real ones and random weights; what is computed does not depend on them. The two programs
take turns on the same files with the same number of threads, and medians are reported.
"""

import json
import os
import pathlib
import re
import statistics
import struct
import subprocess
import tempfile
import wave

import report  # noqa: I001 # it says where models are
import models

TEXT = dict(width=576, feed_forward=1536, layers=2, heads=9, kv_heads=3)
SMOLVLM = dict(width=768, layers=12, feed_forward=3072, heads=12, projection=576, image=512, scale=4, kept=False)
# Ten rows are stacked and not eight, as 1500 are not a multiple of eight, and this llama.cpp then aborts.
WHISPER_SMALL = dict(width=768, layers=12, feed_forward=3072, heads=12, bins=80, stack=10, hidden=4096, projection=576)
# What SmolVLM's vocabulary has for pictures, without which llama.cpp does not take one.
CONTROL = ["\n\n", "<fake_token_around_image>", "<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
MIXES = ["F16", "Q8_0"]
SECONDS = 8
# llama.cpp fills up every clip to this.
PADDED_SECONDS = 30


def ours(arguments, text, mmproj):
    """Milliseconds of each test."""
    command = [arguments.lorgnette, "bench", "--model", text, "--mmproj", mmproj, "--prompt", 1, "--generate", 1,
               "--repetitions", 1, "--threads", arguments.threads, "--json"]
    tests = json.loads(subprocess.check_output([str(word) for word in command], stderr=subprocess.DEVNULL))["tests"]
    return {test["test"]: test["median"] for test in tests}


def theirs(arguments, text, mmproj, media):
    """Milliseconds of a slice."""
    command = [arguments.reference / "llama.cpp/build/bin/llama-mtmd-cli", "-m", text, "--mmproj", mmproj, "-n", 1, "-t",
               arguments.threads, "--no-warmup", "--chat-template", "chatml", "-c", 4096, "-p", "What?", *media]
    output = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return statistics.median(int(found) for found in re.findall(r"encod\w+ (?:done )?in (\d+) ms", output.stdout + output.stderr))


def files(folder, quantize, name, make, **shape):
    f16, q8 = folder / f"{name}-F16.gguf", folder / f"{name}-Q8_0.gguf"
    make(f16, **shape)
    subprocess.run([quantize, f16, q8, "Q8_0"], check=True, capture_output=True)
    return dict(zip(MIXES, [f16, q8]))


def picture(path):
    """512 x 512 pixels, one tile."""
    side = 512
    pixels = bytes((x * 7 + y * 3 + c * 50) & 255 for y in range(side) for x in range(side) for c in range(3))
    # Uncompressed: a bitmap needs no library, and both programs' decoders are not what is measured.
    head = struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
    path.write_bytes(head + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, len(pixels), 0, 0, 0, 0) + pixels)


def sound(path):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"".join(struct.pack("<h", (i * 37) % 8000 - 4000) for i in range(SECONDS * 16000)))


def vision(out, arguments, folder, text, rounds):
    picture(folder / "picture.bmp")
    out.append("### A picture\n")
    out.append("One pass of SmolVLM's vision tower (93M, SigLIP-B/16, 512 x 512) and its projector: `lorgnette bench` and "
               f"llama-mtmd-cli, {arguments.threads} threads, medians of {rounds} runs each, in turns. llama.cpp makes two "
               "passes for a picture of one tile; here one is compared with one.\n")
    out.append("| mix | lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|")
    for mix, mmproj in files(folder, arguments.quantize, "vision", models.mmproj, **SMOLVLM).items():
        turns = [(ours(arguments, text, mmproj)["image encode, 64 tokens"],
                  theirs(arguments, text, mmproj, ["--image", folder / "picture.bmp"])) for _ in range(rounds)]
        a, b = (statistics.median(turn[tool] for turn in turns) for tool in range(2))
        out.append(f"| {mix} | {a:.0f} ms | {b:.0f} ms | {b / a:.2f}x |")
    out.append("")


def audio(out, arguments, folder, text, rounds):
    sound(folder / "sound.wav")
    out.append("### Sound\n")
    out.append(f"An Ultravox tower of Whisper small's shape (88M), {SECONDS} s of sound, measured as above. llama.cpp fills the clip "
               f"up to {PADDED_SECONDS} s, lorgnette encodes what is there; so the last column, for a second of what each encodes, "
               "says how fast the kernels are.\n")
    out.append(f"| mix | lorgnette, 2 s | {SECONDS} s | llama.cpp, {SECONDS} s | ratio | a second: lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|---|---|---|---|")
    for mix, mmproj in files(folder, arguments.quantize, "audio", models.ultravox, **WHISPER_SMALL).items():
        turns = []
        for _ in range(rounds):
            found = ours(arguments, text, mmproj)
            turns.append((found["audio encode, 2 s"], found[f"audio encode, {SECONDS} s"],
                          theirs(arguments, text, mmproj, ["--audio", folder / "sound.wav"])))
        short, a, b = (statistics.median(turn[tool] for turn in turns) for tool in range(3))
        each, their_each = a / SECONDS, b / PADDED_SECONDS
        out.append(f"| {mix} | {short:.0f} ms | {a:.0f} ms | {b:.0f} ms | {b / a:.2f}x | {each:.0f} ms | {their_each:.0f} ms "
                   f"| {their_each / each:.2f}x |")
    out.append("")


def main():
    arguments = report.parser(__doc__).parse_args()
    arguments.quantize = arguments.reference / "llama.cpp/build/bin/llama-quantize"
    out = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text = folder / "text.gguf"
        models.text(text, vocab=49152, context=8192, control=CONTROL, **TEXT)
        vision(out, arguments, folder, text, arguments.rounds)
        audio(out, arguments, folder, text, arguments.rounds)
    report.write(arguments.output, "towers", "Towers", out)


if __name__ == "__main__":
    main()
