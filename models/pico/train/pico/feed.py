"""Batches made ahead, by a thread, or by processes where a GPU waits for them."""

import multiprocessing
import queue
import threading
from pathlib import Path

from .stages import Stage
from .tokens import Tokens
from .world import split as splits

# Batches after which a maker looks for new shards.
REFRESH = 500
AHEAD = 4


class Feed:
    """Takes batches in turn from `jobs` makers, so that their order does not depend on which of them is fast."""

    def __init__(self, stage: Stage, pools: Path, tokenizer: Path, size: int, seed: str, jobs: int, fixed: bool):
        context = multiprocessing.get_context("spawn")
        self.queues = []
        for number in range(max(1, jobs)):
            made = context.Queue(AHEAD) if jobs else queue.Queue(AHEAD)
            arguments = (stage, pools, tokenizer, size, f"{seed}/{number}", fixed, made)
            maker = context.Process if jobs else threading.Thread
            maker(target=_make, args=arguments, daemon=True).start()
            self.queues.append(made)
        self.turn = 0

    def next(self) -> dict:
        batch = self.queues[self.turn].get()
        self.turn = (self.turn + 1) % len(self.queues)
        return batch


def _make(stage: Stage, pools: Path, tokenizer: Path, size: int, seed: str, fixed: bool, made) -> None:
    source = stage.source(pools, splits.TRAIN, Tokens(tokenizer), size, seed)
    while True:
        for _ in range(REFRESH):
            made.put(source.next())
        if not fixed:
            source.refresh()
