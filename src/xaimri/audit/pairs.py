"""Pairs of a test image and a training image of which one gives the other away."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from xaimri.audit.pair import Kind, Pair
from xaimri.data.case import Case, Dataset
from xaimri.data.copies import copy_kind, find_copies
from xaimri.data.likeness import NEAR, SAME_SCAN, Match, alike, similarity_of
from xaimri.data.looks import Looks


def find_pairs(
    train: Dataset, test: Dataset, looks: tuple[Looks, Looks], told_apart: bool
) -> tuple[Pair, ...]:
    """Return all pairs that were found, in the order of the test's cases, the plainest leak of each first.

    Parameters
    ----------
    train, test
        Both sides.
    looks
        Their images, as they are compared.
    told_apart
        Whether these images can be told apart by what they look like; if not, no altered copy is certain.
    """
    equal = dict(_copies(train, test))
    matches = defaultdict(list)
    for match in alike(*looks):
        if (match.train, match.test) not in equal:
            matches[match.test].append(match)
    same = _by_subject(train)
    copied = defaultdict(list)
    for (there, here), kind in equal.items():
        copied[here].append(Pair(train[there].id, test[here].id, kind, 1.0))
    pairs: list[Pair] = []
    for here, case in enumerate(test):
        pairs += copied[here]
        pairs += _alike(train, case, matches[here], told_apart, sure=bool(copied[here]))
        if case.subject is not None and case.subject in same:
            there = _nearest_slice(train, same[case.subject], case)
            pairs.append(Pair(train[there].id, case.id, "subject", _likeness(looks, there, here)))
    return tuple(pairs)


def _copies(train: Dataset, test: Dataset) -> Iterator[tuple[tuple[int, int], Kind]]:
    """Yield places in training and in the test of equal images, and of what is equal."""
    both = [*train, *test]
    for members in find_copies(both):
        for there in (i for i in members if i < len(train)):
            for here in (i for i in members if i >= len(train)):
                yield (there, here - len(train)), copy_kind(both[there], both[here])


def _alike(
    train: Dataset, case: Case, matches: Sequence[Match], told_apart: bool, sure: bool
) -> Iterator[Pair]:
    """Yield the pairs of an image of the test with what is like it.

    A neighbour in a scan is certain only where the subjects do not say that it is another person's. The best
    uncertain one is told where nothing else is.
    """
    for match in matches:
        other = train[match.train]
        known = None not in (case.subject, other.subject)
        same, apart = (known and (case.subject == other.subject) is each for each in (True, False))
        kind: Kind = "near" if match.similarity >= NEAR else "neighbour"
        certain = told_apart and match.similarity >= (NEAR if apart else SAME_SCAN)
        if certain or not (sure or same):
            yield Pair(other.id, case.id, kind, match.similarity, certain)
            sure = True


def _by_subject(train: Dataset) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, case in enumerate(train):
        if case.subject is not None:
            found[case.subject].append(place)
    return found


def _nearest_slice(train: Dataset, places: Sequence[int], case: Case) -> int:
    """Return the training slice of a subject nearest to one of the test; the first where none is known."""

    def away(place: int) -> float:
        here, there = case.slice, train[place].slice
        return math.inf if here is None or there is None else abs(here - there)

    return min(places, key=away)


def _likeness(looks: tuple[Looks, Looks], there: int, here: int) -> float:
    if not (looks[0].told[there] and looks[1].told[here]):
        return math.nan
    return similarity_of(*looks, (there, here))
