"""Whether a training of Keras' `fit` that is interrupted and goes on ends where an uninterrupted one ends.

    python benchmarks/resuming.py

Each row resumes a training of four epochs, stopped after two, by `keras.callbacks.BackupAndRestore` in a new
network, as a new process would; the last row does it by `xaimri.training.train`. Printed is the largest
difference of a weight: zero is bit-equal.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaimri.data import phantom
from xaimri.data.case import Dataset
from xaimri.training import batches, train

EPOCHS, DIES = 4, 2
SIZE = (32, 32)


class Dies(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stand for the end of the process, after the epochs' callbacks."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Die where an epoch begins."""
        if epoch == self.after:
            raise KeyboardInterrupt


def network(dropout: float) -> keras.Model:
    """Return a network whose weights are the same each time."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((*SIZE, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3)]
    layers += [keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling2D()]
    layers += [keras.layers.Dense(16, "relu")]
    layers += [keras.layers.Dropout(dropout)] if dropout else []
    model = keras.Sequential([*layers, keras.layers.Dense(4, "softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    return model


def gap(one: keras.Model, other: keras.Model) -> float:
    """Return the largest difference of two networks' weights."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def by_fit(
    cases: Dataset,
    ours: bool,
    dropout: float = 0.0,
    stops: bool = False,
    between: Callable[[Path], None] | None = None,
) -> tuple[float, str]:
    """Return the gap, and what happened, of a training by `fit` and BackupAndRestore."""

    def fit(model: keras.Model, *callbacks: Any, begun: int = 0) -> list[float]:
        stopping = [keras.callbacks.EarlyStopping("loss", patience=2, min_delta=9)] if stops else []
        kept = {"epochs": EPOCHS, "callbacks": [*callbacks, *stopping], "verbose": 0}
        given = batches(cases, model, batch=8)
        if ours:
            given.epoch = begun
            return list(model.fit(given, shuffle=False, **kept).history["loss"])
        return list(model.fit(given.part.images, given.part.labels, batch_size=8, **kept).history["loss"])

    whole = network(dropout)
    losses = fit(whole)
    with tempfile.TemporaryDirectory() as folder:
        with suppress(KeyboardInterrupt):
            fit(network(dropout), keras.callbacks.BackupAndRestore(folder), Dies(DIES))
        if between is not None:
            between(Path(folder))
        resumed = network(dropout)
        try:
            rest = fit(resumed, keras.callbacks.BackupAndRestore(folder), begun=DIES)
        except Exception as error:  # whatever a file that is cut short gives
            return float("nan"), f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"
    return gap(whole, resumed), f"{len(losses)} epochs alone, {DIES} + {len(rest)} resumed"


def by_train(cases: Dataset) -> tuple[float, str]:
    """Return the same of our own training, with dropout and a callback that stops."""

    def go_on(model: keras.Model, folder: str | None, *callbacks: Any) -> int:
        stopping = keras.callbacks.EarlyStopping("loss", patience=2, min_delta=9)
        result = train(
            model, (cases, cases.take([])), batch=8, epochs=EPOCHS, folder=folder,
            callbacks=[*callbacks, stopping], progress=False,
        )  # fmt: skip
        return len(result.history["loss"])

    whole = network(0.5)
    alone = go_on(whole, None)
    with tempfile.TemporaryDirectory() as folder:
        with suppress(KeyboardInterrupt):
            go_on(network(0.5), folder, Dies(DIES))
        resumed = network(0.5)
        rest = go_on(resumed, folder) - DIES
    return gap(whole, resumed), f"{alone} epochs alone, {DIES} + {rest} resumed"


def cut(folder: Path) -> None:
    """Leave the weights as a process leaves them that dies while it writes."""
    path = folder / "latest.weights.h5"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def weights_alone(folder: Path) -> None:
    """Leave new weights beside the number of the epoch before, as between the two files that are written."""
    path = folder / "training_metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "epoch": DIES - 1}))


def main() -> None:
    """Print a row for each way."""
    cases = phantom.make(subjects=24, slices=1, size=SIZE)
    rows: list[tuple[str, Callable[[], tuple[float, str]]]] = [
        ("fit, arrays, its own shuffling", lambda: by_fit(cases, ours=False)),
        ("fit, our batches", lambda: by_fit(cases, ours=True)),
        ("fit, our batches, dropout", lambda: by_fit(cases, ours=True, dropout=0.5)),
        ("fit, our batches, EarlyStopping", lambda: by_fit(cases, ours=True, stops=True)),
        ("fit, killed while it writes", lambda: by_fit(cases, ours=True, between=cut)),
        ("fit, killed between its files", lambda: by_fit(cases, ours=True, between=weights_alone)),
        ("train, dropout, EarlyStopping", lambda: by_train(cases)),
    ]
    for name, measure in rows:
        difference, said = measure()
        sys.stdout.write(f"{name:34s} {difference:9.2g}  {said}\n")


if __name__ == "__main__":
    main()
