"""What is odd about an explanation whichever method made it, told from its numbers alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.caveats import Caveat, Reason
from xaimri.objective import Of

ROUNDED = 1e-5
"""Where less than this is left to the other classes, single precision has lost how it changes."""


def common_caveats(
    image: Array,
    values: Array,
    probabilities: Array,
    target: int,
    of: Of,
    against: int | None = None,
) -> tuple[Caveat, ...]:
    """Return what is odd about one image's explanation, whichever method made it."""
    caveats = []
    p = float(probabilities[target])
    if of == "probability" and min(p, 1 - p) < 1e-4:
        caveats.append(Reason.SATURATED.caveat(probability=p))
    first, second = np.sort(probabilities)[::-1][:2] if len(probabilities) > 1 else (1.0, 0.0)
    likeliest = {int(n) for n in np.argsort(-probabilities, kind="stable")[:2]}
    if first - second < 0.05 and {target, against} != likeliest:  # held against each other they are answered
        caveats.append(Reason.NEAR_TIE.caveat(points=100 * float(first - second)))
    if not np.isfinite(values).all():
        caveats.append(Reason.NOT_FINITE.caveat())
    if np.ptp(image) == 0:
        caveats.append(Reason.CONSTANT_IMAGE.caveat())
    return tuple(caveats)


def cut_off(
    logits: Array, target: int, against: int | None, classes: tuple[str, ...], least: float
) -> tuple[Caveat, ...]:
    """Say which of two classes held against each other has the least probability that is told apart.

    ``least`` is where a model that hands out nothing but probabilities cuts them off.
    """
    pair = () if against is None else (target, against)
    return tuple(
        Reason.SATURATED.caveat(lost=classes[n], least=least)
        for n in pair
        if abs(float(logits[n]) - np.log(least)) < ROUNDED
    )


def saturation(probabilities: Float[Array, " classes"]) -> tuple[Caveat, ...]:
    """Say that probabilities of a model that hands out nothing else are too near 0 and 1 to be explained."""
    rest = 1 - float(probabilities.max())
    return (Reason.SATURATED.caveat(rest=rest),) if rest < ROUNDED else ()


def further(doubts: Sequence[Caveat], of: Of) -> tuple[Caveat, ...]:
    """Return a model's own doubts; of a probability that is saturated everyone says so already."""
    return tuple(d for d in doubts if of != "probability" or d.reason is not Reason.SATURATED)
