"""The verdict on a split, in one of four words, and the sentence that says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeAlias

from xaimri.audit.pair import KINDS, MEANING, Pair

Verdict: TypeAlias = Literal["unsafe", "safe but for near copies", "subject-safe", "no leak found"]
"""What is said of a split."""


def verdict_on(pairs: Sequence[Pair], known: bool) -> Verdict:
    """Return the verdict, from the pairs that were found and whether every subject is known.

    Examples
    --------
    >>> verdict_on([], known=True), verdict_on([], known=False)
    ('subject-safe', 'no leak found')
    >>> verdict_on([Pair("a", "b", "near", 0.78, certain=False)], known=True)
    'safe but for near copies'
    """
    if any(pair.certain for pair in pairs):
        return "unsafe"
    if pairs:
        return "safe but for near copies"
    return "subject-safe" if known else "no leak found"


def reason_for(verdict: Verdict, pairs: Sequence[Pair], tested: int, unknown: int, unread: int = 0) -> str:
    """Return the sentence that says why a verdict is given.

    Parameters
    ----------
    pairs
        All of them.
    tested
        How many cases are in the test.
    unknown
        How many cases of both sides have no subject.
    unread
        How many images of both sides can't be read.
    """
    images = "1 image that can't be read was" if unread == 1 else f"{unread} images that can't be read were"
    left = f" ({images} not compared)" if unread else ""
    if verdict == "unsafe":
        met = len({pair.test for pair in pairs if pair.certain})
        return f"{met} of {tested} test images give away their answer: {counted(pairs)}."
    if verdict == "safe but for near copies":
        met = len({pair.test for pair in pairs})
        return (
            f"{met} of {tested} test images may be in training in another form; look at these pairs, and "
            f"decide: {counted(pairs, certain=False)}."
        )
    if verdict == "subject-safe":
        return (
            "every subject is known, none is on both sides, and no image of the test was found in training"
            f"{left}."
        )
    return (
        f"no image of the test was found in training{left}, but {unknown} images have no subject: whether "
        "one person is on both sides is not known."
    )


REMEDY: dict[Verdict, str] = {
    "unsafe": "Split people, not images, before any copy is made: `xaimri.data.split` and `xaimri train` do. "
    "Where nobody knows who was scanned, `xaimri data subjects` may tell it from the pixels.",
    "safe but for near copies": "Give both images of a pair that shows one person one subject, and split "
    "again.",
    "no leak found": "Say who was scanned, and audit again: by `subject=` of `xaimri.data.read_folder`, or "
    "by the table that `xaimri data subjects` makes of the pixels.",
    "subject-safe": "",
}
"""What to do, after a verdict."""


def counted(pairs: Sequence[Pair], certain: bool = True) -> str:
    """Return how many test images have a pair of every kind, in words.

    Examples
    --------
    >>> counted([Pair("a", "x", "near", 0.99), Pair("b", "x", "near", 0.98), Pair("c", "y", "subject", 0.5)])
    '1 by altered copies, 1 by images of one subject'
    """
    met = Counter(kind for kind, _ in {(pair.kind, pair.test) for pair in pairs if pair.certain is certain})
    return ", ".join(f"{met[kind]} by {MEANING[kind]}" for kind in KINDS if met[kind])
