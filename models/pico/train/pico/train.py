"""Trains one stage: `python -m pico.train RUN --pools POOLS --stage see --minutes 30`.

A run is a folder with `tokenizer.json`, `weights.safetensors` (what the stages so far have made), `STAGE.state/` (of a
stage that was interrupted) and `log.jsonl`. The same command goes on where an interrupted one stopped.
"""

import argparse
import json
import os
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import augment, checkpoint, losses, optimizer, stages, store
from .config import PICO
from .feed import Feed
from .model import audio, pico, vision
from .world import split as splits


def clock(on_gpu: bool) -> float:
    """Seconds of work: of the wall beside a GPU; else of all cores, so that what others take of them does not count."""
    return time.monotonic() if on_gpu else time.process_time() / os.cpu_count()


def loss_of(learned, frozen, batch, stage, dtype):
    """The loss of a batch, with what it is made of."""
    params = {name: value.astype(dtype) for name, value in (frozen | learned).items()}
    total, metrics, media = 0.0, {}, []
    learns = set(stage.learns)
    picture_key, sound_key = jax.random.split(jax.random.key(batch["seed"]))

    def rows_of(rows, part):
        return rows if part in learns else jax.lax.stop_gradient(rows)

    def add(name, found):
        nonlocal total, metrics
        loss, more = found
        total += stage.losses[name] * loss
        metrics |= {f"{name}_loss": loss, **more}

    if "image" in batch:
        pixels = vision.normalised(augment.pictures(batch["image"], picture_key), dtype)
        patches = rows_of(vision.patches(params, PICO.vision, pixels), "vision")
        if "read" in stage.losses:
            add("read", losses.read(params, PICO.vision, patches, batch["patches"]))
        media.append(partial(vision.tokens, params, PICO.vision, patches))
    if "mel" in batch:
        mels = augment.sounds(batch["mel"], sound_key).astype(dtype)
        rows = rows_of(audio.rows(params, PICO.audio, mels, batch["frames"]), "audio")
        if "spell" in stage.losses:
            add("spell", losses.spell(params, PICO.audio, rows, batch["frames"], batch["spelling"]))
        media.append(partial(audio.tokens, params, PICO.audio, rows))
    if "answer" in stage.losses:
        made = jnp.concatenate([make() for make in media], axis=1)
        add("answer", losses.answer(params, PICO, batch, made))
    return total, metrics


def make_step(stage, dtype):
    def step(learned, frozen, state, batch, rate):
        with jax.default_matmul_precision("bfloat16"):
            (_, metrics), grads = jax.value_and_grad(loss_of, has_aux=True)(learned, frozen, batch, stage, dtype)
        learned, state, norm = optimizer.update(learned, grads, state, rate)
        return learned, state, metrics | {"norm": norm}

    return jax.jit(step, donate_argnums=(0, 2))


def train(arguments) -> None:
    device = jax.devices()[0]
    on_gpu = device.platform == "gpu"
    dtype = jnp.bfloat16 if on_gpu else jnp.float32
    levels = {int(level): float(part) for level, part in (pair.split(":") for pair in arguments.levels.split(","))}
    stage = stages.stages(levels)[arguments.stage]
    size = arguments.size or (stage.large_size if on_gpu else stage.size)
    run, name = arguments.run, arguments.name or arguments.stage

    params = checkpoint.load_weights(run) or pico.init(PICO, seed=0)
    learned = {name: params[name] for name in params if pico.belongs(name, stage.learns)}
    state, at = optimizer.init(learned), {"step": 0, "seen": 0, "seconds": 0.0, "done": False}
    if saved := checkpoint.load_state(run, name):
        learned, state, at = saved[0], saved[1], at | saved[2]
    if at["done"]:
        print(f"{name} is done")
        return
    frozen = {name: value for name, value in params.items() if name not in learned}
    if on_gpu:
        media = store.Resident(arguments.pools, splits.TRAIN, levels, stage.senses)
    else:
        media = store.Mapped(arguments.pools, splits.TRAIN, levels)
    seed = f"{name}/{at['step']}"
    feed = Feed(stage, arguments.pools, run / "tokenizer.json", size, seed, arguments.jobs, fixed=on_gpu)
    step = make_step(stage, dtype)
    log = (run / "log.jsonl").open("a")
    since, saved_at, before = [], time.monotonic(), clock(on_gpu)
    budget = arguments.minutes * 60
    while (progress := max(at["step"] / stage.steps, at["seconds"] / budget)) < 1:
        batch = media.filled(feed.next()) | {"seed": np.uint32(at["step"])}
        rate = np.float32(optimizer.rate(progress, stage.rate))
        learned, state, metrics = step(learned, frozen, state, batch, rate)
        # The device works on one step while the next is prepared.
        jax.block_until_ready(since[-1:])
        since.append(metrics)
        at["step"], at["seen"] = at["step"] + 1, at["seen"] + size
        now = clock(on_gpu)
        at["seconds"], before = at["seconds"] + now - before, now
        if at["step"] % arguments.log_every == 0:
            row = {"stage": name, "step": at["step"], "seen": at["seen"], "seconds": round(at["seconds"])}
            row |= {key: round(float(np.mean([m[key] for m in since])), 4) for key in metrics}
            print(json.dumps(row), flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
            since = []
        if time.monotonic() - saved_at > arguments.save_seconds:
            checkpoint.save_state(run, name, learned, state, at)
            saved_at = time.monotonic()
    at["done"] = True
    # Another stage may have taught other parts meanwhile.
    checkpoint.save_weights(run, (checkpoint.load_weights(run) or frozen) | learned)
    checkpoint.save_state(run, name, learned, None, at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--pools", type=Path, required=True)
    parser.add_argument("--stage", required=True, choices=list(stages.stages({1: 1.0})))
    parser.add_argument("--name", help="of the stage in this run, when it is done more than once")
    parser.add_argument("--levels", default="1:1", help="LEVEL:PART,... of the pictures")
    parser.add_argument("--minutes", type=float, required=True, help="of all cores, or of the GPU")
    parser.add_argument("--size", type=int, help="pictures or sounds in a batch")
    parser.add_argument("--jobs", type=int, default=0, help="processes that make batches; a thread when it is 0")
    parser.add_argument("--log-every", type=int, default=100)
    parser.add_argument("--save-seconds", type=float, default=180)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
