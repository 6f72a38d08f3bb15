"""Train a small 3-D network on phantom volumes of two stages, and see whether its maps lie on what changed.

    python benchmarks/train_phantom_volumes.py --out runs/volumes [--change all] [--stages 0,2]

Makes volumes of 40 x 56 x 48 voxels of 3.75 mm, trains `build_cnn3d` on 100 subjects with 40 for
validation, saves the bundle (where there is none yet), reads it back, evaluates it on 60 others, and
explains the atrophied ones of these. The gain is the share of positive relevance in the changed region
over that region's share of the brain: 1 is what a map has that knows nothing. Beside the methods stand a
centred Gaussian, the image's intensity, and the same methods on the untrained network. A map without
positive relevance in the brain counts as 0. Intervals are of 95 %, by bootstrap over subjects.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import xaimri
from xaimri import training
from xaimri.data import Dataset, phantom
from xaimri.evaluation import evaluate

SIZE = (40, 56, 48)
METHODS = {
    "HiResCAM": lambda samples: xaimri.HiResCAM(),
    "Grad-CAM": lambda samples: xaimri.GradCAM(),
    "Integrated gradients": lambda samples: xaimri.IntegratedGradients(),
    "LIME": lambda samples: xaimri.LIME(samples=samples),
    "SHAP": lambda samples: xaimri.SHAP(samples=samples),
}


def main() -> None:
    """Make, train, evaluate, explain, print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=Path("runs/volumes"))
    options.add_argument("--change", default="ventricles")
    options.add_argument("--stages", default="0,3")
    options.add_argument("--subjects", type=int, default=100, help="to learn from")
    options.add_argument("--epochs", type=int, default=20)
    options.add_argument("--samples", type=int, default=200, help="of LIME and SHAP")
    options.add_argument("--explained", type=int, default=30, help="atrophied subjects, at most")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    stages = tuple(int(stage) for stage in given.stages.split(","))
    number = given.subjects
    data = phantom.make(number + 100, 1, SIZE, seed=given.seed, change=given.change, stages=stages)
    learned, held, new = data[:number], data[number : number + 40], data[number + 40 :]
    if not (given.out / "bundle").exists():
        fit(given, learned, held)
    model = xaimri.open_model(given.out / "bundle")
    print(evaluate(model.predict(new), new))
    ill = [case for case in new if case.label == 1]
    untrained = xaimri.open_model(training.build_cnn3d(data.classes, size=SIZE, seed=given.seed + 1))
    for name, values in gains(model, untrained, ill[: given.explained], given.samples).items():
        print("{:<40} {:5.2f} [{:.2f}, {:.2f}]".format(name, *interval(values)), flush=True)


def fit(given: argparse.Namespace, learned: Dataset, held: Dataset) -> None:
    """Train a network and keep its bundle."""
    start = time.perf_counter()
    network = training.build_cnn3d(learned.classes, size=SIZE, seed=given.seed)
    settings = {"batch": 8, "learning_rate": 3e-3, "patience": given.epochs, "seed": given.seed}
    result = training.train(network, (learned, held), epochs=given.epochs, progress=False, **settings)
    print(f"trained in {time.perf_counter() - start:.0f} s, best epoch {result.best_epoch}")
    history, folder = result.history, given.out / "bundle"
    training.save(folder, network, learned.classes, history=history, origin=learned.origin)


def gains(model, untrained, cases, samples: int) -> dict[str, np.ndarray]:
    """Return the gain of every kind of map over the atrophied subjects."""
    found: dict[str, list[float]] = {}
    for case in cases:
        volume = np.asarray(case.source)
        maps = {"centred Gaussian": bell(volume.shape), "intensity": volume.astype(float)}
        for name, method in METHODS.items():
            for network, more in ((model, ""), (untrained, ", untrained network")):
                map_ = network.explain(volume, method(samples), target=1, of="logit")
                assert map_.values.shape == volume.shape
                maps[name + more] = map_.values
        for name, values in maps.items():
            found.setdefault(name, []).append(gain(values, case.mask, volume > 0))
    return {name: np.array(each) for name, each in found.items()}


def gain(values: np.ndarray, answer: np.ndarray, brain: np.ndarray) -> float:
    """Return the share of positive relevance in the answer, over the answer's share of the brain."""
    assert np.isfinite(values[brain]).all()
    positive = np.where(brain, np.clip(values, 0, None), 0).astype(np.float64)
    if not positive.any():
        return 0.0
    return float(positive[answer & brain].sum() / positive.sum() / ((answer & brain).sum() / brain.sum()))


def bell(shape: tuple[int, ...]) -> np.ndarray:
    """Return a bell in the middle, a quarter of each side wide."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return np.exp(-sum(a**2 for a in axes) / (2 * 0.5**2))


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval over subjects."""
    drawn = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
