"""What xaimri's metrics say of the maps that every package is handed, and the draws they made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from network import CLASSES, HEADS, SHAPE, Arrays, build, images, weights
from ours import TARGETS

import xaimri
from xaimri import metrics
from xaimri.explainers import InputXGradient, Saliency
from xaimri.explanation import Explanation
from xaimri.metrics.subsets import boxes
from xaimri.perturb.absent import hidden

SPACE = SHAPE[:2]
PIXELS = SPACE[0] * SPACE[1]
ORDINARY = ("gradient", "positive", "signed")
"""Input times gradient of the head; distinct values from 0 to 1; distinct values from -1 to 1."""
SPECIAL = ("reversed", "ties", "constant", "zero")
"""The first with its sign reversed; five levels; one value; nothing."""
LINEAR = "linear"
"""A linear model, of which input times gradient says everything."""
BOXES, SUBSETS, SIZES = 120, 25, (0.05, 0.1, 0.2, 0.3)
STEPS, TOP, COPIES, RADIUS = 24, PIXELS // 10, 10, 0.02
LOGIT = {"of": "logit", "absent": 0.0}


def given(seed: int = 0) -> dict[str, np.ndarray]:
    """Return everything that the peers are handed; of what is drawn, what xaimri draws by itself."""
    batch = images(len(TARGETS), seed + 1)
    generator = np.random.default_rng(seed + 3)
    kernel = generator.standard_normal((SHAPE[0] * SHAPE[1] * SHAPE[2], CLASSES)) / np.sqrt(PIXELS)
    arrays = {
        **weights(seed),
        f"{LINEAR}/kernel": kernel.astype(np.float32),
        "images": batch,
        "targets": np.array(TARGETS),
        "regions": _regions(generator),
        "boxes": boxes(SPACE, BOXES, 0.25, 0).reshape(-1, *SPACE),
        "subsets": np.stack([_subsets([size])[0] for size in SIZES]),
        "series": _subsets(SIZES),
        "noisy": np.stack([_noisy(image) for image in batch]),
        "blurred": np.stack([hidden(image, np.zeros(SPACE, int), "blur") for image in batch]),
        "removed": generator.random((len(batch), *SPACE)) < np.array([0.2, 0.5, 0.9]).reshape(-1, 1, 1),
        "steps": np.array(STEPS),
        "top": np.array(TOP),
    }
    return arrays | _maps(arrays, generator)


def _regions(generator: np.random.Generator) -> np.ndarray:
    """Draw an ellipse per image."""
    rows, columns = np.indices(SPACE)
    found = []
    for _ in TARGETS:
        (y, x), (high, wide) = generator.uniform((12, 14), (28, 34)), generator.uniform(5, 11, 2)
        found.append(((rows - y) / high) ** 2 + ((columns - x) / wide) ** 2 <= 1)
    return np.stack(found)


def _subsets(shares: Sequence[float]) -> np.ndarray:
    """Draw subsets, one size after another, as sensitivity_n and faithfulness_correlation do."""
    generator = np.random.default_rng(0)
    hide = np.zeros((len(shares), SUBSETS, PIXELS), dtype=bool)
    for share, rows in zip(shares, hide, strict=True):
        for row in rows:
            row[generator.choice(PIXELS, round(share * PIXELS), replace=False, shuffle=False)] = True
    return hide.reshape(len(shares), SUBSETS, *SPACE)


def _noisy(image: np.ndarray) -> np.ndarray:
    """Draw the noisy images as max_sensitivity does."""
    reach = RADIUS * float(image.max() - image.min())
    noise = np.random.default_rng(0).uniform(-reach, reach, (COPIES, *image.shape))
    return (image + noise).astype(np.float32)


def _maps(arrays: Arrays, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the maps of every model, ``model/maps/kind``."""
    ranks = np.stack([generator.permutation(PIXELS).reshape(SPACE) for _ in TARGETS]) / (PIXELS - 1)
    found = {}
    for name in (*HEADS, LINEAR):
        explained = InputXGradient().explain(_model(name, arrays), arrays["images"], TARGETS, of="logit")
        gradient = np.stack([each.values for each in explained])
        kinds = {
            "gradient": gradient,
            "positive": ranks,
            "signed": 2 * ranks[::-1] - 1,
            "reversed": -gradient,
            "ties": np.round(4 * ranks) / 4,
            "constant": np.full_like(ranks, 0.5),
            "zero": np.zeros_like(ranks),
        }
        found |= {f"{name}/maps/{kind}": values.astype(np.float32) for kind, values in kinds.items()}
    return found


def _model(name: str, arrays: Arrays) -> xaimri.LinearClassifier | xaimri.KerasClassifier:
    if name == LINEAR:
        return xaimri.LinearClassifier(arrays[f"{LINEAR}/kernel"].T.reshape(CLASSES, *SHAPE))
    return xaimri.KerasClassifier(build(name, arrays))


def results(arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure every map of every model: ``model/metric/kind``, one entry per image."""
    found = {}
    for name in (*HEADS, LINEAR):
        model = _model(name, arrays)
        plain = InputXGradient().explain(model, arrays["images"], TARGETS, of="logit")
        probability = np.array([each.probabilities[each.target] for each in plain])
        for kind in (*ORDINARY, *SPECIAL):
            values = arrays[f"{name}/maps/{kind}"]
            each = [replace(one, values=own) for one, own in zip(plain, values, strict=True)]
            measured = {**_plain(each, arrays), **_asked(each, model, arrays)}
            measured["average_drop/absolute"] = measured["average_drop"] * probability
            found |= {f"{name}/{metric}/{kind}": value for metric, value in measured.items()}
        squares = found[f"{name}/infidelity/raw/zero"]  # of a map of zeros: the mean square of the falls
        for kind in (*ORDINARY, *SPECIAL):
            found[f"{name}/infidelity/unscaled/{kind}"] = squares * found[f"{name}/infidelity/{kind}"]
        found |= {f"{name}/{metric}/": value for metric, value in _sensitivity(model, arrays).items()}
    return found | _imputed(arrays)


def _plain(each: list[Explanation], arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure without a model."""
    regions = list(arrays["regions"])
    sizes = arrays["regions"].sum(axis=(1, 2))
    dice = metrics.dice(each, regions, fraction=TOP / PIXELS)
    return {
        "sparseness": metrics.sparseness(each),
        "entropy": metrics.entropy(each),
        "relevance_mass": metrics.relevance_mass(each, regions),
        "relevance_rank": metrics.relevance_rank(each, regions),
        "pointing_game": metrics.pointing_game(each, regions),
        "auprc": metrics.auprc(each, regions),
        "dice/top": dice * (TOP + sizes) / (2 * TOP),
    }


def _asked(each: list[Explanation], model: xaimri.Classifier, arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure by asking the model."""
    raw = metrics.infidelity(each, model, samples=BOXES, normalised=False, **LOGIT)
    several = [
        metrics.faithfulness_correlation(each, model, samples=SUBSETS, share=size, **LOGIT) for size in SIZES
    ]
    deleted = metrics.deletion(each, model, absent=0.0, steps=STEPS)
    pairs = zip(each, arrays["blurred"], strict=True)
    inserted = [metrics.insertion(one, model, absent=blurred, steps=STEPS) for one, blurred in pairs]
    return {
        "infidelity/raw": raw,
        "infidelity": metrics.infidelity(each, model, samples=BOXES, **LOGIT),
        "faithfulness": np.stack(several, axis=1),
        "sensitivity_n": metrics.sensitivity_n(each, model, samples=SUBSETS, sizes=SIZES, **LOGIT),
        "completeness_gap": metrics.completeness_gap(each, model, of="logit"),
        "deletion": np.array([float(curve) for curve in deleted]),
        "deletion/scores": np.stack([curve.scores for curve in deleted]),
        "deletion/later": np.stack([curve.scores[1:] for curve in deleted]),
        "insertion": np.array([float(curve) for curve in inserted]),
        "insertion/scores": np.stack([curve.scores for curve in inserted]),
        "road": metrics.road(each, model, noise=0.0),
        "average_drop": metrics.average_drop(each, model),
        "average_increase": metrics.average_increase(each, model),
    }


def _sensitivity(model: xaimri.Classifier, arrays: Arrays) -> dict[str, np.ndarray]:
    """Explain noisy images: measures of a method, not of a map."""
    methods = {"saliency": Saliency(), "input_x_gradient": InputXGradient()}
    found = {}
    for name, method in methods.items():
        found[f"max_sensitivity/{name}"] = np.array(
            [
                metrics.max_sensitivity(method, model, image, target=target, of="logit", radius=RADIUS)
                for image, target in zip(arrays["images"], TARGETS, strict=True)
            ]
        )
    return found


def _imputed(arrays: Arrays) -> dict[str, np.ndarray]:
    pairs = zip(arrays["images"], arrays["removed"], strict=True)
    return {"imputed": np.stack([metrics.impute(image, removed) for image, removed in pairs])}
