"""Makes speech.wav: two questions, with silence around them. Needs espeak-ng and numpy.

The first question begins after 0.5 s, and 0.9 s of silence are between the two; the places are printed, for
voice/main.rs.
"""

import io
import pathlib
import subprocess
import wave

import numpy as np

RATE = 16000
QUESTIONS = ["What does the milk cost?", "And is there any bread?"]


def speak(text):
    said = subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "--stdout", text], check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as spoken:
        rate, samples = spoken.getframerate(), np.frombuffer(spoken.readframes(10**9), "<i2") / 32768
    # Resampled by its spectrum: the clip is short.
    count = len(samples) * RATE // rate
    spectrum = np.fft.rfft(samples)[: count // 2 + 1]
    samples = np.fft.irfft(spectrum, count) * count / len(samples)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1] + 1]


def main():
    rng = np.random.default_rng(1)
    parts, places, at = [np.zeros(RATE // 2)], [], RATE // 2
    for question in QUESTIONS:
        samples = 0.5 * speak(question)
        places.append((at, at + len(samples)))
        parts += [samples, np.zeros(RATE * 9 // 10)]
        at = sum(map(len, parts))
    samples = np.concatenate(parts)
    samples += rng.normal(0, 3e-4, len(samples))
    with wave.open(str(pathlib.Path(__file__).with_name("speech.wav")), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    print(places, len(samples))


if __name__ == "__main__":
    main()
