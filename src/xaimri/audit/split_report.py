"""The audit of a split as a page, with the pairs as pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8

from xaimri.arrays import Array
from xaimri.audit.controls import Controls
from xaimri.audit.pair import MEANING, Pair
from xaimri.audit.verdict import Verdict
from xaimri.data.case import Case
from xaimri.data.copies import pixels_of
from xaimri.data.likeness import NEAR, SAME_SCAN, UNCERTAIN
from xaimri.data.planes import flat
from xaimri.documents.picture import Picture, picture

Cases: TypeAlias = Mapping[str, Case]
"""Cases by their ids."""

HEIGHT = 176
"""Height of an image of a pair, in pixels."""

SHOWN = 24
"""Pairs that are shown as pictures."""

COLOUR: dict[Verdict, str] = {
    "unsafe": "bad", "safe but for near copies": "unsure", "subject-safe": "good", "no leak found": "unsure",
}  # fmt: skip
"""What stands beside the words of a verdict."""


def worth_rows(found: Controls) -> list[list[str]]:
    """Return the table of controls."""
    apart = (found.apart, found.balanced_apart, found.shuffled_apart)
    return [
        ["as the split is", *map(str, (found.nearest, found.balanced, found.shuffled))],
        ["without images of the same person", *map(str, apart)],
        ["always the commonest class", f"{found.chance:.2f}", "", ""],
    ]


def lead_of(found: Controls) -> str:
    """Return the one sentence on what the leak is worth."""
    return (
        f"The label of the most similar training image is right for {_share(found.nearest.value)} of the "
        f"test, and for {_share(found.apart.value)} where training images of the same person are left out. "
        "With labels dealt anew over people, which leaves nothing to learn but who they are, it is right for "
        f"{_share(found.shuffled.value)}."
    )


def pictures_of(pairs: Sequence[Pair], train: Cases, test: Cases) -> list[Picture]:
    """Return pictures of twos of images, as `varied` chooses them, each with all that gives them away."""
    import cv2

    made = []
    for told in varied(pairs, test, SHOWN):
        sides = [_side(test[told[0].test]), _side(train[told[0].train])]
        gap = np.full((HEIGHT, 6), 128, np.uint8)
        done, png = cv2.imencode(".png", np.hstack([sides[0], gap, sides[1]]))
        reasons, like = reasons_of(told)
        words = (
            f"{reasons}: {told[0].test} of the test, {told[0].train} of training"
            f"{like and f', similarity {like}'}"
        )
        if done:
            made.append(picture(png.tobytes(), f"Two images side by side, {words}.", words))
    return made


def varied(pairs: Sequence[Pair], test: Cases, most: int) -> list[tuple[Pair, ...]]:
    """Return at most so many twos of images in their order, so that each person is met before any twice.

    Each two are there once, with every pair that is of them. Where the subject of the test's image is not
    known, its own id stands for the person.
    """
    met: Counter[tuple[bool, str]] = Counter()
    ranked, couples = [], couples_of(pairs)
    for place, (first, *_) in enumerate(couples):
        subject = test[first.test].subject
        person = (subject is None, first.test if subject is None else subject)
        ranked.append((met[person], place))
        met[person] += 1
    return [couples[place] for place in sorted(place for _, place in sorted(ranked)[:most])]


def couples_of(pairs: Sequence[Pair]) -> list[tuple[Pair, ...]]:
    """Return the pairs of the same two images together, in the order in which these are first met."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        found.setdefault((pair.test, pair.train), []).append(pair)
    return [tuple(dict.fromkeys(each)) for each in found.values()]


def reasons_of(told: Sequence[Pair], unsure: str = " (uncertain)") -> tuple[str, str]:
    """Return in words all that gives two images away, and how alike they are; empty where unknown."""
    kinds = [MEANING[pair.kind] + ("" if pair.certain else unsure) for pair in told]
    known = [pair.similarity for pair in told if not math.isnan(pair.similarity)]
    return "; ".join(kinds), f"{known[0]:.3f}" if known else ""


def _side(case: Case) -> UInt8[Array, "height width"]:
    """Return one image from its darkest to its brightest value, at one height; grey if it can't be read."""
    import cv2

    image = pixels_of(case)
    if image is None or not image.size:
        return np.full((HEIGHT, HEIGHT), 128, np.uint8)
    plane = np.nan_to_num(flat(image))
    low, high = float(plane.min()), float(plane.max())
    grey = np.round((plane - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    wide = min(4 * HEIGHT, max(1, round(plane.shape[1] * HEIGHT / plane.shape[0])))
    resized: Array = cv2.resize(grey, (wide, HEIGHT), interpolation=cv2.INTER_AREA)
    return resized


def _share(value: float) -> str:
    return "an unknown share" if math.isnan(value) else f"{100 * value:.0f} %"


def facts_of(images: tuple[int, int], unknown: int) -> list[tuple[str, str]]:
    """Return what was looked at."""
    return [
        ("Images of training", str(images[0])),
        ("Images of the test", str(images[1])),
        ("Images without a subject", str(unknown)),
        ("Altered copies", f"from a similarity of {NEAR}, in structure finer than 1/32 of the image"),
        ("Slices of one scan", f"from {SAME_SCAN}; from {UNCERTAIN} on it is not certain"),
    ]
