"""The sizes of pico. Widths are multiples of 256, so that every quantized type applies."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    width: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_len: int = 64
    feed_forward: int = 768
    context: int = 2048
    rope_base: float = 10_000.0
    epsilon: float = 1e-5


@dataclass(frozen=True)
class Vision:
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 768
    image: int = 160
    patch: int = 16
    # Patches along the side of the square that becomes one token.
    scale: int = 2
    epsilon: float = 1e-6

    @property
    def side(self) -> int:
        return self.image // self.patch

    @property
    def tokens(self) -> int:
        return (self.side // self.scale) ** 2


@dataclass(frozen=True)
class Audio:
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 512
    bins: int = 80
    # As many as Whisper has, 30 s: llama.cpp loads no tower with fewer.
    positions: int = 1500
    # Mel frames of 10 ms that are encoded together.
    block: int = 64
    # Rows of 20 ms that become one token.
    stack: int = 4
    # Width of the projector, both halves of its gate.
    hidden: int = 256
    epsilon: float = 1e-5

    def tokens(self, frames: int) -> int:
        """Tokens that a clip of so many mel frames becomes."""
        rows = (frames + 1) // 2
        return (rows + self.stack - 1) // self.stack


@dataclass(frozen=True)
class Pico:
    vocabulary: int = 1024
    text: Text = field(default_factory=Text)
    vision: Vision = field(default_factory=Vision)
    audio: Audio = field(default_factory=Audio)


PICO = Pico()

# The longest clip of the recipe, in mel frames: whole blocks.
MAX_FRAMES = 6 * PICO.audio.block
SAMPLE_RATE = 16_000
