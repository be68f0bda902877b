"""Whisper's log-mel spectrogram with the peak of the blocks so far, as `lorgnette_runtime::model::audio::log_mel`."""

from functools import lru_cache

import numpy as np

from ..config import PICO, SAMPLE_RATE

FRAME, HOP = 400, 160
LEAST_ENERGY = 1e-10
RANGE = 8.0


def log_mel(samples: np.ndarray) -> np.ndarray:
    """`[frames][bins]` of 16 kHz samples; a clip of n samples has n // 160 frames."""
    count = len(samples) // HOP
    padded = np.pad(samples.astype(np.float64), FRAME // 2, mode="reflect")
    starts = HOP * np.arange(count)[:, None] + np.arange(FRAME)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    power = np.abs(np.fft.rfft(padded[starts] * window)) ** 2
    logs = np.log10(np.maximum(power @ _filters(PICO.audio.bins), LEAST_ENERGY)).astype(np.float32)
    block = PICO.audio.block
    loudest = -np.inf
    for start in range(0, count, block):
        part = logs[start : start + block]
        loudest = max(loudest, part.max())
        part[:] = (np.maximum(part, loudest - RANGE) + 4.0) / 4.0
    return logs


@lru_cache
def _filters(bins: int) -> np.ndarray:
    """Slaney's filters, `[frequencies][bins]`."""
    step = np.log(6.4) / 27.0

    def hz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * step))

    top = 15 + np.log(SAMPLE_RATE / 2 / 1000) / step
    edges = hz(np.linspace(0, top, bins + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    frequencies = np.arange(FRAME // 2 + 1)[:, None] * (SAMPLE_RATE / FRAME)
    rise, fall = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return np.maximum(np.minimum(rise, fall), 0) * 2 / (high - low)
