"""How much an explanation depends on what a hidden region looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Stored
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation
from xaimri.kinds import Several
from xaimri.metrics.model import classifier_of
from xaimri.metrics.score import refuse_constant
from xaimri.objective import Of
from xaimri.perturb.absent import Absent, AbsentRule
from xaimri.targets import Target

CHOICES: tuple[Absent, ...] = ("mean", "blur", "noise", 0.0)
"""What is compared unless the caller says otherwise."""


@dataclass(frozen=True, eq=False)
class AbsentSensitivity:
    """One explanation per choice of what is absent, and how far they lie apart.

    Attributes
    ----------
    explanations
        By the choice's name.
    values
        ``(choices, regions)``: one row per choice.
    spread
        ``(regions,)``: standard deviation over the choices, in the explanation's unit.
    relative
        Root mean square of ``spread`` over that of the values: 0 where the choice does not matter, about 1
        where it decides everything.
    correlation
        ``(choices, choices)``: Spearman's rank correlation, -1 to 1; 1 where the order is the same.
    excess
        ``relative`` with the values' own sampling error taken away, where the method states it: a lower
        bound, since all choices are asked with the same masks and part of that error cancels.
    ratio
        ``(regions,)``: ``spread`` over the values' own standard errors (root mean square over the choices);
        NaN where the method states none, or none above 0.
    """

    explanations: Mapping[str, Explanation]
    values: Float[Array, "choices regions"]
    spread: Float[Array, " regions"]
    relative: float
    correlation: Float[Array, "choices choices"]
    excess: float
    ratio: Float[Array, " regions"]

    def __str__(self) -> str:
        names = list(self.explanations)
        wide = max(map(len, names))
        each = [max(5, len(name)) for name in names]
        rows = [
            f"{name:<{wide}}  " + "  ".join(f"{r:{n}.2f}" for r, n in zip(row, each, strict=True))
            for name, row in zip(names, self.correlation, strict=True)
        ]
        return "\n".join(
            [
                "Rank correlation between what absent regions look like:",
                f"{'':<{wide}}  " + "  ".join(f"{name:>{n}}" for name, n in zip(names, each, strict=True)),
                *rows,
                f"Spread over the choices: {100 * self.relative:.0f} % of the values "
                f"(at least {100 * self.excess:.0f} % beyond their sampling error).",
            ]
        )


@check_arguments(choices=Several(AbsentRule()))
def absent_sensitivity(
    explainer: Explainer[Any],
    classifier: ModelLike,
    image: Image,
    choices: Sequence[Absent] = CHOICES,
    *,
    target: Target = None,
    of: Of | None = None,
    against: Target = None,
) -> AbsentSensitivity:
    """Explain an image once for each look of its hidden regions, and measure how far the values move.

    A large spread says that the map tells as much about the stand-in as about the image. A small one does
    not say that the map is right: all choices may be equally far from anything the model was trained on.

    Parameters
    ----------
    explainer
        A method with the settings ``absent`` and ``regions``, such as ``LIME(samples=500)``.
    classifier
        The model.
    image
        ``(*space, channels)`` on the model's own grid.
    choices
        Values of ``absent``; at least two.
    target, of, against
        As of :func:`xaimri.explain`; the same class is explained throughout.

    Notes
    -----
    Costs the explainer once per choice. All choices share the regions of the first.

    Examples
    --------
    >>> from xaimri import LIME, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((8, 9, 1), dtype="float32")
    >>> found = absent_sensitivity(LIME(samples=100, regions=6), model, image, ["mean", "mean"])
    >>> found.relative, found.correlation.tolist()
    (0.0, [[1.0, 1.0], [1.0, 1.0]])
    """
    has = {f.name for f in fields(cast(Any, explainer))}
    if not {"absent", "regions"} <= has:
        raise InvalidInput(
            f"{type(explainer).__name__} hides no regions: take a method that does, such as LIME or SHAP."
        )
    if len(choices) < 2:
        raise InvalidInput("give at least two `choices` of what is absent to compare.")
    found: dict[str, Explanation] = {}
    method, model = cast(Any, explainer), classifier_of(classifier)
    for number, choice in enumerate(choices):
        (explanation,) = replace(method, absent=choice).explain(
            model, image[None], target, of=of, against=against
        )
        refuse_constant(explanation)
        if explanation.regions is None:
            raise InvalidInput("the method gave no regions: set its `regions`, such as regions=50.")
        target, against = explanation.target, explanation.against
        method = replace(method, regions=Stored(explanation.regions.labels))
        found[_name(choice, number, found)] = explanation
    return _sensitivity(found)


def _name(choice: Absent, number: int, known: Mapping[str, Explanation]) -> str:
    """Return a short name for a choice, different from the others'."""
    name = (
        choice
        if isinstance(choice, str)
        else f"{float(choice):g}"
        if isinstance(choice, int | float | np.number)
        else "reference"
    )
    return f"{name}#{number}" if name in known else name


def _sensitivity(found: Mapping[str, Explanation]) -> AbsentSensitivity:
    from scipy.stats import rankdata

    values = np.stack([cast(Any, e.regions).values for e in found.values()])
    tested = np.isfinite(values).all(axis=0)
    kept = values[:, tested]
    spread = np.full(values.shape[1], np.nan)
    spread[tested] = kept.std(axis=0, ddof=1)
    scale = float(np.sqrt((kept**2).mean())) if kept.size else 0.0
    own = [cast(Any, e.regions).errors for e in found.values()]
    noise = (
        np.mean([np.nanmean(np.square(e[tested])) if e is not None else 0.0 for e in own]) if kept.size else 0
    )
    square = float((spread[tested] ** 2).mean()) if kept.size else 0.0
    ranks = np.stack([rankdata(row) for row in kept]) if kept.size else kept
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.corrcoef(ranks) if kept.shape[1] > 1 else np.full((len(values),) * 2, np.nan)
    return AbsentSensitivity(
        found,
        values,
        spread,
        float(np.sqrt(square)) / scale if scale else 0.0,
        np.round(correlation, 12),
        float(np.sqrt(max(square - float(noise), 0.0))) / scale if scale else 0.0,
        _ratio(spread, own),
    )


def _ratio(spread: Array, errors: Sequence[Array | None]) -> Array:
    """Return the spread over the standard errors, NaN where there are none."""
    stated = np.stack([np.full(spread.shape, np.nan) if e is None else e for e in errors])
    own = np.sqrt(np.square(stated).mean(axis=0))
    found: Array = np.divide(spread, own, out=np.full(spread.shape, np.nan), where=own > 0)
    return found
