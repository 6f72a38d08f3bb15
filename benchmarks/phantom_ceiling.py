"""See how well anybody could stage the phantom who knows the volumes of its structures.

    python benchmarks/phantom_ceiling.py

Measures ventricles, hippocampi and the fluid outside the ventricles of every subject on a lattice of 4 mm,
over the volume of the brain, and stages subjects from the logarithms by a logistic regression, in 10 folds:
balanced accuracy with its 95 % interval over subjects, for every change and set of stages. A network that is
given slices can hardly do better, so stages that this can't tell apart are too hard for a demonstration.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import get_args

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xaimri.data import phantom
from xaimri.data.phantom.head import CENTRE, Head, Subject, brain_depth
from xaimri.data.phantom.scanner import only
from xaimri.data.phantom.shapes import filled
from xaimri.data.phantom.tissue import FLUID, hippocampi, tissue, ventricles

STAGES = ((0, 1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 3))
EDGE = 4.0


def main() -> None:
    """Print a row for every change, a column for every set of stages."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--subjects", type=int, default=120, help="as many as the demonstration has")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    found = np.array([_volumes(given.seed, index) for index in range(given.subjects)])
    print(f"{'change':<12}", *(f"{'stages ' + ', '.join(map(str, stages)):<22}" for stages in STAGES))
    for number, change in enumerate(get_args(phantom.Change)):
        cells = [_interval(*_staged(np.log(found[:, number]), stages)) for stages in STAGES]
        print(f"{change:<12}", *(f"{f'{m:.3f} [{low:.3f}, {high:.3f}]':<22}" for m, low, high in cells))


def _volumes(seed: int, index: int) -> list[list[tuple[float, float, float]]]:
    """Ventricles, hippocampi and other fluid of one subject over the brain, ``(changes, stages, 3)``."""
    subject = Subject.draw(np.random.default_rng([seed, index]))
    axes = [c + np.arange(-w, w + 1, EDGE) for c, w in zip(CENTRE, (75, 93, 68), strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    points = points[brain_depth(subject, points) > 0]
    whole = Head.at(subject, points)
    found = []
    for change in get_args(phantom.Change):
        head = replace(whole, subject=only(subject, change))
        found.append([_measured(head, stage) for stage in range(len(phantom.STAGES))])
    return found


def _measured(head: Head, stage: int) -> tuple[float, float, float]:
    brain = len(head.points)
    inner = filled(ventricles(head, stage), EDGE).sum() / brain
    fluid = tissue(head, stage, EDGE)[:, FLUID].sum() / brain
    return inner, filled(hippocampi(head, stage), EDGE).sum() / brain, fluid - inner


def _staged(measures: np.ndarray, stages: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted labels; subject i has the stage that `phantom.make` gives it."""
    labels = np.arange(len(measures)) % len(stages)
    chosen = measures[np.arange(len(measures)), np.array(stages)[labels]]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    return labels, cross_val_predict(model, chosen, labels, cv=folds)


def _interval(labels: np.ndarray, predicted: np.ndarray) -> tuple[float, float, float]:
    right, rng = labels == predicted, np.random.default_rng(0)
    rows = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    drawn = [np.mean([right[rng.choice(r, len(r))].mean() for r in rows]) for _ in range(2000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(np.mean([right[r].mean() for r in rows])), float(low), float(high)


if __name__ == "__main__":
    main()
