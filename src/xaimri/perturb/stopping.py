"""Sample until the answer is settled: when to stop, and when to say that it never was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias, cast

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from xaimri.arrays import Array
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.perturb.least_squares import Sampled
from xaimri.settings import choice, positive, whole, written

GROWTH = 1.4
"""By how much the number of samples grows from one look to the next."""


@dataclass(frozen=True)
class Auto:
    """How many samples to take: as many as it needs.

    Parameters
    ----------
    by
        ``"order"``: until the order of the ``top`` strongest regions, and that no other is stronger, is
        settled at the confidence asked for, over all comparisons together. Two regions count as tied, and
        their order as settled, once they are known to differ by less than ``tolerance`` of the strongest.
        ``"error"``: until the values' error, all together, is below ``tolerance`` of the values.
    top
        How many regions ``"order"`` looks at.
    tolerance
        See ``by``.
    confidence
        Of the statement, between 0 and 1.
    floor, ceiling
        Fewest and most samples. Where the ceiling comes first, the explanation says so (caveat
        ``not_converged``).

    Examples
    --------
    >>> list(Auto(floor=200, ceiling=500).looks())
    [200, 280, 392, 500]
    >>> values, errors = np.array([5.0, 3.0, 0.1]), np.diag([0.1, 0.1, 0.1])
    >>> Auto(top=2).settled(Sampled(values, errors)), Auto(top=2).settled(Sampled(values, 10 * errors))
    (True, False)
    """

    by: Literal["order", "error"] = "order"
    top: int = 5
    tolerance: float = 0.1
    confidence: float = 0.95
    floor: int = 300
    ceiling: int = 10_000
    name: ClassVar[str] = "auto"

    def __post_init__(self) -> None:
        choice(self, "by", ("order", "error"))
        for name, least in (("top", 1), ("floor", 20), ("ceiling", 20)):
            whole(self, name, least)
        for name in ("tolerance", "confidence"):
            positive(self, name)
        if self.confidence >= 1:
            raise InvalidInput(f"`confidence` must be between 0 and 1, got {self.confidence}.")
        if self.ceiling < self.floor:
            raise InvalidInput(f"`ceiling` must be at least `floor`, got {self.ceiling} and {self.floor}.")

    def record(self) -> dict[str, Any]:
        """Return the name and every setting as JSON types."""
        return {"name": self.name, "settings": {f.name: written(getattr(self, f.name)) for f in fields(self)}}

    def arrays(self) -> dict[str, Array]:
        """Return the settings that are arrays: none."""
        return {}

    def looks(self) -> Iterator[int]:
        """Yield after how many samples to look whether it is settled."""
        samples = float(self.floor)
        while round(samples) < self.ceiling:
            yield round(samples)
            samples *= GROWTH
        yield self.ceiling

    def settled(self, estimate: Sampled) -> bool:
        """Tell whether the values are known well enough."""
        left_out = (estimate.values == 0) & np.isnan(estimate.influence).all(axis=0)
        if left_out.all():
            return not len(left_out)
        estimate = Sampled(estimate.values[~left_out], estimate.influence[:, ~left_out])
        values = estimate.values
        if not np.isfinite(estimate.influence).all():
            return False
        if self.by == "error":
            return self.close(values, estimate.errors)
        order = np.argsort(-np.abs(values), kind="stable")
        rows, columns = np.triu_indices(len(values), 1)
        kept = rows < self.top
        first, second = order[rows[kept]], order[columns[kept]]
        if not len(first):
            return bool(np.abs(values[0]) > norm.ppf((1 + self.confidence) / 2) * estimate.errors[0])
        apart, error = _contrasts(estimate, first, second)
        limit = norm.ppf(1 - (1 - self.confidence) / (2 * len(first))) * error
        tied = apart + limit <= self.tolerance * np.abs(values).max()
        return bool(((apart > limit) | tied).all())

    def close(self, values: Array, errors: Array) -> bool:
        """Tell whether the errors, all together, are below the tolerance."""
        wide = norm.ppf((1 + self.confidence) / 2) * np.linalg.norm(errors)
        return bool(wide <= self.tolerance * np.linalg.norm(values))


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


def samples_setting(explainer: Any, least: int) -> None:
    """Check the setting ``samples``, and turn ``"auto"`` and a record into an :class:`Auto`."""
    value = explainer.samples
    if isinstance(value, Mapping):
        value = _from_record(value)
    elif isinstance(value, str) and value == "auto":
        value = Auto()
    if isinstance(value, Auto):
        object.__setattr__(explainer, "samples", value)
        return
    whole(explainer, "samples", least, 'or "auto"')


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


def looks(samples: Samples) -> Iterator[int]:
    """Yield the numbers of samples at which to look."""
    yield from samples.looks() if isinstance(samples, Auto) else (fewest(samples),)


def enough(samples: Samples, estimate: Sampled) -> bool:
    """Tell whether a rule is content with an estimate; without a rule, the number asked for is enough."""
    return not isinstance(samples, Auto) or samples.settled(estimate)


def not_settled(samples: Samples, estimate: Sampled) -> list[Caveat]:
    """Return the caveat of a run that reached its ceiling before it was settled."""
    return [unsettled(samples)] if isinstance(samples, Auto) and not samples.settled(estimate) else []


def unsettled(rule: Auto) -> Caveat:
    """Return the caveat of a rule that met its ceiling first."""
    what = f"the order of the {rule.top} strongest regions" if rule.by == "order" else "the relative error"
    return Caveat(
        "not_converged",
        f"After {rule.ceiling} samples {what} is not settled: raise `ceiling` or `tolerance`, or take fewer "
        "regions, and trust only differences that are larger than their errors.",
    )
