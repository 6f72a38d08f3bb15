"""When to stop sampling, and when to say that it was stopped too early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, cast

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.perturb.least_squares import Sampled
from xaimri.record import to_json
from xaimri.rules import Choice, Number, Rule, WholeNumber
from xaimri.settings import check, document, setting

GROWTH = 1.4
"""By how much the number of samples grows from one checkpoint to the next."""


@document
@dataclass(frozen=True)
class Auto:
    """How many samples to take: as many as it needs.

    Examples
    --------
    >>> list(Auto(floor=200, ceiling=500).checkpoints())
    [200, 280, 392, 500]
    >>> values, errors = np.array([5.0, 3.0, 0.1]), np.diag([0.1, 0.1, 0.1])
    >>> Auto(top=2).accepts(Sampled(values, errors)), Auto(top=2).accepts(Sampled(values, 10 * errors))
    (True, False)
    """

    by: Literal["order", "error"] = setting(
        "order",
        Choice(("order", "error")),
        doc='What is to be known. ``"order"``: the order of the ``top`` strongest regions, and that no '
        "other is stronger, at the confidence asked for, over all comparisons together. Two regions "
        "count as tied, and their order as known, once they are known to differ by less than "
        '``tolerance`` of the strongest. ``"error"``: the values, with an error, all together, below '
        "``tolerance`` of the values.",
    )
    top: int = setting(5, WholeNumber(1), doc='How many regions ``"order"`` asks for.', unit="regions")
    tolerance: float = setting(0.1, Number(above=0), doc="See ``by``.")
    confidence: float = setting(0.95, Number(above=0, below=1), doc="Of the statement.")
    floor: int = setting(300, WholeNumber(20), doc="Fewest samples.")
    ceiling: int = setting(
        10_000,
        WholeNumber(20),
        doc="Most samples. Where they come first, the explanation says so (caveat ``not_converged``).",
    )
    name: ClassVar[str] = "auto"

    def __post_init__(self) -> None:
        check(self)
        if self.ceiling < self.floor:
            raise InvalidInput(f"`ceiling` must be at least `floor`, got {self.ceiling} and {self.floor}.")

    def record(self) -> dict[str, Any]:
        """Return the name and every setting as JSON types."""
        return {"name": self.name, "settings": {f.name: to_json(getattr(self, f.name)) for f in fields(self)}}

    def arrays(self) -> dict[str, Array]:
        """Return the settings that are arrays: none."""
        return {}

    def checkpoints(self) -> Iterator[int]:
        """Yield after how many samples to ask whether they are enough."""
        samples = float(self.floor)
        while round(samples) < self.ceiling:
            yield round(samples)
            samples *= GROWTH
        yield self.ceiling

    def accepts(self, estimate: Sampled) -> bool:
        """Tell whether the values are known well enough."""
        left_out = (estimate.values == 0) & np.isnan(estimate.influence).all(axis=0)
        if left_out.all():
            return not len(left_out)
        estimate = Sampled(estimate.values[~left_out], estimate.influence[:, ~left_out])
        values = estimate.values
        if not np.isfinite(estimate.influence).all():
            return False
        if self.by == "error":
            return self.accepts_errors(values, estimate.errors)
        order = np.argsort(-np.abs(values), kind="stable")
        rows, columns = np.triu_indices(len(values), 1)
        kept = rows < self.top
        first, second = order[rows[kept]], order[columns[kept]]
        if not len(first):
            return bool(np.abs(values[0]) > _quantile((1 + self.confidence) / 2) * estimate.errors[0])
        apart, error = _contrasts(estimate, first, second)
        limit = _quantile(1 - (1 - self.confidence) / (2 * len(first))) * error
        tied = apart + limit <= self.tolerance * np.abs(values).max()
        return bool(((apart > limit) | tied).all())

    def accepts_errors(self, values: Array, errors: Array) -> bool:
        """Tell whether the errors, all together, are below the tolerance."""
        wide = _quantile((1 + self.confidence) / 2) * np.linalg.norm(errors)
        return bool(wide <= self.tolerance * np.linalg.norm(values))


def _quantile(probability: float) -> float:
    """Return what a standard normal variable stays below with this probability."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def _contrasts(
    estimate: Sampled, first: Array, second: Array
) -> tuple[Float[Array, " pairs"], Float[Array, " pairs"]]:
    """Return by how much the first of each pair is stronger, and the standard error of that."""
    strength = np.abs(estimate.values)
    sign = np.where(estimate.values < 0, -1.0, 1.0)
    covariance = sign[:, None] * (estimate.influence.T @ estimate.influence) * sign
    variance = covariance[first, first] + covariance[second, second] - 2 * covariance[first, second]
    return strength[first] - strength[second], np.sqrt(np.maximum(variance, 0))


Samples: TypeAlias = int | Literal["auto"] | Auto | Mapping[str, Any]
"""A number of samples, or a rule for it, or a rule's record; ``"auto"`` is :class:`Auto` as it stands."""


@dataclass(frozen=True)
class SamplesRule(Rule):
    """A number of samples of at least so much, a rule for it, or the record of one.

    ``auto`` is the rule that the word ``"auto"`` stands for.
    """

    least: int
    auto: Auto = field(default_factory=Auto)

    @property
    def allowed(self) -> str:
        """What may be given."""
        return WholeNumber(self.least, 'or "auto"').allowed

    def convert(self, value: object, name: str, /) -> int | Auto:
        """Return the number as a plain int, a word or a record as an :class:`Auto`."""
        if isinstance(value, Mapping):
            return _from_record(value)
        if isinstance(value, Auto):
            return value
        if isinstance(value, str) and value == "auto":
            return self.auto
        return WholeNumber(self.least, 'or "auto"').convert(value, name)


def _from_record(record: Mapping[str, Any]) -> Auto:
    settings = record.get("settings")
    if record.get("name") != Auto.name or not isinstance(settings, Mapping):
        raise InvalidInput(f"`samples` is no record of an Auto, got {dict(record)}: write Auto(floor=...).")
    try:
        return Auto(**settings)
    except TypeError as failure:
        raise InvalidInput(f"`samples` is no record of an Auto: {failure}.") from None


def fewest(samples: Samples) -> int:
    """Return how many samples there will be at least."""
    return samples.floor if isinstance(samples, Auto) else cast(int, samples)


def checkpoints(samples: Samples) -> Iterator[int]:
    """Yield the numbers of samples at which to ask whether they are enough."""
    yield from samples.checkpoints() if isinstance(samples, Auto) else (fewest(samples),)


def accepts(samples: Samples, estimate: Sampled) -> bool:
    """Tell whether a rule is content with an estimate; without a rule, the number asked for is enough."""
    return not isinstance(samples, Auto) or samples.accepts(estimate)


def shortfall(samples: Samples, estimate: Sampled) -> list[Caveat]:
    """Return the caveat of a run that reached its ceiling before the rule was content."""
    return [ceiling_caveat(samples)] if isinstance(samples, Auto) and not samples.accepts(estimate) else []


def ceiling_caveat(rule: Auto) -> Caveat:
    """Return the caveat of a rule that met its ceiling first."""
    what = f"the order of the {rule.top} strongest regions" if rule.by == "order" else "the relative error"
    return Caveat(
        "not_converged",
        f"After {rule.ceiling} samples {what} is not settled: raise `ceiling` or `tolerance`, or take fewer "
        "regions, and trust only differences that are larger than their errors.",
    )
