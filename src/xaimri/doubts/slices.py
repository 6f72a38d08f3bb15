"""What is odd about a volume that was explained slice by slice, from what is odd about its slices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from xaimri.arrays import Array, Scores
from xaimri.caveats import Caveat, Reason

RARE = 0.1
"""A caveat of less than this share of the slices is told only where it is of one of the strongest."""

OF_THE_SUBJECT = {
    Reason.NEAR_TIE,
    Reason.CONSTANT_IMAGE,
    Reason.BURNED_IN,
    Reason.IDENTITY_KEPT,
}
"""What is asked about the whole volume, and is ordinary of a single slice, or not known of it."""

ORDINARY = {Reason.SATURATED, Reason.OUTSIDE_WINDOW}
"""What is ordinary of a single slice, such as one of air, and told from a larger share of them."""

MOST = 0.5
"""Share of the slices from which something ordinary is told."""


def gathered(made: Mapping[int, Sequence[Caveat]], strongest: Sequence[int]) -> Iterable[Caveat]:
    """Return each caveat of the slices once, with how many have it."""
    held: dict[str, list[tuple[int, Caveat]]] = {}
    for place, one in made.items():
        for caveat in {each.name: each for each in one}.values():
            if caveat.reason not in OF_THE_SUBJECT:
                held.setdefault(caveat.name, []).append((place, caveat))
    for found in held.values():
        places = [place for place, _ in found]
        ordinary = found[0][1].reason in ORDINARY
        few = len(found) < (MOST if ordinary else RARE) * len(made)
        if few and (ordinary or not set(places) & set(strongest)):
            continue
        (caveat, count), *_ = Counter(caveat for _, caveat in found).most_common(1)
        at = next(place for place, one in found if one == caveat)
        yield caveat if count == len(made) else caveat.of_slices(len(found), len(made), at)


def apart(rows: Scores, together: Array) -> Iterator[Caveat]:
    """Say that most slices are predicted otherwise than the subject."""
    same = int((rows.argmax(axis=1) == together.argmax()).sum())
    if 2 * same < len(rows):
        yield Reason.SLICES_DISAGREE.caveat(same=same, slices=len(rows))
