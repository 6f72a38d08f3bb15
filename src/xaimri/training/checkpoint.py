"""Where a training stands, on disk: whole or not at all, whenever the process dies."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile

from xaimri.archive import remove_partials, whole_file
from xaimri.arrays import Array, Stored
from xaimri.errors import InvalidInput

STATE = "training.npz"
"""File of the last finished epoch."""


@dataclass(frozen=True)
class Checkpoint:
    """A training after an epoch.

    Attributes
    ----------
    configuration
        What the training is of: recipe, data and network, as JSON types.
    rows
        The history, one mapping per epoch.
    variables
        Values of the model's variables, random states included.
    optimizer
        Values of the optimizer's variables.
    best
        Values of the model's variables after the best epoch.
    best_epoch
        Its number.
    stopped
        Whether a callback has ended the training.
    callbacks
        What Keras' own callbacks know of the epochs before, as JSON types.
    kept
        The weights that they keep.
    """

    configuration: dict[str, Any]
    rows: list[dict[str, Any]]
    variables: list[Array]
    optimizer: list[Array]
    best: list[Array]
    best_epoch: int
    stopped: bool = False
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    kept: list[Array] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write into a folder, replacing the checkpoint before; the best weights only if they are new."""
        remove_partials(folder)
        digest = _digest(self.best)  # by which weights that another run left are told apart
        best = f"best-{self.best_epoch:04d}-{digest}.npz"
        if not (folder / best).is_file():
            _write(folder / best, _numbered("best", self.best))
        head = {
            "configuration": self.configuration,
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "best": digest,
            "stopped": self.stopped,
            "callbacks": self.callbacks,
        }
        arrays = _numbered("variable", self.variables) | _numbered("optimizer", self.optimizer)
        arrays |= _numbered("kept", self.kept)
        _write(folder / STATE, {"head": np.array(json.dumps(head)), **arrays})
        for old in folder.glob("best-*.npz"):
            if old.name != best:
                old.unlink()

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """Read from a folder; None where none has been written.

        Raises
        ------
        InvalidInput
            If the files are damaged.
        """
        if not (folder / STATE).is_file():
            return None
        try:
            with (folder / STATE).open("rb") as stream, np.load(stream, allow_pickle=False) as state:
                head = json.loads(str(state["head"]))
                variables, optimizer, weights = (
                    _listed(state, name) for name in ("variable", "optimizer", "kept")
                )
            kept = folder / f"best-{head['best_epoch']:04d}-{head['best']}.npz"
            with kept.open("rb") as stream, np.load(stream, allow_pickle=False) as state:
                best = _listed(state, "best")
            if _digest(best) != head["best"]:
                raise ValueError("the best weights are others than those that were kept")
            return cls(
                head["configuration"], head["rows"], variables, optimizer, best, head["best_epoch"],
                head["stopped"], head["callbacks"], weights,
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InvalidInput(
                f"the checkpoint in `{folder}` is damaged: delete the folder to train from the start."
            ) from error

    def require(self, configuration: dict[str, Any], folder: Path) -> None:
        """Refuse to go on with another configuration than the one that was begun."""
        present, begun = json.loads(json.dumps(configuration)), self.configuration
        different = [key for key in present | begun if present.get(key) != begun.get(key)]
        if different:
            key = different[0]
            raise InvalidInput(
                f"`{folder}` holds a training of another configuration: `{key}` was {begun.get(key)!r} and "
                f"is now {present.get(key)!r}; give another folder, or the same arguments to go on."
            )


def _numbered(name: str, arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"{name}_{i:05d}": array for i, array in enumerate(arrays)}


def _listed(state: NpzFile, name: str) -> list[Array]:
    return [state[key] for key in sorted(key for key in state.files if key.startswith(f"{name}_"))]


def _digest(arrays: Sequence[Array]) -> str:
    """Return what tells weights apart: the beginning of the SHA-256 of all of them."""
    each = "".join(Stored(array).sha256 for array in arrays)
    return hashlib.sha256(each.encode()).hexdigest()[:32]


def _write(path: Path, arrays: dict[str, Array]) -> None:
    with whole_file(path) as new, new.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
