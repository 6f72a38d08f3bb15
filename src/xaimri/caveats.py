"""Caveats that every method shares: what probabilities, values and image say against a map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.objective import Of

ROUNDED = 1e-5
"""Where less than this is left to the other classes, single precision has lost how it changes."""


class Caveat(NamedTuple):
    """A reason not to trust a map: a fixed name, and a sentence that says what to do."""

    name: str
    text: str


def common_caveats(
    image: Array, values: Array, probabilities: Array, target: int, of: Of
) -> tuple[Caveat, ...]:
    """Return what is odd about one image's explanation, whichever method made it."""
    caveats = []
    p = float(probabilities[target])
    if of == "probability" and min(p, 1 - p) < 1e-4:
        caveats.append(
            Caveat(
                "saturated",
                f"The explained probability is {p:.6f}: it hardly moves whatever is changed, so the "
                "map is mostly "
                'noise; explain of="log_odds" instead.',
            )
        )
    first, second = np.sort(probabilities)[::-1][:2] if len(probabilities) > 1 else (1.0, 0.0)
    if first - second < 0.05:
        caveats.append(
            Caveat(
                "near_tie",
                f"The two likeliest classes are {100 * float(first - second):.1f} points of "
                "probability apart: "
                "look at the explanations of both.",
            )
        )
    if not np.isfinite(values).all():
        caveats.append(
            Caveat(
                "not_finite", "Some values are NaN or infinite: those pixels were not tested or overflowed."
            )
        )
    if np.ptp(image) == 0:
        caveats.append(
            Caveat(
                "constant_image",
                "Every pixel of the image has the same value, so there is nothing in it to explain: check "
                "that the right file, slice or window was taken.",
            )
        )
    return tuple(caveats)


def saturation(probabilities: Float[Array, " classes"]) -> tuple[tuple[str, str], ...]:
    """Say that probabilities of a model that hands out nothing else are too near 0 and 1 to be explained."""
    rest = 1 - float(probabilities.max())
    if rest >= ROUNDED:
        return ()
    sentence = (
        f"The model hands out probabilities only, and leaves {rest:.1g} to all other classes: their changes "
        "are lost in rounding, so the map is mostly noise. Explain the model up to its logits, with "
        'outputs="logits".'
    )
    return (("saturated", sentence),)
