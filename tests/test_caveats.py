"""Every caveat: a case that makes it appear, one that keeps it away, and its paragraph in the guide."""

import ast
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.classifier import FeatureMaps
from xaimri.grid import Grid

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "guide" / "caveats.md").read_text(encoding="utf-8")
SHAPE = (6, 8, 1)
SCAN = np.random.default_rng(0).uniform(0.5, 1, SHAPE).astype(np.float32)
PLAIN = LinearClassifier.random(SHAPE, classes=3, seed=1, patch=2)


def for_one(scale, patch=2):
    """A classifier whose second class gains ``scale`` by every pixel."""
    return LinearClassifier(np.stack([np.zeros(SHAPE), np.full(SHAPE, scale)]), patch=patch)


class Guessing(LinearClassifier):
    def feature_maps(self, images, objective, /, layer=None):
        maps = super().feature_maps(images, objective, layer)
        grid = Grid.resized(maps.grid.space, maps.grid.cells, assumed=True)
        return FeatureMaps(maps.values, maps.gradients, maps.logits, grid, maps.layer, maps.why)


class Kinked(LinearClassifier):
    """The score rises only once a pixel is nearly at its full value."""

    def logits(self, images, /):
        total = np.maximum(images - 0.9, 0).reshape(len(images), -1).sum(axis=1)
        return np.stack([0 * total, total], axis=1).astype(np.float32)

    def gradient(self, images, objective, /):
        found = super().gradient(images, objective)
        slope = objective.cotangents(self.logits(images))[:, 1].reshape(-1, 1, 1, 1)
        return type(found)((slope * (images > 0.9)).astype(np.float32), self.logits(images))


def parity(images):
    """Probabilities that no sum over regions describes: whether an even number of quarters has texture."""
    quarters = [half for part in np.split(images, 2, axis=1) for half in np.split(part, 2, axis=2)]
    textured = np.sum([quarter.std(axis=(1, 2, 3)) > 1e-3 for quarter in quarters], axis=0)
    p = np.where(textured % 2, 0.9, 0.1)
    return np.stack([1 - p, p], axis=1)


def linear(images):
    p = images.mean(axis=(1, 2, 3)) / 2
    return np.stack([1 - p, p], axis=1)


def chance(images):
    """Probabilities that jump with any pixel, so that no region has a part in them."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    p = 0.5 + 0.4 * np.sin(1e4 * flat @ np.sin(np.arange(flat.shape[1]) ** 2))
    return np.stack([1 - p, p], axis=1)


def flat_half():
    halves = SCAN.copy()
    halves[:3] = 0.5  # of one value: hiding it behind its mean changes no pixel
    return halves


HALVES = np.repeat(np.arange(2), 24).reshape(6, 8)
QUARTERS = np.kron(np.arange(4).reshape(2, 2), np.ones((3, 4), int))
FEW = {
    "method": xaimri.SHAP(samples=60, regions=np.arange(48).reshape(6, 8) // 3, absent=0.0, exact=0, seed=3)
}
IG = {"method": "integrated_gradients", "target": 1, "steps": 2}
ONES = np.ones(SHAPE, np.float32)

CASES = {
    "saturated": (
        (for_one(1.0), SCAN, {"of": "probability"}),
        (for_one(1.0), SCAN, {"of": "log_odds"}),
    ),
    "near_tie": ((for_one(0.0), SCAN, {}), (for_one(1.0), SCAN, {})),
    "not_finite": (
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES)}),
        (linear, SCAN, {"method": xaimri.LIME(samples=20, regions=HALVES)}),
    ),
    "untested_regions": (
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES)}),
        (linear, SCAN, {"method": xaimri.LIME(samples=20, regions=HALVES)}),
    ),
    "no_positive_evidence": (
        (for_one(-1.0), SCAN, {"target": 1}),
        (for_one(-1.0), SCAN, {"target": 1, "relu": False}),
    ),
    "degenerate_gradient": (
        (for_one(0.0), SCAN, {"method": "saliency"}),
        (PLAIN, SCAN, {"method": "saliency"}),
    ),
    "assumed_geometry": ((Guessing(PLAIN.weights, patch=2), SCAN, {}), (PLAIN, SCAN, {})),
    "poor_fit": (
        (parity, SCAN, {"method": xaimri.LIME(samples=200, regions=QUARTERS)}),
        (linear, SCAN, {"method": xaimri.LIME(samples=200, regions=QUARTERS)}),
    ),
    "all_uncertain": ((chance, SCAN, FEW), (linear, SCAN, FEW)),
    "not_converged": (
        (Kinked(PLAIN.weights[:2]), ONES, {**IG, "most": 4}),
        (Kinked(PLAIN.weights[:2]), ONES, {**IG, "most": 2048}),
    ),
    "negative_activations": (
        (for_one(1.0), -SCAN, {"method": "gradcam++", "target": 1}),
        (for_one(1.0), SCAN, {"method": "gradcam++", "target": 1}),
    ),
    "class_independent": ((PLAIN, SCAN, {"method": "eigencam"}), (PLAIN, SCAN, {"method": "hirescam"})),
    "constant_maps": ((PLAIN, ONES, {"method": "scorecam"}), (PLAIN, SCAN, {"method": "scorecam"})),
    "constant_image": ((PLAIN, ONES, {}), (PLAIN, SCAN, {})),
}
BY_KERAS = {"input_range", "preprocessed_twice"}
"""Tested with networks, in tests/adapters/test_keras_range.py."""


def of(case):
    model, image, options = case
    return {caveat.name for caveat in xaimri.explain(model, image, **options).caveats}


@pytest.mark.parametrize("name", CASES)
def test_a_caveat_appears_where_it_should_and_stays_away_where_it_should(name):
    present, absent = CASES[name]
    assert name in of(present)
    assert name not in of(absent)


def named():
    """The names of all caveats that the source makes."""
    calls = [
        node
        for file in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Caveat" and node.args
    ]
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)} | BY_KERAS


def test_no_caveat_is_forgotten_here():
    assert named() == set(CASES) | BY_KERAS


@pytest.mark.parametrize("name", [*CASES, *BY_KERAS])
def test_every_caveat_has_a_paragraph_that_says_what_to_do(name):
    assert f"({name.replace('_', '-')})=\n## `{name}`\n" in GUIDE
    paragraph = GUIDE.split(f"## `{name}`")[1].split("\n(")[0]
    assert paragraph.count("*") >= 2, "the remedy stands in italics"
