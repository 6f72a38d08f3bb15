"""What SIGKILL leaves: a training, a bundle that is saved, explanations that are stored, at random moments.

``python benchmarks/kills.py [--training 70] [--bundle 70] [--store 60] [--seed 0]`` starts each operation in
a process of its own, kills it after a random time, and makes the next call, which must be right:

training
    The same call goes on where it stopped, is killed again, and after several kills is left to end: then
    weights and history equal those of a training that nobody disturbed, bit for bit.
bundle
    Two networks are saved over each other. What is loaded is one of the two; then the next saving is loaded.
store
    Explanations are stored one after the other. The last is whole, or is stored again; the others are whole.

Printed are the kills, those that fell inside the operation, those that left an unfinished file or folder, the
right next calls, and the unfinished files that stood there after these.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np

import xaimri
from xaimri import training
from xaimri.adapters.keras.reference import reference_images
from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput

SHAPE, UNITS, EPOCHS = (12, 10), 2048, 25

KILLS_A_RUN = 7
"""Kills of one training before it is left to end."""

Work: TypeAlias = Callable[[Callable[[str], object]], object]
"""What a process does; it says "(" before the operation, and ")" after it."""


@dataclass
class Count:
    """What happened to the kills of one operation."""

    kills: int = 0
    inside: int = 0
    unfinished: int = 0
    right: int = 0
    left: int = 0


def start(work: Work) -> tuple[int, int]:
    """Start a process; TensorFlow has not run in this one, so that it can in that."""
    told, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        return child, told
    status = 1
    try:
        os.close(told)
        work(lambda mark: os.write(tell, mark.encode()))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finish(work: Work) -> bool:
    """Let a process come to its end; tell whether it did without an error."""
    child, told = start(work)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(told)
    return code == 0


def kill(work: Work, seconds: float, count: Count) -> bool:
    """Kill a process so long after its operation began; tell whether it was, and had not failed before."""
    child, told = start(work)
    select.select([told], [], [], 120)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(told) as stream:
        marks = stream.read()
    count.kills += code == -signal.SIGKILL
    count.inside += code == -signal.SIGKILL and marks.endswith("(")
    return code == -signal.SIGKILL


def partials(folder: Path) -> int:
    """Return how many hidden folders lie below a folder."""
    return sum(1 for _ in folder.rglob(".*.partial"))


def network(seed: int) -> keras.Model:
    """Return a network with seeded weights of some megabytes."""
    layers = keras.layers
    inner = [
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(UNITS, activation="relu"),
        layers.Dropout(0.2),
    ]
    model = keras.Sequential(
        [keras.Input((*SHAPE, 1)), *inner, layers.Dense(UNITS // 8), layers.Dense(3), layers.Softmax()]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.02, w.shape) for w in model.get_weights()])
    return model


def data() -> tuple[Dataset, Dataset]:
    """Return noise about a level that tells the class: a training and a validation part."""
    rng, parts = np.random.default_rng(0), []
    for part, number in (("train", 45), ("validation", 21)):
        levels = [60 + 50 * (i % 3) for i in range(number)]
        pixels = [np.clip(rng.normal(level, 60, SHAPE), 0, 255).astype(np.uint8) for level in levels]
        cases = (Case(f"{part}/{i}", i % 3, f"{part} {i}", image) for i, image in enumerate(pixels))
        parts.append(Dataset(("dark", "grey", "bright"), tuple(cases)))
    return parts[0], parts[1]


def trained(folder: Path | None, result: Path) -> Work:
    """Return a training; weights and history are kept at its end."""

    def work(mark: Callable[[str], object]) -> None:
        model, parts = network(0), data()
        mark("(")
        found = training.train(
            model, parts, folder=folder, epochs=EPOCHS, patience=EPOCHS, batch=8, progress=False
        )
        mark(")")
        history = {name: column for name, column in found.history.items() if name != "seconds"}
        new = result.with_suffix(".new.npz")
        np.savez(new, *model.get_weights(), history=json.dumps(history))
        new.replace(result)

    return work


def content_of(result: Path) -> dict[str, bytes]:
    """Return weights and history of a training that has ended."""
    with np.load(result) as kept:
        return {name: kept[name].tobytes() for name in kept.files}


def train_under_kills(home: Path, kills: int, rng: np.random.Generator) -> Count:
    """Kill trainings, and hold those that end against one that nobody disturbed."""
    count = Count()
    begun = time.perf_counter()
    assert finish(trained(None, home / "expected.npz"))
    whole = time.perf_counter() - begun
    expected = content_of(home / "expected.npz")
    for run in itertools.count():
        if count.kills >= kills:
            break
        folder, result, before = home / f"run {run}", home / f"result {run}.npz", count.kills
        while count.kills < min(before + KILLS_A_RUN, kills) and not result.exists():
            if kill(trained(folder, result), float(rng.uniform(0, whole)), count):
                count.unfinished += partials(folder) > 0
            elif not result.exists():
                break
        done = result.exists() or finish(trained(folder, result))
        count.right += (count.kills - before) * (done and content_of(result) == expected)
        count.left += partials(folder)
        show("training", count)
    return count


def save_under_kills(home: Path, kills: int, rng: np.random.Generator) -> Count:
    """Kill savings of two bundles over each other, and load what is there."""
    count, names = Count(), [("a", "b", "c"), ("d", "e", "f")]

    def save_both(mark: Callable[[str], object]) -> None:
        models = [network(1), network(2)]
        for number in range(1000):
            mark("(")
            training.save(home, models[number % 2], names[number % 2])
            mark(")")

    def check(mark: Callable[[str], object]) -> None:
        for again in (False, True):
            if again:
                training.save(home, network(2), names[1])
            found = training.load(home)
            which = names.index(found.classes)
            images = reference_images((*SHAPE, 1))
            assert np.array_equal(found.model(images), network(which + 1)(images))
        assert which == 1
        assert sorted(os.listdir(home)) == ["bundle.json", "model.keras"]  # noqa: PTH208

    assert finish(lambda mark: training.save(home, network(1), names[0]))
    while count.kills < kills:
        if kill(save_both, float(rng.uniform(0, 0.8)), count):
            count.unfinished += partials(home) > 0 or len(list(home.iterdir())) > 2
            count.right += finish(check)
            count.left += partials(home)
        show("bundle", count)
    return count


def store_under_kills(home: Path, kills: int, rng: np.random.Generator) -> Count:
    """Kill storings of explanations one after the other, and load them all."""
    count = Count()
    model = xaimri.LinearClassifier.random((256, 256, 1), classes=3)
    explanation = xaimri.explain(model, rng.random((256, 256)), "saliency")
    while count.kills < kills:
        folder = home / f"{count.kills}"
        folder.mkdir()

        def store_many(mark: Callable[[str], object], folder: Path = folder) -> None:
            for number in range(10_000):
                mark("(")
                explanation.store(folder / f"{number}")
                mark(")")

        if kill(store_many, float(rng.uniform(0, 0.15)), count):
            count.unfinished += partials(folder) > 0
            count.right += is_right(folder, explanation)
            count.left += partials(folder)
    show("store", count)
    return count


def is_right(folder: Path, explanation: xaimri.Explanation) -> bool:
    """Store the last explanation and the one after it, and tell whether all can be read as they were."""
    whole = [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()]
    last = max(whole, default=0)
    for number in (last, last + 1):
        try:
            explanation.store(folder / f"{number}")
        except InvalidInput:
            if number not in whole:
                return False
    read = (xaimri.load(folder / f"{number}") for number in range(last + 2))
    return all(np.array_equal(one.values, explanation.values) for one in read)


def show(name: str, count: Count) -> None:
    """Print what has happened until now."""
    print(
        f"{name:10s}{count.kills:6d}{count.inside:8d}{count.unfinished:12d}{count.right:17d}{count.left:6d}",
        flush=True,
    )


def main() -> None:
    """Kill, call again, and print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--training", type=int, default=70)
    options.add_argument("--bundle", type=int, default=70)
    options.add_argument("--store", type=int, default=60)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    rng, counts = np.random.default_rng(given.seed), {}
    with tempfile.TemporaryDirectory() as made:
        for name, work in (
            ("store", store_under_kills),
            ("bundle", save_under_kills),
            ("training", train_under_kills),
        ):
            home = Path(made) / name
            home.mkdir()
            counts[name] = work(home, getattr(given, name), rng)
    print(f"\n{'':10s}{'kills':>6s}{'inside':>8s}{'unfinished':>12s}{'next call right':>17s}{'left':>6s}")
    for name, count in counts.items():
        show(name, count)
    show(
        "all",
        Count(*(sum(getattr(each, field) for each in counts.values()) for field in Count.__annotations__)),
    )


if __name__ == "__main__":
    main()
