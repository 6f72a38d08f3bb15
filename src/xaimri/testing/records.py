"""Promises about values: explainers and explanations are frozen, equal, picklable, kept and rebuilt whole."""

from __future__ import annotations

import copy
import dataclasses
import json
import operator
import pickle
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from xaimri.arrays import Array
from xaimri.explainer import Explainer
from xaimri.explainers import EXPLAINERS
from xaimri.explanation import Explanation, load
from xaimri.testing.claims import claim, identical
from xaimri.testing.runs import ExplainerOnImages, explainer_promise


@explainer_promise
def the_method_has_a_name(given: ExplainerOnImages) -> None:
    """The class says its own `name`, by which records and tables know it, and no other method has it."""
    kind = type(given.explainer)
    own = vars(kind).get("name")
    wanted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
    claim(
        isinstance(own, str) and own,
        f'{kind.__name__} has no `name` of its own: write `name: ClassVar[str] = "{wanted}"` in the class.',
    )
    claim(
        "name" not in {f.name for f in _fields(given.explainer)},
        "`name` is a setting: annotate it as `ClassVar[str]`, since it belongs to the class.",
    )
    taken = EXPLAINERS.get(str(own), kind)
    claim(taken is kind, f"`name` {own!r} is that of {taken.__name__}: give {kind.__name__} another.")


def _fields(explainer: Explainer[Any]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(explainer) if dataclasses.is_dataclass(explainer) else ()


@explainer_promise
def equal_settings_are_equal_explainers(given: ExplainerOnImages) -> None:
    """Equal settings are equal explainers, with equal hashes."""
    claim(dataclasses.is_dataclass(given.explainer), "an explainer must be a frozen dataclass.")
    twin = copy.deepcopy(given.explainer)
    claim(twin == given.explainer, "two explainers of equal settings differ.")
    try:
        claim(hash(twin) == hash(given.explainer), "two equal explainers have different hashes.")
    except TypeError as reason:
        raise AssertionError(
            f"the explainer has no hash ({reason}): keep arrays in arrays.Stored."
        ) from reason


@explainer_promise
def nothing_can_be_changed(given: ExplainerOnImages) -> None:
    """Explanation and explainer refuse every change."""
    explanation = given.explanations()[0]
    for owner, name in ((explanation, "values"), (explanation, "target"), (given.explainer, "name")):
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


@explainer_promise
def pickling_keeps_everything(given: ExplainerOnImages) -> None:
    """Explainer and explanations come out of a pickle as they went in."""
    again = pickle.loads(pickle.dumps(given.explainer))
    claim(again == given.explainer, "the explainer is another after pickling.")
    for explanation in given.explanations():
        _same(explanation, pickle.loads(pickle.dumps(explanation)), "pickling")


@explainer_promise
def storing_keeps_everything(given: ExplainerOnImages) -> None:
    """An explanation survives storing and loading, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        for i, explanation in enumerate(given.explanations()):
            _same(explanation, load(explanation.store(Path(folder) / str(i))), "storing and loading")


def _same(one: Explanation, other: Explanation, after: str) -> None:
    arrays, others = _arrays(one), _arrays(other)
    claim(arrays.keys() == others.keys(), f"the explanation holds other arrays after {after}.")
    for name, array in arrays.items():
        claim(identical(array, others[name]), f"the array `{name}` is another after {after}.")
        claim(not others[name].flags.writeable, f"the array `{name}` can be written after {after}.")
    for name in ("target", "of", "against", "unit", "classes", "method", "caveats"):
        claim(getattr(one, name) == getattr(other, name), f"`{name}` is another after {after}.")
    claim(one.diagnostics.keys() == other.diagnostics.keys(), f"`diagnostics` lost an entry in {after}.")


@explainer_promise
def the_record_rebuilds_the_explainer(given: ExplainerOnImages) -> None:
    """The record rebuilds an equal explainer through JSON, and stands in every explanation."""
    record = given.explainer.record()
    text = json.dumps(record, allow_nan=False)
    again = type(given.explainer).from_record(json.loads(text), given.explainer.arrays())
    claim(again == given.explainer, "the record, through JSON, rebuilds another explainer.")
    claim(again.record() == record, "the rebuilt explainer writes another record.")
    first = given.explanations()[0]
    claim(dict(first.method) == record, "`method` of the explanation is not the explainer's record.")
