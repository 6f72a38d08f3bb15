"""Subjects from pixels: how many people come back whole, and whether anybody is mixed up.

``python benchmarks/subjects_from_pixels.py --data FOLDER`` takes the Alzheimer slices of 200 people
without names, subjects and order, and says for each way of leaving slices away: how many people come back
whole (all of their slices together, and nobody else's), how many of the found subjects hold one person alone,
precision and recall of pairs of slices, and cases left without a subject. Then sets with one slice of each
person, in which each subject found would be wrong; and the time for as many as 30,000 thumbnails.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from xaimri.data import Dataset, alzheimer, subjects_from_pixels
from xaimri.data.chains import chain
from xaimri.data.thumbnails import thumbnails


def anonymous(dataset: Dataset, places: Iterable[int], seed: int = 0) -> tuple[Dataset, list[str]]:
    """Return some of the cases in a random order without names, and who they are of."""
    order = np.random.default_rng(seed).permutation(list(places)).tolist()
    cases = [replace(dataset[i], id=str(n), subject=None, slice=None) for n, i in enumerate(order)]
    return replace(dataset, cases=tuple(cases)), [str(dataset[i].subject) for i in order]


def figures(found: Sequence[str | None], true: Sequence[str]) -> str:
    """Hold the subjects found against the people."""
    both = Counter((one, person) for one, person in zip(found, true, strict=True) if one is not None)
    groups, people = Counter(one for one in found if one), Counter(true)
    whole = sum(n == groups[one] == people[person] for (one, person), n in both.items())
    owners = Counter(one for one, _ in both)
    pure = sum(n == 1 for n in owners.values())
    pairs = [sum(n * (n - 1) // 2 for n in each.values()) for each in (both, groups, people)]
    share = f"{pairs[0] / pairs[1]:.4f}" if pairs[1] else "-"
    recall = f"{pairs[0] / pairs[2]:.4f}" if pairs[2] else "-"
    return (
        f"{whole} of {len(people)} whole; {pure} of {len(groups)} subjects hold one person; "
        f"pairs: precision {share}, recall {recall}; {list(found).count(None)} of {len(found)} without"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    data = alzheimer.load(parser.parse_args().data)
    numbers = np.array([case.slice for case in data])
    people = np.array(data.subjects)
    rng = np.random.default_rng(0)
    ways = {
        "all slices": numbers > 0,
        "every 2nd": numbers % 2 == 0,
        "every 3rd": numbers % 3 == 0,
        "a tenth missing": rng.random(len(data)) < 0.9,
        "half missing": rng.random(len(data)) < 0.5,
        "two slices each": (numbers == 16) | (numbers == 17),
    }
    for name, kept in ways.items():
        hidden, true = anonymous(data, np.flatnonzero(kept))
        start = time.perf_counter()
        for joined in (False, True):
            found = subjects_from_pixels(hidden, join_unsure=joined)
            print(f"{name}{', unsure ones too' if joined else ''}: {figures(found.subjects, true)}")
        print(f"    {(time.perf_counter() - start) / 2:.0f} s")
    small = thumbnails(data)
    once = [
        np.array([rng.choice(np.flatnonzero(people == one)) for one in np.unique(people)]) for _ in range(100)
    ]
    levels = [np.flatnonzero(numbers == level) for level in range(1, 33)]
    few = [rng.choice(sample, rng.integers(2, 14), replace=False) for sample in once for _ in range(10)]
    for name, sets in {"one slice of each": once, "one level": levels, "2 to 13 people": few}.items():
        wrong = sum(bool((chain(small[each]).scan >= 0).any()) for each in sets)
        print(f"{name}: subjects were found in {wrong} of {len(sets)} sets")
    many = small[np.arange(30_000) % len(small)] + rng.normal(0, 5, (30_000, *small.shape[1:])).astype(
        np.float32
    )
    start = time.perf_counter()
    chain(many)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"30,000 thumbnails: {time.perf_counter() - start:.0f} s, {memory:.1f} GB at most")


if __name__ == "__main__":
    main()
