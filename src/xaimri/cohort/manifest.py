"""What a cohort is of: written beside its rows, and held against whatever goes on there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

import numpy as np

from xaimri.arrays import Array
from xaimri.cohort.place import Place
from xaimri.cohort.schema import VERSION, KeptMaps, Precision
from xaimri.errors import InvalidInput, shown

FILE = "cohort.json"
"""The record beside the rows."""

SAME = 1e-3
"""By what share of the largest a model's logits of a case may differ between machines."""


@dataclass(frozen=True)
class Manifest:
    """What was asked of which model and cases.

    Attributes
    ----------
    cases, count
        SHA-256 of names, subjects and labels in their order, and how many there are.
    together
        Cases of one file of rows.
    methods
        The record of each method, by the name in the rows.
    target, of, against
        What is explained: a class, ``"predicted"`` or ``"label"``; the score; the other class.
    maps, precision
        How much of each map is kept, and how exactly.
    classes, intake
        The model's classes, and how images reach it, in words.
    channels, axes, layout
        How an image is read again.
    probe
        The first case that could be read, and the model's logits of it: by them it is known again.
    xaimri
        The version that began it.
    model
        Where the model was read; None of one that was given as an object.
    notes
        Of the cases, when it was begun: such as which files of a folder are none of them.
    """

    cases: str
    count: int
    together: int
    methods: Mapping[str, Mapping[str, Any]]
    target: str
    of: str | None
    against: str | None
    maps: KeptMaps
    precision: Precision
    classes: tuple[str, ...]
    intake: tuple[str, ...]
    channels: int | None
    axes: int
    layout: str | None
    probe: tuple[str, tuple[float, ...]] | None
    xaimri: str
    model: str | None = None
    notes: tuple[str, ...] = ()
    version: int = field(default=VERSION)

    def write(self, place: Place) -> None:
        """Write it beside the rows."""
        place.write(FILE, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def read(cls, place: Place) -> Manifest | None:
        """Return what is written at a place; None where no cohort is.

        Raises
        ------
        InvalidInput
            If it is damaged, or of another version.
        """
        content = place.read(FILE)
        if content is None:
            return None
        try:
            told = json.loads(content)
            version = told["version"]
            if version == VERSION:
                probe = told["probe"]
                told["probe"] = None if probe is None else (probe[0], tuple(probe[1]))
                told["notes"] = tuple(map(str, told.get("notes", ())))
                made = cls(**{**told, "classes": tuple(told["classes"]), "intake": tuple(told["intake"])})
                made._check()
                return made
        except (ValueError, LookupError, TypeError) as damage:
            raise InvalidInput(
                f"the record {FILE} in {place.name} is damaged: give a folder that a cohort was written to."
            ) from damage
        raise InvalidInput(
            f"{place.name} holds a cohort of version {shown(version)}, and version {VERSION} is read: use "
            "the xaimri that wrote it, or run it anew elsewhere."
        )

    def _check(self) -> None:
        """See that rows can be as it says: a record that was edited by hand is damaged, too."""
        together = isinstance(self.together, int) and isinstance(self.count, int) and self.together > 0
        kept = self.maps in get_args(KeptMaps) and self.precision in get_args(Precision)
        if not (together and kept and self.count > 0 and self.methods and dict(self.methods)):
            raise ValueError("no run writes such a record")

    def differences(self, other: Manifest) -> list[str]:
        """Say in what another one differs, so that its rows can't stand beside these."""
        found = []
        if (self.cases, self.count) != (other.cases, other.count):
            found.append(f"the cases ({self.count:,} there, {other.count:,} here, in their order)")
        found += _unlike("methods", self.methods, other.methods)
        for name in ("target", "of", "against", "maps", "precision"):
            one, two = getattr(self, name), getattr(other, name)
            if one != two:
                found.append(f"`{name}` ({shown(one)} there, {shown(two)} here)")
        if self.classes != other.classes:
            found.append("the model's classes")
        if self.intake != other.intake:
            found.append(f"how images reach the model ({', '.join(self.intake)} there)")
        elif self.cases == other.cases and not self._answers_as(other):
            found.append("the model, which gives other scores")
        return found

    def _answers_as(self, other: Manifest) -> bool:
        """Tell whether both models say the same of the first case."""
        if self.probe is None or other.probe is None or self.probe[0] != other.probe[0]:
            return self.probe == other.probe
        return same_scores(self.probe[1], other.probe[1])


def same_scores(there: Sequence[float] | Array, here: Sequence[float] | Array) -> bool:
    """Tell whether two rows of logits of one case are one model's, maybe on two machines."""
    one, two = np.asarray(there), np.asarray(here)
    return one.shape == two.shape and bool(np.abs(one - two).max() <= SAME * max(1.0, np.abs(one).max()))


def least_sure(logits: Sequence[Sequence[float]] | Array) -> int:
    """Return which row of logits has the smallest lead, where another model most likely says another thing.

    Of a case that it is sure of, a model whose probabilities are rounded to 0 and 1 says what any other does.

    Examples
    --------
    >>> least_sure([[-16.1, 0.0], [0.4, 0.1], [3.0, 0.0]])
    1
    """
    ordered = np.sort(np.asarray(logits, np.float64), axis=1)
    return int(np.argmin(ordered[:, -1] - ordered[:, -2]))


def _unlike(what: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> Sequence[str]:
    """Say which methods, or which settings of one, differ."""
    if list(there) != list(here):
        return [f"the {what} ({', '.join(there)} there, {', '.join(here)} here)"]
    return [f"the settings of {name}" for name in there if dict(there[name]) != dict(here[name])]
