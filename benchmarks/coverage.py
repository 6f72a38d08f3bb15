"""Do the 95 % intervals hold the truth? LIME and SHAP on trained networks with known values.

    python benchmarks/coverage.py --only plain [--images 900] [--jobs 2]
    python benchmarks/coverage.py --only adjusted [--images 900] [--jobs 2]

Small networks are trained on phantoms; of each held-out image all masks of its regions are predicted,
so that the exact Shapley values and the exhaustive LIME fit are known (its penalty scaled to the sample
size). Then the explainers run on samples, each image with a seed of its own. The table tells, over all
pairs of an image and a region: the share of intervals that hold the truth, the root mean square of error
over standard error, and the mean number of samples. Then standard errors are compared with the scatter
over seeds.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from small_networks import accuracy, images_of, network

import xaimri
from xaimri.objective import Objective
from xaimri.perturb import shapley
from xaimri.perturb.absent import segment_mean
from xaimri.perturb.coalitions import all_of
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.segments import superpixels
from xaimri.perturb.surrogate import Locality, exhaustive

MOST = 13
SCATTER = ("LIME, 400", "LIME, 400, orthogonal", "SHAP, 400", "LIME, 400, adjusted", "SHAP, 400, adjusted")
RULE = {"floor": 150, "ceiling": 1200, "top": 3}


def ways() -> dict[str, tuple[str, dict]]:
    """Return the settings that are tried."""
    found: dict[str, tuple[str, dict]] = {}
    for samples in (200, 400, 800):
        for adjust in (False, True):
            found[f"LIME, {samples}{', adjusted' * adjust}"] = "lime", {"samples": samples, "adjust": adjust}
            settings = {"samples": samples, "adjust": adjust, "exact": 0}
            found[f"SHAP, {samples}{', adjusted' * adjust}"] = "shap", settings
    for sampling in ("local", "stratified"):
        found[f"LIME, 400, {sampling}"] = "lime", {"samples": 400, "sampling": sampling}
    for samples in (200, 400, 800, xaimri.Auto(**RULE)):
        count = "auto" if isinstance(samples, xaimri.Auto) else samples
        found[f"LIME, {count}, orthogonal"] = "lime", {"samples": samples, "sampling": "orthogonal"}
    for adjust in (False, True):
        tail = ", adjusted" * adjust
        found[f"LIME, auto{tail}"] = "lime", {"samples": xaimri.Auto(**RULE), "adjust": adjust}
        found[f"SHAP, auto{tail}"] = "shap", {"samples": xaimri.Auto(**RULE), "adjust": adjust, "exact": 0}
    return found


def wanted(only: str | None) -> dict[str, tuple[str, dict]]:
    """Return the settings with the adjustment, those without, or all."""
    return {
        k: v for k, v in ways().items() if only is None or v[1].get("adjust", False) == (only == "adjusted")
    }


class Table:
    """A classifier that knows its answer to every mask; its image has one pixel per region, 1 where shown."""

    def __init__(self, logits: np.ndarray) -> None:
        self.table, self.regions = logits, len(logits).bit_length() - 1
        self.classes = tuple(f"class_{i}" for i in range(logits.shape[1]))

    def logits(self, images: np.ndarray, /) -> np.ndarray:
        shown = images[:, 0, :, 0] > 0.5
        return self.table[shown @ (1 << np.arange(self.regions))].astype(np.float32)

    def explained(self, method: str, settings: dict, seed: int):
        labels = np.arange(self.regions)[None]
        explainer = xaimri.explainers.build(
            method, {**settings, "regions": labels, "absent": 0.0, "seed": seed}
        )
        (found,) = explainer.explain(self, np.ones((1, 1, self.regions, 1), np.float32), of="log_odds")
        return found

    def truth(self, method: str, samples: int, sampling: str) -> np.ndarray:
        """Return the exact Shapley values, or the fit to all masks."""
        logits = self.table.astype(np.float32).astype(np.float64)
        target = int(logits[-1].argmax())
        scores = Objective((target,) * len(logits), "log_odds").scores(logits)
        masks = all_of(self.regions)
        if method == "shap":
            return shapley.exact(masks, scores).values
        sizes = Locality().of_sizes(self.regions)
        weights = Locality().weights(masks) / len(masks)
        if sampling in ("local", "stratified"):  # drawn with the kernel's weights, and counted alike
            sizes, weights = sizes / sizes.sum(), weights / weights.sum()
        return exhaustive((weights * scores) @ masks, float(weights @ scores), sizes, samples)


def run(seed: int, count: int, scatter: int, only: str | None) -> dict:
    """Explain a network's images in every way; return error, standard error and samples of each pair."""
    model, _, held = network(seed)
    images = images_of(held)
    classifier = xaimri.KerasClassifier(model)
    chosen = wanted(only)
    found: dict[str, list] = {name: [] for name in chosen}
    spread: dict[str, list] = {}
    done = 0
    for number, image in enumerate(images):
        labels = superpixels(image, 12)
        if done == count or labels.max() + 1 > MOST:
            continue
        answers = Predictions(classifier, image, segment_mean(image, labels), labels, 4096)
        table = Table(answers(all_of(answers.regions)))
        for name, (method, settings) in chosen.items():
            e = table.explained(method, settings, seed=1000 * seed + number)
            error = e.regions.values - table.truth(
                method, e.diagnostics["samples"], settings.get("sampling", "halves")
            )
            found[name].append((error, e.regions.errors, e.diagnostics["samples"]))
        if done < scatter:
            for name in (n for n in SCATTER if n in chosen):
                many = [table.explained(*chosen[name], seed=s) for s in range(30)]
                real = np.stack([e.regions.values for e in many]).std(axis=0, ddof=1)
                told = np.sqrt(np.mean([e.regions.errors**2 for e in many], axis=0))
                spread.setdefault(name, []).append((real, told))
        done += 1
    return {"found": found, "spread": spread, "accuracy": accuracy(model, held), "images": done}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=900)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument(
        "--scatter", type=int, default=3, help="images per network for the scatter over seeds"
    )
    options.add_argument("--only", choices=["plain", "adjusted"])
    given = options.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    start, networks = time.time(), 4
    each = [-(-given.images // networks)] * networks
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        parts = list(
            pool.map(run, range(networks), each, [given.scatter] * networks, [given.only] * networks)
        )
    for part in parts:
        print(f"network: held-out accuracy {part['accuracy']:.2f}, {part['images']} images")
    print("\n| setting | pairs | held | error / standard error | mean samples |\n|---|---|---|---|---|")
    for name in wanted(given.only):
        rows = [row for part in parts for row in part["found"][name]]
        error, told = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
        known = told > 0
        held = (np.abs(error[known]) <= 1.96 * told[known]).mean()
        z = np.sqrt(np.mean((error[known] / told[known]) ** 2))
        print(
            f"| {name} | {known.sum()} | {100 * held:.1f} % | {z:.3f} | {np.mean([r[2] for r in rows]):.0f} |"
        )
    print("\nscatter over 30 seeds / stated standard error (root mean squares):")
    for name in parts[0]["spread"]:
        rows = [row for part in parts for row in part["spread"][name]]
        real, told = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
        print(f"  {name}: {np.sqrt(np.mean((real / told) ** 2)):.3f} over {len(real)} regions")
    print(f"\n{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
