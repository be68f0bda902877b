"""Trains one stage: `python -m pico.train RUN --pools POOLS --stage see --minutes 30`.

A run is a folder with `tokenizer.json`, `weights.safetensors` (what the stages so far have made), `STAGE.state/` (of a
stage that was interrupted) and `log.jsonl`. The same command goes on where an interrupted one stopped.
"""

import argparse
import json
import queue
import threading
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import checkpoint, losses, optimizer, stages
from .config import PICO
from .model import audio, pico, vision
from .tokens import Tokens
from .world import split as splits

# Time that a step can count at most: what is longer, the process was stopped for.
LONGEST_STEP = 30.0


def loss_of(learned, frozen, batch, stage, dtype):
    """The loss of a batch, with what it is made of."""
    params = {name: value.astype(dtype) for name, value in (frozen | learned).items()}
    total, metrics, media = 0.0, {}, []
    learns = set(stage.learns)

    def rows_of(rows, part):
        return rows if part in learns else jax.lax.stop_gradient(rows)

    def add(name, found):
        nonlocal total, metrics
        loss, more = found
        total += stage.losses[name] * loss
        metrics |= {f"{name}_loss": loss, **more}

    if "image" in batch:
        pixels = vision.normalised(augmented(batch["image"], batch["seed"]), dtype)
        patches = rows_of(vision.patches(params, PICO.vision, pixels), "vision")
        if "read" in stage.losses:
            add("read", losses.read(params, patches, batch["patches"]))
        media.append(partial(vision.tokens, params, PICO.vision, patches))
    if "mel" in batch:
        rows = rows_of(audio.rows(params, PICO.audio, batch["mel"].astype(dtype), batch["frames"]), "audio")
        if "spell" in stage.losses:
            add("spell", losses.spell(params, rows, batch["frames"], batch["spelling"]))
        media.append(partial(audio.tokens, params, PICO.audio, rows))
    if "answer" in stage.losses:
        made = jnp.concatenate([make() for make in media], axis=1)
        add("answer", losses.answer(params, PICO, batch, made))
    return total, metrics


def augmented(image: jax.Array, seed: jax.Array) -> jax.Array:
    """A little other light, and noise, on most pictures."""
    gain_key, shift_key, noise_key, which = jax.random.split(jax.random.key(seed), 4)
    shape = (image.shape[0], 1, 1, 1)
    gain = jax.random.uniform(gain_key, shape, minval=0.85, maxval=1.15)
    shift = jax.random.uniform(shift_key, shape, minval=-15.0, maxval=15.0)
    x = image.astype(jnp.float32)
    changed = (x - 128) * gain + 128 + shift + 3.0 * jax.random.normal(noise_key, image.shape)
    return jnp.where(jax.random.bernoulli(which, 0.7, shape), jnp.clip(changed, 0, 255), x)


def make_step(stage, dtype):
    def step(learned, frozen, state, batch, rate):
        (_, metrics), grads = jax.value_and_grad(loss_of, has_aux=True)(learned, frozen, batch, stage, dtype)
        learned, state, norm = optimizer.update(learned, grads, state, rate)
        return learned, state, metrics | {"norm": norm}

    return jax.jit(step, donate_argnums=(0, 2))


def prefetched(batches, ahead: int = 3):
    """Batches made by a thread of their own."""
    made: queue.Queue = queue.Queue(ahead)

    def work():
        while True:
            for _ in range(500):
                made.put(batches.next())
            batches.refresh()

    threading.Thread(target=work, daemon=True).start()
    return lambda: made.get()


def train(arguments) -> None:
    device = jax.devices()[0]
    on_gpu = device.platform == "gpu"
    dtype = jnp.bfloat16 if on_gpu else jnp.float32
    levels = {int(level): float(part) for level, part in (pair.split(":") for pair in arguments.levels.split(","))}
    stage = stages.stages(levels)[arguments.stage]
    size = arguments.size or (stage.large_size if on_gpu else stage.size)
    run, name = arguments.run, arguments.name or arguments.stage
    tokens = Tokens(run / "tokenizer.json")

    params = checkpoint.load_weights(run) or pico.init(PICO, seed=0)
    learned = {name: params[name] for name in params if pico.belongs(name, stage.learns)}
    state, at = optimizer.init(learned), {"step": 0, "seconds": 0.0, "done": False}
    if saved := checkpoint.load_state(run, name):
        learned, state, at = saved
    if at["done"]:
        print(f"{name} is done")
        return
    frozen = {name: value for name, value in params.items() if name not in learned}
    next_batch = prefetched(stage.batches(arguments.pools, splits.TRAIN, tokens, size, f"{name}/{at['step']}"))
    step = make_step(stage, dtype)
    log = (run / "log.jsonl").open("a")
    sums, since, saved_at = {}, 0, time.monotonic()
    budget = arguments.minutes * 60
    while (progress := max(at["step"] / stage.steps, at["seconds"] / budget)) < 1:
        began = time.monotonic()
        batch = next_batch() | {"seed": np.uint32(at["step"])}
        rate = np.float32(optimizer.rate(progress, stage.rate))
        learned, state, metrics = step(learned, frozen, state, batch, rate)
        sums = {key: sums.get(key, 0.0) + float(value) for key, value in metrics.items()}
        since += 1
        at["step"] += 1
        at["seconds"] += min(time.monotonic() - began, LONGEST_STEP)
        if at["step"] % arguments.log_every == 0:
            row = {"stage": name, "step": at["step"], "seen": at["step"] * size, "seconds": round(at["seconds"])}
            row |= {key: round(value / since, 4) for key, value in sums.items()} | {"rate": float(rate)}
            print(json.dumps(row), flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
            sums, since = {}, 0
        if time.monotonic() - saved_at > arguments.save_seconds:
            checkpoint.save_state(run, name, learned, state, at)
            saved_at = time.monotonic()
    at["done"] = True
    checkpoint.save_weights(run, frozen | learned)
    checkpoint.save_state(run, name, learned, None, at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--pools", type=Path, required=True)
    parser.add_argument("--stage", required=True, choices=list(stages.stages({1: 1.0})))
    parser.add_argument("--name", help="of the stage in this run, when it is done more than once")
    parser.add_argument("--levels", default="1:1", help="LEVEL:PART,... of the pictures")
    parser.add_argument("--minutes", type=float, required=True, help="time of the stage; its rate falls towards the end")
    parser.add_argument("--size", type=int, help="pictures or sounds in a batch")
    parser.add_argument("--log-every", type=int, default=100)
    parser.add_argument("--save-seconds", type=float, default=180)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
