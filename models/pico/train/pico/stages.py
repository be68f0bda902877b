"""The curriculum. Each stage is a loss over batches, the parts that learn, and how long."""

from dataclasses import dataclass, field, replace

from .batches import Conversations, Mix, Pictures, Sounds


@dataclass(frozen=True)
class Stage:
    # `read`, `spell` and `answer`, with their weights in the loss.
    losses: dict[str, float]
    learns: list[str]
    rate: float
    # Pictures or sounds in a batch, on two cores and on a GPU.
    size: int
    large_size: int
    # Steps at most, of `size`; a GPU takes as many of its own.
    steps: int
    levels: dict[int, float] = field(default_factory=lambda: {1: 1.0})
    mix: Mix | None = None

    @property
    def senses(self) -> list[str]:
        """The pools that it needs."""
        if self.mix:
            return ["see", "hear"] if self.mix.hear else ["see"]
        return ["see"] if "read" in self.losses else ["hear"]

    def source(self, pools, split, tokens, size: int, seed: str):
        if self.mix:
            return Conversations(pools, split, tokens, self.mix, size, seed)
        kind = Pictures if "read" in self.losses else Sounds
        return kind(pools, split, self.levels, size, seed)


def stages(levels: dict[int, float]) -> dict[str, Stage]:
    """The stages for a mix of levels. What there is to say about a shelf needs longer rows."""
    labels = set(levels) == {1}
    length = 144 if labels else 288
    transcribe = Mix(levels, length=length, read=1.0, think=0.0, hear=0.5, repeat=0.8, commands=0.1)
    answer = Mix(levels, length=length, read=0.3, think=0.3, commands=0.25, named=0.2, talk=0.3)
    reason = Mix(
        levels, length=length, read=0.1, think=0.4, commands=0.1, named=0.4, missing=0.1, invented=0.5, talk=0.2
    )
    joint = Mix(
        levels,
        length=length,
        read=0.25,
        think=0.4,
        hear=0.7,
        repeat=0.3,
        commands=0.15,
        named=0.35,
        talk=0.3,
        missing=0.1,
        invented=0.0 if labels else 0.15,
    )
    return {
        "see": Stage({"read": 1.0}, ["vision", "connector"], 1e-3, 16, 512, 40_000, levels),
        "hear": Stage({"spell": 1.0}, ["audio", "projector"], 1e-3, 16, 512, 40_000, levels),
        "transcribe": Stage(
            {"answer": 1.0}, ["text", "connector", "projector"], 1e-3, 16, 256, 40_000, levels, transcribe,
        ),
        "answer": Stage(
            {"answer": 1.0, "read": 0.3}, ["text", "connector", "vision"], 5e-4, 16, 256, 40_000, levels, answer,
        ),
        "reason": Stage({"answer": 1.0}, ["text"], 1e-3, 16, 256, 40_000, levels, reason),
        # Names are looked up by a layer that learns it all at once, and late: it takes rows that are about nothing else,
        # beside some of all kinds, without which the others are forgotten.
        "match": Stage(
            {"answer": 1.0}, ["text", "connector", "projector"], 1e-3, 16, 256, 40_000, levels, replace(joint, searches=0.65),
        ),
        # The audio tower stays as it is: that makes a step a quarter cheaper.
        "joint": Stage(
            {"answer": 1.0, "read": 0.5}, ["text", "connector", "vision", "projector"], 4e-4, 16, 256, 80_000, levels, joint,
        ),
    }  # fmt: skip
