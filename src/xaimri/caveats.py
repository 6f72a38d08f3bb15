"""Caveats that every method shares: what probabilities, values and image say against a map."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Array
from xaimri.classifier import Of
from xaimri.explanation import Caveat


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
