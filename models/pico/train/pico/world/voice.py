"""Questions spoken by espeak-ng."""

import io
import random
import subprocess
import wave

import numpy as np
from scipy.signal import resample_poly

from ..config import MAX_FRAMES, SAMPLE_RATE
from ..frontend.mel import HOP
from . import split as splits

# The program, and the environment it runs in.
if splits.PACK:
    PROGRAM = f"{splits.PACK}/espeak-ng"
    ENVIRONMENT = {"LD_LIBRARY_PATH": f"{splits.PACK}/lib", "ESPEAK_DATA_PATH": splits.PACK}
else:
    PROGRAM, ENVIRONMENT = "espeak-ng", None

# espeak-ng gives 22050 Hz; 320 / 441 of it is 16 kHz.
UP, DOWN = 320, 441
MAX_SAMPLES = MAX_FRAMES * HOP


def speak(text: str, split: str, rng: random.Random) -> np.ndarray:
    """`text` at 16 kHz, in a voice of `split`, at most [`MAX_SAMPLES`], with silence around it and noise over it."""
    voice = rng.choice(splits.voices(split))
    pitch = rng.randint(30, 70)
    speed = rng.randint(140, 200)
    said = _espeak(text, voice, speed, pitch)
    while len(said) > MAX_SAMPLES - 1600:
        speed = int(speed * 1.15)
        said = _espeak(text, voice, speed, pitch)
        if speed > 450:
            said = said[: MAX_SAMPLES - 1600]
    room = MAX_SAMPLES - len(said)
    before, after = rng.randint(0, min(4800, room // 2)), rng.randint(0, min(3200, room // 2))
    generator = np.random.default_rng(rng.getrandbits(32))
    clip = np.pad(said, (before, after)) * rng.uniform(0.15, 1.0) / max(np.abs(said).max(), 1e-4)
    level = np.sqrt(np.mean(said**2)) / max(np.abs(said).max(), 1e-4)
    noise = _noise(len(clip), generator, rng.choice([0.0, 0.5, 1.0])) * level * 10 ** (-rng.uniform(10, 45) / 20)
    return np.clip(clip + noise, -1, 1).astype(np.float32)


def _espeak(text: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    command = [PROGRAM, "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    answer = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT).stdout
    with wave.open(io.BytesIO(answer)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
    audible = np.flatnonzero(np.abs(samples) > 1e-3)
    samples = samples[audible[0] : audible[-1] + 1]
    return resample_poly(samples, UP, DOWN)


def _noise(count: int, generator: np.random.Generator, colour: float) -> np.ndarray:
    """Noise of unit power whose spectrum falls with the frequency to this power."""
    spectrum = np.fft.rfft(generator.normal(size=count))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20.0) ** colour
    noise = np.fft.irfft(spectrum, count)
    return noise / max(noise.std(), 1e-9)


def write_wav(path: str, samples: np.ndarray) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
