"""Whether what is explained is what a model's own ``predict`` says; asked once a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.caveats import Caveat, Reason
from xaimri.objective import softmax

Predict: TypeAlias = Callable[..., Any]
"""A model's own ``predict`` or ``predict_proba``: of a batch of images, or of what its author thought of."""

FAR = 1e-2
"""Difference of a probability from which two answers are not the same; half precision differs by less."""

EXACT = 1e-4
"""Difference within which a number of 0 to 1 is the logit of what is explained by more than chance."""

QUIET = {"verbose": 0}
"""How Keras is asked to show no bar."""

_asked: WeakKeyDictionary[Any, tuple[Caveat, ...]] = WeakKeyDictionary()
_lock = Lock()


def predict_of(model: object) -> tuple[str, Predict] | None:
    """Return by which name an object predicts beside being called, and how; None where it does not."""
    for name in ("predict_proba", "predict"):
        predict = getattr(model, name, None)
        if callable(predict):
            return name, predict
    return None


def predict_doubts(
    model: object,
    predict: tuple[str, Predict] | None,
    given: Sequence[Any],
    probabilities: Float[Array, " classes"],
    output: str | int | None = None,
    unit: int | None = None,
) -> tuple[Caveat, ...]:
    """Say that a model's own ``predict`` differs from what is explained; asked once a model.

    Parameters
    ----------
    model
        Whose it is.
    predict
        Its name and the function; None where there is nothing to be asked.
    given
        The first image as a batch of one, in each form in which it may be meant for ``predict``: as it came,
        and as it is after any preprocessing.
    probabilities
        What is explained, of that image.
    output, unit
        Which of several outputs is explained, and which column of it as two classes.
    """
    if predict is None:
        return ()
    with _lock:
        known = _recall(model)
    if known is None:
        name, function = predict
        rows = (_row(_answer(function, one), output, unit) for one in given)
        gaps = [gap for row in rows if row is not None for gap in _gaps(row, probabilities)]
        differs = bool(gaps) and min(gaps) > FAR
        known = (Reason.PREDICT_DIFFERS.caveat(name=name, gap=min(gaps)),) if differs else ()
        with _lock:
            _keep(model, known)
    return known


def _recall(model: object) -> tuple[Caveat, ...] | None:
    try:
        return _asked.get(model)
    except TypeError:  # it can't be referred to weakly, or has no hash
        return None


def _keep(model: object, caveats: tuple[Caveat, ...]) -> None:
    try:
        _asked[model] = caveats
    except TypeError:
        return


def _answer(predict: Predict, image: Any) -> object:
    """Return what it says; None where it takes something else than a batch of images."""
    try:
        return predict(image, **(QUIET if _takes(predict, "verbose") else {}))
    except Exception:  # it is meant for a path, a table, a data set
        return None


def _takes(function: Predict, name: str) -> bool:
    try:
        named = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return name in named or any(p.kind is p.VAR_KEYWORD for p in named.values())


def _row(answer: object, output: str | int | None, unit: int | None) -> Float[Array, " columns"] | None:
    """Return the numbers that an answer has for the one image; None where it is none of numbers."""
    if isinstance(answer, Mapping) and (output in answer or len(answer) == 1):
        answer = answer[output if output in answer else next(iter(answer))]
    elif isinstance(answer, list | tuple) and isinstance(output, int) and output < len(answer):
        answer = answer[output]
    try:
        row = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if not row.size or row.shape[:1] != (1,) or not np.isfinite(row).all():
        return None
    row = row.reshape(-1)
    return row[[unit]] if unit is not None and row.size > unit else row


def _gaps(row: Float[Array, " columns"], probabilities: Float[Array, " classes"]) -> list[float]:
    """Return how far a row is from probabilities, in each reading of it.

    Several numbers are probabilities or logits; one is that of the second class, or the index of a class.
    """
    classes = len(probabilities)
    if row.size == classes:
        stated = row.min() >= -FAR and abs(row.sum() - 1) < FAR
        return [float(np.abs((row if stated else softmax(row[None])[0]) - probabilities).max())]
    if row.size != 1:
        return []
    value, gaps = float(row[0]), []
    if value in range(classes):
        gaps.append(float(probabilities.max() - probabilities[int(value)]))
    if classes == 2:
        of_logit, stated = (abs(p - float(probabilities[1])) for p in (1 / (1 + np.exp(-value)), value))
        gaps.append(of_logit if of_logit < EXACT or not 0 <= value <= 1 else stated)
    return gaps
