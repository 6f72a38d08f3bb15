"""Shapley values at equal calls: ours against the estimators of the packages `shap` and `shapiq`.

    python benchmarks/shapley_error.py [--shared SHARED] [--seeds 5]

Three kinds of games. Twelve regions of real slices under the trained ResNet50, and sixteen under a small
network, whose exact values come from all masks; and sums of random trees of 50 players, whose values are
known. Printed are mean squared errors in units of the mean square of the exact values. `ours, plain`
leaves the regressions out. Every estimator is held to the calls that it was allowed, and takes the options
of its package that serve it best, which are drawing masks in pairs for `shapiq`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from real_slices import SHARED, network, slices
from small_networks import images_of
from small_networks import network as small_network

import xaimri
from xaimri.objective import Objective
from xaimri.perturb import shapley
from xaimri.perturb.absent import segment_mean
from xaimri.perturb.coalitions import all_of, paired
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.segments import grid
from xaimri.perturb.trees import Leaves

sys.modules["coverage"] = None  # numba looks for a package of that name, and would find our benchmark
import shap  # noqa: E402
from shapiq import approximator  # noqa: E402

Game = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print a table per kind of game."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, default=SHARED)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--games", type=int, default=5)
    given = options.parse_args()
    logging.disable(logging.WARNING)
    classifier, _ = network(given.shared)
    real = [tabled(classifier, image, 12) for image in slices(given.games, given.shared)]
    table("ResNet50, real slices, 12 regions", real, (200, 500, 1000, 2000), given.seeds)
    model, _, held = small_network(0)
    small = xaimri.KerasClassifier(model)
    made = [tabled(small, image, 16) for image in images_of(held)[: given.games]]
    table("small network, phantoms, 16 regions", made, (200, 500, 1000, 2000), given.seeds)
    known = [trees(50, seed) for seed in range(given.games)]
    table("trees, 50 players", known, (500, 1000, 2000), given.seeds)


def tabled(classifier, image: np.ndarray, regions: int) -> tuple[Game, np.ndarray]:
    """Predict all masks of an image's regions; return the game and its exact values."""
    labels = exactly(image, regions)
    masks = all_of(regions)
    answers = Predictions(classifier, image, segment_mean(image, labels), labels, len(masks))
    logits = answers(masks)
    scores = Objective((int(logits[-1].argmax()),) * len(logits), "log_odds").scores(logits)
    bits = 1 << np.arange(regions)
    return (lambda shown: scores[shown.astype(bool) @ bits]), shapley.exact(masks, scores).values


def exactly(image: np.ndarray, regions: int) -> np.ndarray:
    """Cut the image into so many cells, the last ones joined."""
    for count in range(regions, 4 * regions):
        labels = grid(image, count)
        if labels.max() + 1 >= regions:
            break
    return np.minimum(labels, regions - 1)


def trees(players: int, seed: int, count: int = 30, depth: int = 4) -> tuple[Game, np.ndarray]:
    """Return a sum of random trees and its Shapley values."""
    generator = np.random.default_rng(seed)
    shown, hidden = [], []
    for _ in range(count):
        chosen = generator.choice(players, depth, replace=False)
        for way in range(2**depth):
            there = (way >> np.arange(depth) & 1).astype(bool)
            p, n = np.zeros((2, players), bool)
            p[chosen[there]], n[chosen[~there]] = True, True
            shown.append(p)
            hidden.append(n)
    leaves = Leaves(np.array(shown), np.array(hidden), generator.normal(size=len(shown)))

    def game(coalitions: np.ndarray) -> np.ndarray:
        z = coalitions.astype(int)
        there = (z @ leaves.shown.T == leaves.shown.sum(1)) & (z @ leaves.hidden.T == 0)
        return there @ leaves.values

    ends = game(np.array([[False], [True]]).repeat(players, axis=1))
    _, sums = leaves.moments(shapley.kernel_sizes(players))
    return game, shapley.from_sums(sums, ends[1] - ends[0])


def table(title: str, games: list[tuple[Game, np.ndarray]], sizes: tuple[int, ...], seeds: int) -> None:
    """Print the squared error of every estimator at every number of calls."""
    print(
        f"\n{title}\n\n| estimator | "
        + " | ".join(map(str, sizes))
        + " |\n"
        + "|---" * (len(sizes) + 1)
        + "|"
    )
    rows = {name: [error(way, games, n, seeds) for n in sizes] for name, way in WAYS.items()}
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{x:.2g}" for x in row) + " |")
    ours = np.array(rows["ours"])
    for package in ("shap ", "shapiq "):
        best = np.min([row for name, row in rows.items() if name.startswith(package)], axis=0)
        shares = " | ".join(f"{x:.2f}" for x in ours / best)
        print(f"| ours / the best of {package}| {shares} |", flush=True)


def error(way: Callable, games: list[tuple[Game, np.ndarray]], samples: int, seeds: int) -> float:
    """Return the mean over games and seeds of the squared error, relative to the exact values."""
    found = [
        ((way(at_most(samples, game), len(truth), samples, seed) - truth) ** 2).mean() / (truth**2).mean()
        for game, truth in games
        for seed in range(seeds)
    ]
    return float(np.mean(found))


def at_most(calls: int, game: Game) -> Game:
    """Return the game, which ends the benchmark where more is asked than was allowed."""
    asked = 0

    def counted(coalitions: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(np.atleast_2d(coalitions))
        if asked > calls:
            raise SystemExit(f"{asked} calls were asked for where {calls} are allowed")
        return game(np.atleast_2d(coalitions))

    return counted


def ours(adjust: bool) -> Callable:
    def estimate(game: Game, players: int, samples: int, seed: int) -> np.ndarray:
        pairs, population = paired(samples, players, seed)
        ends = game(np.array([[False], [True]]).repeat(players, axis=1))
        values = np.stack([game(pairs), game(~pairs)], axis=1)
        ends = (float(ends[0]), float(ends[1]))
        return shapley.estimate(pairs, population, values, ends, adjust=adjust, seed=seed).values

    return estimate


def kernel(game: Game, players: int, samples: int, seed: int) -> np.ndarray:
    np.random.seed(seed)  # noqa: NPY002 - the package draws from it
    explainer = shap.KernelExplainer(lambda x: game(x > 0.5), np.zeros((1, players)))
    found = explainer.shap_values(np.ones((1, players)), nsamples=samples - 2, silent=True, l1_reg=False)
    return np.asarray(found)[0]


def permutation(game: Game, players: int, samples: int, seed: int) -> np.ndarray:
    explainer = shap.explainers.Permutation(lambda x: game(x > 0.5), np.zeros((1, players)), seed=seed)
    rounds = max(1, samples // (2 * players + 1))
    return explainer(np.ones((1, players)), max_evals=rounds * (2 * players + 1), silent=True).values[0]


def sampling(game: Game, players: int, samples: int, seed: int) -> np.ndarray:
    np.random.seed(seed)  # noqa: NPY002 - the package draws from it
    explainer = shap.SamplingExplainer(lambda x: game(x > 0.5), np.zeros((1, players)))
    pairs = (samples - 2) // 2  # each of its samples is two calls
    return np.asarray(explainer.shap_values(np.ones((1, players)), nsamples=pairs, silent=True))[0]


def shapiq(kind: type[approximator.Approximator], **settings: object) -> Callable:
    def estimate(game: Game, players: int, samples: int, seed: int) -> np.ndarray:
        way = kind(n=players, random_state=seed, **settings)
        found = way.approximate(budget=samples, game=lambda shown: game(np.asarray(shown)))
        return np.array([found[(player,)] for player in range(players)])

    return estimate


WAYS = {
    "ours": ours(True),
    "ours, plain": ours(False),
    "shap KernelExplainer": kernel,
    "shap PermutationExplainer": permutation,
    "shap SamplingExplainer": sampling,
    "shapiq KernelSHAP": shapiq(approximator.KernelSHAP, pairing_trick=True),
    "shapiq kADDSHAP": shapiq(approximator.kADDSHAP, max_order=2),
    "shapiq SVARM": shapiq(approximator.SVARM, pairing_trick=True),
    "shapiq UnbiasedKernelSHAP": shapiq(approximator.UnbiasedKernelSHAP, pairing_trick=True),
    "shapiq PermutationSamplingSV": shapiq(approximator.PermutationSamplingSV),
    "shapiq StratifiedSamplingSV": shapiq(approximator.StratifiedSamplingSV),
    "shapiq OwenSamplingSV": shapiq(approximator.OwenSamplingSV),
    "shapiq ProxySPEX": shapiq(approximator.ProxySPEX, index="SV", max_order=1),
}

if __name__ == "__main__":
    main()
