"""Measures the live loop on this machine, beside llama.cpp, and writes its part of docs/benchmarks.md.

The models have the shapes of real ones and random weights; what is computed does not depend on them. Questions are spoken
by espeak-ng and played in real time; the three ways to answer them take turns.
"""

import io
import json
import os
import pathlib
import statistics
import struct
import subprocess
import tempfile
import threading
import time
import wave
import zlib

import report  # noqa: I001 # it says where models are
import gguf
import models
import towers

TEXT = dict(width=576, layers=30, feed_forward=1536, heads=9, kv_heads=3)
RATE = 16000
# Frames of 10 ms; whole tokens of 20.
BLOCK = 100
SENTENCE = ("please tell me which one of all the many different things that are lying on the long shelf over there in front "
            "of me right now would be the one that has the most protein and does not cost more than three dollars a pound")
LENGTHS = [1, 3, 10]
FPS = 15


def both(path, vision, audio):
    """One mmproj with the towers of two, of which the audio tower works in blocks."""
    readers = [gguf.GGUFReader(part) for part in (vision, audio)]
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_file_type(1)
    for reader, sense, kind in zip(readers, ["vision", "audio"], ["idefics3", "ultravox"]):
        writer.add_bool(f"clip.has_{sense}_encoder", True)
        writer.add_string(f"clip.{sense}.projector_type", kind)
        for key, field in reader.fields.items():
            if key.startswith(f"clip.{sense}.") or key == "clip.use_gelu":
                value = field.contents()
                if isinstance(value, list):
                    writer.add_array(key, value)
                else:
                    writer.add_key_value(key, value, field.types[0])
        for tensor in reader.tensors:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.add_uint32("clip.audio.attention.block_frames", BLOCK)
    models.finish(writer)


def speak(path, seconds):
    """So many seconds of a sentence without a break."""
    said = subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "--stdout", SENTENCE], check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as spoken:
        rate, samples = spoken.getframerate(), list(memoryview(spoken.readframes(10**9)).cast("h"))
    start = next(i for i, sample in enumerate(samples) if abs(sample) > 500)
    step = rate / RATE
    out = [samples[start + int(i * step)] // 2 for i in range(min(seconds * RATE, int((len(samples) - start) / step)))]
    while abs(out[-1]) < 500:
        out.pop()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(out)}h", *out))


def theirs(arguments, text, mmproj, image, sound):
    """Milliseconds of llama.cpp from a question to its first token, once the model is loaded."""
    command = [arguments.reference / "llama.cpp/build/bin/llama-mtmd-cli", "-m", text, "--mmproj", mmproj, "-n", 1, "-t",
               arguments.threads, "--no-warmup", "--chat-template", "chatml", "-c", 4096, "-p", ".", "--image", image,
               "--audio", sound]
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # It says so when all is loaded, and then writes nothing but its answer to stdout.
        loaded = next(time.perf_counter() for line in process.stderr if b"For normal use cases" in line)
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        while process.stdout.read(1).isspace():
            pass
        first = time.perf_counter()
        process.stdout.read()
        rest.join()
    if process.returncode:
        raise RuntimeError(f"llama-mtmd-cli ended with {process.returncode}")
    return 1e3 * (first - loaded)


def p95(values):
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def latency(out, arguments, folder, text, mmproj):
    towers.picture(folder / "picture.bmp")
    sounds = [folder / f"{seconds}.wav" for seconds in LENGTHS]
    for sound, seconds in zip(sounds, LENGTHS):
        speak(sound, seconds)
    times = {sound.stem: [] for sound in sounds}
    for _ in range(arguments.rounds):
        for sound in sounds:
            command = [str(word) for word in (arguments.live, "latency", text, mmproj, 1, sound)]
            line = json.loads(subprocess.check_output(command))
            line["theirs_ms"] = line["silence_ms"] + theirs(arguments, text, mmproj, folder / "picture.bmp", sound)
            times[sound.stem].append(line)
    silence = times[sounds[0].stem][0]["silence_ms"]
    out.append("### From the end of a question to the first text\n")
    out.append(f"A spoken question about a picture that was not seen before, played in real time. Language model 135M, vision tower "
               f"SigLIP-B/16 (93M), audio tower of Whisper small's shape (88M) in blocks of {BLOCK / 100:.0f} s, all Q8_0; "
               f"{arguments.threads} threads, {arguments.rounds} rounds in turns. All figures begin at the true end of speech and so "
               "have the silence in them that ends a turn. (a) is the same engine with all work after the end of the turn, "
               f"{silence:.0f} ms of silence; (b) is llama-mtmd-cli on the same files, once it has loaded them, and that silence; it "
               "computes the picture twice and fills the sound up to 30 s.\n")
    out.append("| question | live: median | p95 | (a) median | p95 | (b) median | p95 | live / (a) | live / (b) |")
    out.append("|---|---|---|---|---|---|---|---|---|")
    for stem, lines in times.items():
        cells, middle = [], []
        for key in ("live_ms", "sequential_ms", "theirs_ms"):
            values = [line[key] for line in lines]
            middle.append(statistics.median(values))
            cells += [f"{middle[-1]:.0f} ms", f"{p95(values):.0f} ms"]
        out.append(f"| {stem} s | " + " | ".join(cells) + f" | {middle[0] / middle[1]:.2f}x | {middle[0] / middle[2]:.2f}x |")
    out.append("\nOf that, what was computed: live, from when the question seemed to be over until the first text was there, which then "
               "waits for the turn to end; (a) and (b), without the silence.\n")
    out.append("| question | live | (a) | (b) | live / (a) | live / (b) | live: share of waiting |")
    out.append("|---|---|---|---|---|---|---|")
    for stem, lines in times.items():
        live, ours, peer = (statistics.median(value(line) for line in lines) for value in (
            lambda line: line["live_work_ms"], lambda line: line["sequential_ms"] - silence, lambda line: line["theirs_ms"] - silence))
        waited = 1 - live / statistics.median(line["live_ms"] for line in lines)
        out.append(f"| {stem} s | {live:.0f} ms | {ours:.0f} ms | {peer:.0f} ms | {live / ours:.3f}x | {live / peer:.4f}x | {waited:.0%} |")
    most = max(line["blocks_after_the_end"] for lines in times.values() for line in lines)
    out.append(f"\nPasses of the audio tower that began after the end of speech, at most: {most}.\n")


def processor_seconds(command):
    before = os.times()
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def still(path, width, height):
    """A picture in PNG."""
    rows = b"".join(b"\0" + bytes((x * 2 + y + c * 40) & 255 for x in range(width) for c in range(3)) for y in range(height))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def idle(out, arguments, folder, text, mmproj):
    with wave.open(str(folder / "quiet.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", (i * 7919) % 13 - 6) for i in range(60 * RATE)))
    width, height = 640, 480
    still(folder / "view.png", width, height)
    command = [arguments.lorgnette, "run", "--model", text, "--mmproj", mmproj, "--camera", folder / "view.png", "--microphone",
               folder / "quiet.wav", "--backend", "cpu", "--seconds"]
    short, long = 5, 25
    seconds = processor_seconds([*command, long]) - processor_seconds([*command, short])
    share = 100 * seconds / (long - short)
    out.append("### While nobody speaks\n")
    out.append(f"`lorgnette run` with a camera of {width} x {height} pixels at {FPS} frames a second and a quiet microphone takes "
               f"{share:.1f} % of one core (processor time of {long} s less that of {short} s).\n")


def memory(out, arguments, text, mmproj):
    command = [str(word) for word in (arguments.live, "memory", text, mmproj)]
    lines = [json.loads(line) for line in subprocess.check_output(command).splitlines()]
    sizes = [line["resident_bytes"] / 2**20 for line in lines]
    # A picture is new in every third turn, and what was freed goes back to the system at times.
    early, late = (statistics.median(sizes[end - 30:end]) for end in (50, 200))
    out.append("### Memory\n")
    out.append("Resident after turns of two seconds of sound, every third about another picture, with a context of 2048 tokens: median "
               f"after turns 20 to 50 {early:.0f} MiB, after turns 170 to 200 {late:.0f} MiB; at most {max(sizes):.0f} MiB.\n")


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--live", type=pathlib.Path, required=True, help="the example `live` of lorgnette-runtime")
    arguments = parser.parse_args()
    arguments.quantize = arguments.reference / "llama.cpp/build/bin/llama-quantize"
    out, start = [], time.time()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        models.text(folder / "text-F16.gguf", vocab=49152, context=8192, control=[*towers.CONTROL, "<|audio|>"], **TEXT)
        models.mmproj(folder / "vision.gguf", **towers.SMOLVLM)
        models.ultravox(folder / "audio.gguf", **towers.WHISPER_SMALL)
        both(folder / "mmproj-F16.gguf", folder / "vision.gguf", folder / "audio.gguf")
        text, mmproj = folder / "text.gguf", folder / "mmproj.gguf"
        for f16, q8 in [("text-F16.gguf", text), ("mmproj-F16.gguf", mmproj)]:
            subprocess.run([arguments.quantize, folder / f16, q8, "Q8_0"], check=True, capture_output=True)
        latency(out, arguments, folder, text, mmproj)
        idle(out, arguments, folder, text, mmproj)
        memory(out, arguments, text, mmproj)
    report.write(arguments.output, "live", "The live loop", out)
    print(f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
