"""Integrated gradients on the trained ResNet50: equal steps against steps halved where they miss most.

    python benchmarks/integrated_steps.py --shared SHARED [--slices 3]

SHARED holds ``models/resnet50_stages.keras`` and ``data/alzheimer``. *Gap*: by how much the values miss the
difference of the two scores, as a share of it. *Error*: norm of the map's difference to that of 2,000 equal
steps, over the norm of the latter. Medians over held-out slices.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np

import xaimri
from xaimri.adapters.keras import load_model
from xaimri.data import alzheimer, load_images
from xaimri.objective import Objective

COUNTS = (31, 63, 127, 255)


def main() -> None:
    """Print gap and error of both by the number of steps."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, required=True)
    options.add_argument("--slices", type=int, default=3)
    given = options.parse_args()
    dataset = alzheimer.load(given.shared / "data" / "alzheimer")
    named = json.loads((given.shared / "models" / "test_subjects.json").read_text())["test_subjects"]
    chosen = [i for i, c in enumerate(dataset) if c.subject in named and c.slice == 16]
    model = xaimri.KerasClassifier(load_model(given.shared / "models" / "resnet50_stages.keras"))
    rows: dict[tuple[str, int], list[tuple[float, float]]] = {}
    some = chosen[:: len(chosen) // given.slices][: given.slices]
    for image in load_images(dataset.take(some), (96, 96), fit="pad"):
        path = Line(model, image)
        truth = path.values(np.linspace(0, 1, 2001))
        for count in COUNTS:
            for name, places in (
                ("equal", np.linspace(0, 1, count + 1)),
                ("halved where they miss", path.halved(count)),
            ):
                values = path.values(places)
                error = float(np.linalg.norm(values - truth) / np.linalg.norm(truth))
                rows.setdefault((name, count), []).append((path.gap(values), error))
    print(f"{'steps':<24} number    gap  error")
    for (name, count), found in sorted(rows.items()):
        gap, error = np.median(found, axis=0)
        print(f"{name:<24} {count:>6}  {gap:.3f}  {error:.3f}")


class Line:
    """The path from black to an image; every place is asked for once."""

    def __init__(self, model: xaimri.KerasClassifier, image: np.ndarray) -> None:
        self.model, self.image = model, image
        self.known: dict[float, tuple[np.ndarray, float]] = {}

    def ask(self, places: np.ndarray) -> None:
        """Get gradients and scores at places that are not known yet."""
        new = [float(p) for p in places if float(p) not in self.known]
        for first in range(0, len(new), 32):
            part = new[first : first + 32]
            points = np.float32(part)[:, None, None, None] * self.image
            found = self.model.gradient(points, Objective((0,) * len(part)))
            scores = map(float, found.logits[:, 0])
            self.known |= {p: (g, s) for p, g, s in zip(part, found.values, scores, strict=True)}

    def values(self, places: np.ndarray) -> np.ndarray:
        """Return the map by the trapezoidal rule on these places."""
        self.ask(places)
        lengths = np.diff(places)
        weights = (np.append(lengths, 0) + np.append(0, lengths)) / 2
        total = np.zeros(self.image.shape)
        for weight, place in zip(weights, places, strict=True):
            total += weight * self.known[float(place)][0]
        return (total * self.image).sum(axis=-1)

    def gap(self, values: np.ndarray) -> float:
        """Return by how much a map misses the difference of the scores, as a share of it."""
        difference = self.known[1.0][1] - self.known[0.0][1]
        return abs(float(values.sum()) - difference) / abs(difference)

    def halved(self, count: int) -> np.ndarray:
        """Return so many steps, from 15 equal ones on, the eight that miss most halved each time."""
        places = np.linspace(0, 1, 16)
        while len(places) <= count:
            self.ask(places)
            misses = [self._miss(a, b) for a, b in pairwise(places)]
            worst = np.argsort(misses)[::-1][: min(8, count + 1 - len(places))]
            places = np.sort(np.append(places, (places[worst] + places[worst + 1]) / 2))
        return places

    def _miss(self, a: float, b: float) -> float:
        (first, low), (last, high) = self.known[float(a)], self.known[float(b)]
        share = float(np.vdot((first + last).astype(np.float64), self.image)) * (b - a) / 2
        return abs(share - (high - low))


if __name__ == "__main__":
    main()
