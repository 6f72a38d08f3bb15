"""One run of both phases, from where its checkpoint stands."""

from __future__ import annotations

import hashlib
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from xaimri.errors import InvalidInput
from xaimri.training.callbacks import check_resumable, restore, restored, state_of
from xaimri.training.checkpoint import Checkpoint
from xaimri.training.compiled import lent_optimizer
from xaimri.training.loop import Loop, arrays_of, assign, dropout_states
from xaimri.training.part import Part, Score
from xaimri.training.recipe import Recipe
from xaimri.training.resnet import backbone_of, set_trainable, unfreeze


class Run:
    """One call of `xaimri.training.train`.

    Attributes
    ----------
    rows
        The history, one mapping per epoch.
    best_epoch
        The epoch whose weights the model has at the end.
    resumed
        Epochs taken over from the folder's checkpoint.
    """

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        classes: Sequence[str],
        training: Part,
        validation: Part,
        folder: Path | None,
        progress: bool,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        self.model, self.recipe, self.folder, self.progress = model, recipe, folder, progress
        self.training, self.validation, self.given = training, validation, list(callbacks)
        self.callbacks = keras.callbacks.CallbackList(
            self.given, model=model, verbose=0, epochs=sum(recipe.epochs), steps=self._steps
        )
        self.logs: dict[str, float] = {}
        self.notes: tuple[str, ...] = ()
        self.ended = False
        self.rows: list[dict[str, Any]] = []
        self.best: list[Any] = []
        self.best_epoch = self.resumed = 0
        self.kept: Checkpoint | None = None
        _require_probabilities(model, self.training)
        self.configuration = {
            "recipe": recipe.record(),
            "classes": list(classes),
            "training": _digest(self.training),
            "validation": _digest(self.validation),
            "network": _fingerprint(model),
        }

    def finish(self) -> None:
        """Do what is left of both phases, and give the model its best weights."""
        self._resume()
        with lent_optimizer(self.model):
            self.model.stop_training = False
            self.callbacks.on_train_begin()
            if self.kept is not None:
                restore(self.given, self.kept.callbacks, self.kept.kept)
            for phase in ("head", "finetune"):
                with _phase(self.model, phase, self.recipe):
                    self._train(phase)
            self._leave()

    @property
    def stopped(self) -> str:
        """Why the training ended."""
        if self.ended:
            return "callback"
        return "patience" if len(self._of("finetune")) < self.recipe.length("finetune") else "epochs"

    @property
    def _steps(self) -> int:
        return -(-len(self.training) // self.recipe.batch)

    def _resume(self) -> None:
        """Take the last checkpoint up, or begin."""
        self.kept = None if self.folder is None else Checkpoint.load(self.folder)
        if self.kept is None or self.folder is None:
            for i, state in enumerate(dropout_states(self.model)):
                state.assign(np.random.SeedSequence([self.recipe.seed, 3, i]).generate_state(2))
            return
        self.kept.require(self.configuration, self.folder)
        self.rows, self.best = list(self.kept.rows), self.kept.best
        self.best_epoch, self.resumed = self.kept.best_epoch, len(self.rows)
        self.ended = self.kept.stopped
        check_resumable(self.given, self.resumed)
        assign(self.model.variables, self.kept.variables)

    def _train(self, phase: str) -> None:
        """Do what is left of a phase."""
        if self._over(phase):
            return
        loop = Loop(self.model, self.training, self.recipe, self.callbacks)
        self.model.optimizer = loop.optimizer
        if self._of(phase) and self.kept is not None:
            assign(loop.optimizer.variables, self.kept.optimizer)
        elif self.rows:
            assign(self.model.variables, self.best)
        while not self._over(phase):
            self._epoch(loop, phase)
            self._keep(loop)

    def _leave(self) -> None:
        """Put the best weights in, unless a callback puts others in at the end."""
        before = arrays_of(self.model.variables) if self.given else []
        self.callbacks.on_train_end(self.logs)
        epoch = restored(self.given)
        if epoch is not None:
            self.best_epoch = epoch
        elif all(map(np.array_equal, before, arrays_of(self.model.variables))):
            assign(self.model.variables, self.best)
        else:
            self.notes = (
                f"A callback set the weights when the training ended: they are not those of epoch "
                f"{self.best_epoch}, the best.",
            )
            warnings.warn(self.notes[0], stacklevel=4)

    def _keep(self, loop: Loop) -> None:
        """Write the checkpoint of the epoch just done."""
        if self.folder is None:
            return
        variables, optimizer = arrays_of(self.model.variables), arrays_of(loop.optimizer.variables)
        Checkpoint(
            self.configuration, self.rows, variables, optimizer, self.best, self.best_epoch, self.ended,
            *state_of(self.given),
        ).save(self.folder)  # fmt: skip

    def _epoch(self, loop: Loop, phase: str) -> None:
        """Train and score one epoch, and keep its weights if they are the best."""
        number, start = len(self.rows) + 1, time.perf_counter()
        self._set_rate(loop.optimizer, phase)
        self.callbacks.on_epoch_begin(number - 1)
        with tqdm(total=self._steps, desc=f"epoch {number}", leave=False, disable=not self.progress) as bar:
            score = loop.epoch(number, bar.update)
        held_out = loop.evaluate(self.validation) if len(self.validation) else None
        seconds = time.perf_counter() - start
        self.rows.append(_row(number, phase, score, held_out, seconds))
        if held_out is None or _rank(self.rows[-1]) > max(map(_rank, self.rows[:-1]), default=(-1.0, 0.0)):
            self.best, self.best_epoch = arrays_of(self.model.variables), number
        if self.progress:
            tqdm.write(_line(self.rows[-1], self.best_epoch == number), file=sys.stderr)
        self.logs = {**score.logs(), **({} if held_out is None else held_out.logs("val_"))}
        self.callbacks.on_epoch_end(number - 1, self.logs)
        self.ended = bool(self.model.stop_training)

    def _set_rate(self, optimizer: keras.optimizers.Optimizer, phase: str) -> None:
        """Set the learning rate of the next epoch, unless a callback has set another within the phase."""
        index = len(self._of(phase))
        rate = self.recipe.rate(phase, index)
        before = self.recipe.rate(phase, index - 1) if index else None
        if rate is not None and (before is None or float(optimizer.learning_rate) == np.float32(before)):
            optimizer.learning_rate = rate

    def _of(self, phase: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["phase"] == phase]

    def _over(self, phase: str) -> bool:
        """Whether a phase has had its epochs, or has run out of patience."""
        rows = self._of(phase)
        if self.ended:
            return True
        if len(rows) >= self.recipe.length(phase) or (phase == "head" and self._of("finetune")):
            return True
        if not rows or rows[0]["val_loss"] is None:
            return False
        ranks = [_rank(row) for row in rows]
        return len(rows) - 1 - ranks.index(max(ranks)) >= self.recipe.patience


def _require_probabilities(model: keras.Model, training: Part) -> None:
    """Look at the answers to a few images: a softmax adds up to 1."""
    outputs = np.asarray(model(training.images[:2], training=False), np.float64)
    if outputs.min() < 0 or np.abs(outputs.sum(axis=-1) - 1).max() > 0.01:
        raise InvalidInput(
            "the model must end in probabilities, and its outputs do not add up to 1: add a "
            "`keras.layers.Softmax` layer at its end."
        )


def _digest(part: Part) -> str:
    """SHA-256 of a part's pixels and labels."""
    digest = hashlib.sha256(f"{part.images.shape}".encode())
    digest.update(np.ascontiguousarray(part.images).data)
    digest.update(np.ascontiguousarray(part.labels).data)
    return digest.hexdigest()


def _fingerprint(model: keras.Model) -> str:
    """SHA-256 of the kinds of layers and the shapes of their weights; names do not count."""
    layers = model._flatten_layers(include_self=False)
    parts = [(type(layer).__name__, [tuple(w.shape) for w in layer.weights]) for layer in layers]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def _phase(model: keras.Model, phase: str, recipe: Recipe) -> Iterator[None]:
    """Freeze what a phase freezes; after the head's phase the flags are as before."""
    if phase == "finetune":
        if recipe.unfreeze is not None:
            unfreeze(model, recipe.unfreeze)
        yield
        return
    backbone = backbone_of(model)
    if backbone is None:
        yield
        return
    flags = [(layer, layer.trainable) for layer in backbone._flatten_layers()]
    set_trainable(backbone, False)
    try:
        yield
    finally:  # parents come before their parts, so that each part has its own flag at the end
        for layer, flag in flags:
            layer.trainable = flag


def _row(number: int, phase: str, score: Score, held_out: Score | None, seconds: float) -> dict[str, Any]:
    names = score.logs()
    held = dict.fromkeys(f"val_{name}" for name in names) if held_out is None else held_out.logs("val_")
    return {"epoch": number, "phase": phase, **names, **held, "seconds": seconds}


def _rank(row: dict[str, Any]) -> tuple[float, float]:
    """Epochs compare by validation balanced accuracy, then by loss."""
    return row["val_balanced_accuracy"], -row["val_loss"]


def _line(row: dict[str, Any], best: bool) -> str:
    """One epoch in a line."""
    text = (
        f"epoch {row['epoch']:3d} {row['phase']:8s} loss {row['loss']:.3f} "
        f"balanced accuracy {row['balanced_accuracy']:.3f}"
    )
    if row["val_loss"] is not None:
        text += (
            f" | validation loss {row['val_loss']:.3f} balanced accuracy {row['val_balanced_accuracy']:.3f}"
        )
    return f"{text} | {row['seconds']:.1f} s{' *' if best else ''}"
