"""The callbacks of a Keras user in a training of ours: which are taken, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown

HIGHER = ("accuracy", "balanced_accuracy", "val_accuracy", "val_balanced_accuracy")
"""What is in the logs of every training, and better where it is higher."""

STATE = ("best", "best_epoch", "wait", "stopped_epoch", "cooldown_counter")
"""What Keras' own callbacks that monitor a value know of the epochs before."""

MONITORS = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
)


def check_callbacks(callbacks: object) -> list[keras.callbacks.Callback]:
    """Return a list of callbacks; those that monitor an accuracy look for the highest.

    Raises
    ------
    InvalidInput
        If one is no callback, or would put weights of its own in at the start.
    """
    found = [] if callbacks is None else list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            raise InvalidInput(
                f"`callbacks` must be a list of keras.callbacks.Callback, not of {shown(callback)}."
            )
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise InvalidInput(
                "`train` keeps its own checkpoint, and would begin at epoch 1 with the weights of "
                "BackupAndRestore: leave that callback out, and give folder=."
            )
        if isinstance(callback, MONITORS) and callback.monitor in HIGHER:
            callback.mode = "max" if getattr(callback, "mode", "auto") == "auto" else callback.mode
    return found


def check_resumable(callbacks: Sequence[keras.callbacks.Callback], epochs: int) -> None:
    """See that no callback begins a file anew that holds the epochs before.

    Raises
    ------
    InvalidInput
        If one would.
    """
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.CSVLogger) and not callback.append:
            raise InvalidInput(
                f"the training goes on after epoch {epochs}, and CSVLogger would begin "
                f"`{callback.filename}` anew: give it append=True."
            )


def stops_early(callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Whether one of the callbacks says when a training ends."""
    return any(isinstance(callback, keras.callbacks.EarlyStopping) for callback in callbacks)


def restored(callbacks: Sequence[keras.callbacks.Callback]) -> int | None:
    """Return the epoch (from 1) whose weights `EarlyStopping` puts back; None where it does not."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.best_weights is not None:
            return int(callback.best_epoch) + 1
    return None


def state_of(callbacks: Sequence[keras.callbacks.Callback]) -> tuple[list[dict[str, Any]], list[Array]]:
    """Return what Keras' own callbacks know of the epochs before, and the weights they keep."""
    states, weights = list[dict[str, Any]](), list[Array]()
    for callback in filter(_monitors, callbacks):
        values = {name: getattr(callback, name, None) for name in STATE}
        plain = {name: None if value is None else float(value) for name, value in values.items()}
        own = getattr(callback, "best_weights", None) or []
        states.append({"kind": type(callback).__name__, **plain, "weights": len(own)})
        weights += [*own]
    return states, weights


def restore(
    callbacks: Sequence[keras.callbacks.Callback], states: Sequence[dict[str, Any]], weights: Sequence[Array]
) -> None:
    """Give callbacks what those of the same kinds knew, in their order; a new one begins anew."""
    left, place = list[tuple[dict[str, Any], list[Array]]](), 0
    for state in states:
        left.append((state, list(weights[place : place + state["weights"]])))
        place += state["weights"]
    for callback in filter(_monitors, callbacks):
        found = next((one for one in left if one[0]["kind"] == type(callback).__name__), None)
        if found is None:
            continue
        left.remove(found)
        for name in STATE:
            value = found[0][name]
            if value is not None and hasattr(callback, name):
                setattr(callback, name, value if name == "best" else int(value))
        if found[1] and callback.restore_best_weights:
            callback.best_weights = found[1]


def _monitors(callback: keras.callbacks.Callback) -> bool:
    return isinstance(callback, MONITORS)
