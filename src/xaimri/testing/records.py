"""Check that explanations and explainers are values: frozen, equal, picklable, kept and rebuilt whole."""

from __future__ import annotations

import copy
import dataclasses
import json
import operator
import pickle
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from xaimri.arrays import Array
from xaimri.explanation import Explanation, load
from xaimri.testing.claims import claim, identical
from xaimri.testing.trial import Trial


def immutable(trial: Trial) -> None:
    """Explanation and explainer refuse every change."""
    explanation = trial.run()[0]
    for owner, name in ((explanation, "values"), (explanation, "target"), (trial.explainer, "name")):
        claim(
            _refuses(partial(setattr, owner, name, None)),
            f"`{name}` of the {type(owner).__name__} can be set: make it a frozen dataclass.",
        )
    for name, array in _arrays(explanation).items():
        claim(not array.flags.writeable, f"the array `{name}` of the explanation can be written.")
    for name in ("method", "diagnostics"):
        mapping = getattr(explanation, name)
        claim(
            _refuses(partial(operator.setitem, mapping, "x", 1)),
            f"`{name}` of the explanation can be written.",
        )


def _refuses(change: Callable[[], object]) -> bool:
    try:
        change()
    except (AttributeError, TypeError):
        return True
    return False


def _arrays(explanation: Explanation) -> dict[str, Array]:
    found = {k: v for k, v in vars(explanation).items() if isinstance(v, np.ndarray)}
    if explanation.regions is not None:
        held = vars(explanation.regions).items()
        found |= {f"regions.{k}": v for k, v in held if isinstance(v, np.ndarray)}
    return found


def pickled(trial: Trial) -> None:
    """Both survive pickling."""
    again = pickle.loads(pickle.dumps(trial.explainer))
    claim(again == trial.explainer, "the explainer is another after pickling.")
    for explanation in trial.run():
        _same(explanation, pickle.loads(pickle.dumps(explanation)), "pickling")


def stored(trial: Trial) -> None:
    """An explanation survives storing and loading, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        for i, explanation in enumerate(trial.run()):
            _same(explanation, load(explanation.store(Path(folder) / str(i))), "storing and loading")


def _same(one: Explanation, other: Explanation, after: str) -> None:
    arrays, others = _arrays(one), _arrays(other)
    claim(arrays.keys() == others.keys(), f"the explanation holds other arrays after {after}.")
    for name, array in arrays.items():
        claim(identical(array, others[name]), f"the array `{name}` is another after {after}.")
        claim(not others[name].flags.writeable, f"the array `{name}` can be written after {after}.")
    for name in ("target", "of", "unit", "classes", "method", "caveats"):
        claim(getattr(one, name) == getattr(other, name), f"`{name}` is another after {after}.")
    claim(one.diagnostics.keys() == other.diagnostics.keys(), f"`diagnostics` lost an entry in {after}.")


def recorded(trial: Trial) -> None:
    """The record rebuilds an equal explainer through JSON."""
    record = trial.explainer.record()
    text = json.dumps(record, allow_nan=False)
    arrays = trial.explainer.arrays()
    again = type(trial.explainer).from_record(json.loads(text), arrays)
    claim(again == trial.explainer, "the record, through JSON, rebuilds another explainer.")
    claim(again.record() == record, "the rebuilt explainer writes another record.")
    claim(dict(trial.run()[0].method) == record, "`method` of the explanation is not the explainer's record.")


def equal(trial: Trial) -> None:
    """Equal settings are equal explainers, with equal hashes."""
    claim(dataclasses.is_dataclass(trial.explainer), "an explainer must be a frozen dataclass.")
    twin = copy.deepcopy(trial.explainer)
    claim(twin == trial.explainer, "two explainers of equal settings differ.")
    try:
        claim(hash(twin) == hash(trial.explainer), "two equal explainers have different hashes.")
    except TypeError as reason:
        raise AssertionError(
            f"the explainer has no hash ({reason}): keep arrays in arrays.Stored."
        ) from reason
