"""LIME against the `lime` package at equal squared error: real slices, a trained ResNet50 at 96 pixels.

    python benchmarks/lime_error.py --references FOLDER [--shared SHARED] [--rounds 3] [--figure FILE]

Run it with nothing else running. 10,000 masks per slice are predicted once and kept in FOLDER as
references. Errors are squared distances from the reference fit, its penalty scaled to the sample size,
less the reference's own error, as a share of the package's with 1,000 samples; medians over the slices. The
package's error is that of our plain fit, which has its coefficients (and which the first table checks).
Times are of the package with `model.predict` and of ours, in turn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from lime.lime_image import LimeImageExplainer
from matplotlib.figure import Figure
from ratio import medians
from real_slices import SHARED, network, slices

import xaimri
from xaimri import open_model
from xaimri.objective import Objective
from xaimri.perturb.absent import segment_mean
from xaimri.perturb.coalitions import halves
from xaimri.perturb.least_squares import solve
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.segments import superpixels
from xaimri.perturb.surrogate import PENALTY, Locality
from xaimri.render import save

REFERENCE, SAMPLES = 10_000, (300, 400, 500, 600, 700, 800, 1000)
WAYS: dict[str, dict] = {
    "plain": {},
    "orthogonal": {"sampling": "orthogonal"},
    "adjusted": {"adjust": True},
    "orthogonal, adjusted": {"sampling": "orthogonal", "adjust": True},
}


def references(folder: Path, images: list, classifier) -> list[dict]:
    """Return logits of 10,000 masks per slice, predicted once."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, image in enumerate(images):
        path = folder / f"lime_{number}.npz"
        if not path.exists():
            labels = superpixels(image, 50)
            masks = halves(REFERENCE, int(labels.max()) + 1, seed=10**6 + number)
            answers = Predictions(classifier, image, segment_mean(image, labels), labels, REFERENCE)
            np.savez(path, labels=labels, masks=masks, logits=answers(masks))
            print(f"reference {number} made", flush=True)
        found.append(dict(np.load(path)))
    return found


def squared_errors(images: list, kept: list[dict], classifier, seeds: int) -> dict[str, np.ndarray]:
    """Return the squared error per setting, ``(slices, sizes)``."""
    found: dict[str, np.ndarray] = {}
    for row, (image, reference) in enumerate(zip(images, kept, strict=True)):
        labels, masks = reference["labels"], reference["masks"]
        target = int(reference["logits"][0].argmax())
        scores = Objective((target,) * len(masks), "probability").scores(reference["logits"])
        weights = Locality().weights(masks)
        for column, samples in enumerate(SAMPLES):
            penalty = PENALTY * REFERENCE / samples
            truth, influence = solve(masks.astype(float), scores, weights, penalty=penalty)
            own = float((influence**2).sum())
            for name, settings in WAYS.items():
                squares = []
                for seed in range(seeds):
                    explainer = xaimri.LIME(
                        samples=samples, regions=labels, absent="mean", seed=seed, **settings
                    )
                    (e,) = explainer.explain(Known(classifier), image[None], target)
                    squares.append(((e.regions.values - truth) ** 2).sum() - own)
                found.setdefault(name, np.zeros((len(images), len(SAMPLES))))[row, column] = np.mean(squares)
        print(f"slice {row}: " + ", ".join(f"{k} {v[row, -1]:.2e}" for k, v in found.items()), flush=True)
    return found


class Known:
    """A classifier that remembers its answers: the sizes and settings share their masks."""

    _known: dict[bytes, np.ndarray] = {}  # noqa: RUF012

    def __init__(self, classifier) -> None:
        self.classifier, self.classes = classifier, classifier.classes

    def logits(self, images: np.ndarray, /) -> np.ndarray:
        keys = [hash(x.tobytes()) for x in images]
        if any(k not in self._known for k in keys):
            self._known.update(zip(keys, self.classifier.logits(images), strict=True))
        return np.stack([self._known[k] for k in keys])


def package(model, image, labels, samples: int):
    """Explain by the package, as its tutorial does; the network takes one channel of the three."""
    explainer = LimeImageExplainer(random_state=0)
    return explainer.explain_instance(
        np.repeat(image.astype(np.float64), 3, axis=-1),
        lambda batch: model.predict(batch[..., :1].astype(np.float32), verbose=0),
        top_labels=1,
        num_samples=samples,
        segmentation_fn=lambda _: labels,
        random_seed=0,
    )


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--references", type=Path, required=True)
    options.add_argument("--shared", type=Path, default=SHARED)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--figure", type=Path)
    options.add_argument("--only", choices=["references", "errors", "times"])
    given = options.parse_args()
    classifier, model = network(given.shared)
    images = slices(10, given.shared)
    kept = references(given.references, images, classifier)
    path, enough = given.references / "lime_errors.npz", dict.fromkeys(WAYS, 1000.0)
    if given.only in (None, "errors"):
        np.savez(path, **squared_errors(images, kept, classifier, given.seeds))
    if given.only != "references" and path.exists():
        found = dict(np.load(path))
        print("\n| samples | " + " | ".join(map(str, SAMPLES)) + " |\n" + "|---" * (len(SAMPLES) + 1) + "|")
        for name in WAYS:
            curve = np.median(found[name] / found["plain"][:, -1:], axis=0)
            enough[name] = float(np.interp(-1.0, -curve, SAMPLES))
            print(f"| {name} | " + " | ".join(f"{x:.2f}" for x in curve) + " |")
        print("\nsamples for the package's error with 1,000:")
        print("".join(f"  {name}: {samples:.0f}\n" for name, samples in enough.items()))
        if given.figure:
            save(curves(found), given.figure)
    if given.only in (None, "times"):
        times(model, images[0], kept[0]["labels"], enough, given.rounds)


def curves(found: dict[str, np.ndarray]) -> Figure:
    """Draw the median squared error over the number of samples, and where it equals the package's."""
    figure = Figure(figsize=(6.4, 3.9), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(1, color="0.6", linewidth=0.8, zorder=0)
    colours = {"plain": "#0072b2", "adjusted": "#e69f00", "orthogonal": "#009e73"}
    for name, errors in found.items():
        each = errors / found["plain"][:, -1:]
        colour = colours.get(name, "#cc79a7")
        style = "--" if "," in name else "-"
        axes.plot(
            SAMPLES, np.median(each, axis=0), style, color=colour, marker="o", markersize=3.5, label=name
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(SAMPLES, [f"{n:,}" for n in SAMPLES])
    axes.set_yticks([0.5, 0.7, 1, 1.4, 2, 3, 4], ["0.5", "0.7", "1", "1.4", "2", "3", "4"])
    axes.minorticks_off()
    axes.set_xlabel("samples per image")
    axes.set_ylabel("squared error, package at 1,000 = 1")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def times(model, image, labels, enough: dict[str, float], rounds: int) -> None:
    """Compare the package with ours in turn; its coefficients and ours are compared as well.

    The package knows no background, so it is one more region for both.
    """
    labels = np.where(labels < 0, labels.max() + 1, labels)
    ways = {"lime package, 1,000": lambda: package(model, image, labels, 1000)}
    for engine in ("tensorflow", "openvino"):
        fast = open_model(model, fit="pad", engine=engine).classifier
        for name in ("plain", "orthogonal", "orthogonal, adjusted"):
            explainer = xaimri.LIME(samples=round(enough[name]), regions=labels, absent="mean", **WAYS[name])
            ways[f"ours, {name}, {engine}, {explainer.samples:,}"] = lambda e=explainer, c=fast: e.explain(
                c, image[None]
            )
        (ours,) = xaimri.LIME(samples=1000, regions=labels, absent="mean").explain(fast, image[None])
        theirs = package(model, image, labels, 1000).local_exp[ours.target]
        gap = max(abs(ours.regions.values[r] - value) for r, value in theirs if ours.regions.tested[r])
        print(
            f"largest difference of coefficients, {engine}: {gap:.1e} of {np.nanmax(ours.regions.values):.2g}"
        )
    seconds = medians(ways, rounds)
    base = seconds["lime package, 1,000"]
    for name, value in seconds.items():
        print(f"{name}: {value:.1f} s, package / ours = {base / value:.2f}")


if __name__ == "__main__":
    main()
