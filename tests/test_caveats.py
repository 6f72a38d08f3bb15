"""Every caveat: a case that makes it appear, one that keeps it away, and its paragraph in the guide."""

import ast
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import xaimri
from linear import Resting
from xaimri import Caveat, LinearClassifier
from xaimri.caveats import Reason, fields_of
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.images.acquisition import Acquisition
from xaimri.images.picture import Picture

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "guide" / "caveats.md").read_text(encoding="utf-8")
SHAPE = (6, 8, 1)
SCAN = np.random.default_rng(0).uniform(0.5, 1, SHAPE).astype(np.float32)
DRAWS = np.random.default_rng(2)
PLAIN = LinearClassifier.random(SHAPE, classes=3, seed=1, patch=2)


def for_one(scale, patch=2):
    """A classifier whose second class gains ``scale`` by every pixel."""
    return LinearClassifier(np.stack([np.zeros(SHAPE), np.full(SHAPE, scale)]), patch=patch)


def through(window, trained):
    """A model that sees images through one window and was trained through another."""
    model = xaimri.open_model(PLAIN, window=window)
    return replace(model, intake=replace(model.intake, trained=xaimri.Window(*trained)))


def padding(trained):
    """A model that pads images, and was trained on padded or stretched ones."""
    model = xaimri.open_model(PLAIN, fit="pad")
    return replace(model, intake=replace(model.intake, trained_fit=trained))


INNER = np.zeros((32, 32, 1), bool)
INNER[12:20, 12:20] = True
FRAMED = np.where(INNER, 1.0, 0.5).astype(np.float32)


def framed(outside):
    """A classifier that goes by the object in the middle, and so much by what is around it."""
    return LinearClassifier(np.stack([np.zeros(INNER.shape), np.where(INNER, 1.0, outside)]))


class Guessing(LinearClassifier):
    def feature_maps(self, images, objective, /, layer=None):
        maps = super().feature_maps(images, objective, layer)
        grid = Grid.resized(maps.grid.space, maps.grid.cells, assumed=True)
        return replace(maps, grid=grid)


class Torn(LinearClassifier):
    """Branches place its cells 8 pixels to either side."""

    def feature_maps(self, images, objective, /, layer=None):
        maps = super().feature_maps(images, objective, layer)
        return replace(maps, grid=replace(maps.grid, spread=8.0, doubt=(0.0, 8.0)))


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


def drawn(probabilities):
    """Return other probabilities each time."""
    p = probabilities[:, 1] * DRAWS.uniform(0.5, 1)
    return np.stack([1 - p, p], axis=1)


def chance(images):
    """Probabilities that jump with any pixel, so that no region has a part in them."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    p = 0.5 + 0.4 * np.sin(1e4 * flat @ np.sin(np.arange(flat.shape[1]) ** 2))
    return np.stack([1 - p, p], axis=1)


class Predicting:
    """A model whose call is `linear`, and which predicts by a function of its own."""

    def __init__(self, predict):
        self.predict = predict

    def __call__(self, images):
        return linear(images)


def marked(burned_in=False, identity_removed=None):
    """A slice whose DICOM file says this of its patient."""
    return Picture(SCAN).on({"format": "dicom", "burned_in": burned_in, "identity_removed": identity_removed})


def flat_half():
    halves = SCAN.copy()
    halves[:3] = 0.5  # of one value: hiding it behind its mean changes no pixel
    return halves


EVEN = Picture(SCAN, (1.0, 1.0), np.eye(4))


def trained_at(picture):
    """A model whose training images lay as this one does."""
    model = xaimri.open_model(PLAIN)
    return replace(model, intake=replace(model.intake, acquisition=Acquisition.of([picture])))


HALVES = np.repeat(np.arange(2), 24).reshape(6, 8)
QUARTERS = np.kron(np.arange(4).reshape(2, 2), np.ones((3, 4), int))
FEW = {
    "method": xaimri.SHAP(samples=60, regions=np.arange(48).reshape(6, 8) // 3, absent=0.0, exact=0, seed=3)
}
IG = {"method": "integrated_gradients", "target": 1, "steps": 2}
ONES = np.ones(SHAPE, np.float32)
WIDE = SCAN.repeat(2, axis=1)

BLOCK = np.random.default_rng(0).uniform(0.2, 1, (6, 7, 8)).astype(np.float32)
TORN = {"method": xaimri.Occlusion(window=4), "slices": "all"}


def torn(classes):
    """A function that is nearly sure of another class in every slice, and never of the last of three."""

    def answer(images):
        rows = np.full((len(images), classes), 0.38)
        first = (1e4 * images.mean(axis=(1, 2, 3))).astype(int) % 2
        rows[np.arange(len(images)), first] = 0.5
        rows[np.arange(len(images)), 1 - first] = 0.12 if classes == 3 else 0.5
        return rows

    return answer


CASES = {
    Reason.SATURATED: (
        (for_one(1.0), SCAN, {"of": "probability"}),
        (for_one(1.0), SCAN, {"of": "log_odds"}),
    ),
    Reason.NEAR_TIE: ((for_one(0.0), SCAN, {}), (for_one(1.0), SCAN, {})),
    Reason.NOT_FINITE: (
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES, absent="mean")}),
        (linear, SCAN, {"method": xaimri.LIME(samples=20, regions=HALVES)}),
    ),
    Reason.UNTESTED_REGIONS: (
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES, absent="mean")}),
        (linear, SCAN, {"method": xaimri.LIME(samples=20, regions=HALVES)}),
    ),
    Reason.BARELY_HIDDEN: (
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES, absent=0.49)}),
        (linear, flat_half(), {"method": xaimri.LIME(samples=20, regions=HALVES)}),
    ),
    Reason.OFF_OBJECT: (
        (
            framed(outside=1.0),
            FRAMED,
            {"method": "occlusion", "regions": xaimri.Atlas.read(1 - INNER[..., 0])},
        ),
        (
            framed(outside=1.0),
            FRAMED,
            {"method": "occlusion", "regions": xaimri.Atlas.read(1 * INNER[..., 0])},
        ),
    ),
    Reason.NO_POSITIVE_EVIDENCE: (
        (for_one(-1.0), SCAN, {"target": 1}),
        (for_one(-1.0), SCAN, {"target": 1, "relu": False}),
    ),
    Reason.DEGENERATE_GRADIENT: (
        (Resting((2, *SHAPE)), SCAN, {"method": "saliency"}),
        (PLAIN, SCAN, {"method": "saliency"}),
    ),
    Reason.ASSUMED_GEOMETRY: ((Guessing(PLAIN.weights, patch=2), SCAN, {}), (PLAIN, SCAN, {})),
    Reason.AMBIGUOUS_GEOMETRY: ((Torn(PLAIN.weights, patch=2), SCAN, {}), (PLAIN, SCAN, {})),
    Reason.POOR_FIT: (
        (parity, SCAN, {"method": xaimri.LIME(samples=200, regions=QUARTERS)}),
        (linear, SCAN, {"method": xaimri.LIME(samples=200, regions=QUARTERS)}),
    ),
    Reason.ALL_UNCERTAIN: ((chance, SCAN, FEW), (linear, SCAN, FEW)),
    Reason.NOT_CONVERGED: (
        (Kinked(PLAIN.weights[:2]), ONES, {**IG, "most": 4}),
        (Kinked(PLAIN.weights[:2]), ONES, {**IG, "most": 2048}),
    ),
    Reason.NEGATIVE_ACTIVATIONS: (
        (for_one(1.0), -SCAN, {"method": "gradcam++", "target": 1}),
        (for_one(1.0), SCAN, {"method": "gradcam++", "target": 1}),
    ),
    Reason.CLASS_INDEPENDENT: ((PLAIN, SCAN, {"method": "eigencam"}), (PLAIN, SCAN, {"method": "hirescam"})),
    Reason.CONSTANT_MAPS: ((PLAIN, ONES, {"method": "scorecam"}), (PLAIN, SCAN, {"method": "scorecam"})),
    Reason.CONSTANT_IMAGE: ((PLAIN, ONES, {}), (PLAIN, SCAN, {})),
    Reason.OTHER_WINDOW: ((through((0, 2), (0, 4)), SCAN, {}), (through((0, 2), (0, 2)), SCAN, {})),
    Reason.OUTSIDE_WINDOW: (
        (xaimri.open_model(PLAIN, window=(0, 40)), SCAN, {}),
        (xaimri.open_model(PLAIN, window=(0, 2)), SCAN, {}),
    ),
    Reason.OTHER_FIT: ((padding("stretch"), WIDE, {}), (padding("stretch"), SCAN, {})),
    Reason.OTHER_SPACING: (
        (trained_at(EVEN), Picture(SCAN, (1.0, 3.0)), {}),
        (trained_at(EVEN), EVEN, {}),
    ),
    Reason.OTHER_ORIENTATION: (
        (trained_at(EVEN), Picture(SCAN, affine=np.diag([1.0, -1.0, 1.0, 1.0])), {}),
        (trained_at(EVEN), EVEN, {}),
    ),
    Reason.UNEVEN_GRADIENT: ((PLAIN, SCAN, {}), (for_one(1.0), SCAN, {"target": 1})),
    Reason.COARSE_CELLS: ((PLAIN, SCAN, {}), (LinearClassifier(PLAIN.weights), SCAN, {})),
    Reason.ON_BACKGROUND: (
        (framed(outside=1.0), FRAMED, {"method": "input_x_gradient", "target": 1}),
        (framed(outside=0.0), FRAMED, {"method": "input_x_gradient", "target": 1}),
    ),
    Reason.BURNED_IN: ((PLAIN, marked(burned_in=True), {}), (PLAIN, marked(), {})),
    Reason.IDENTITY_KEPT: (
        (PLAIN, marked(identity_removed=False), {}),
        (PLAIN, marked(identity_removed=True), {}),
    ),
    Reason.PREDICT_DIFFERS: (
        (Predicting(lambda images: linear(images)[:, ::-1]), SCAN, {"method": "occlusion"}),
        (Predicting(linear), SCAN, {"method": "occlusion"}),
    ),
    Reason.CONSTANT_SCORE: ((for_one(0.0), SCAN, {}), (for_one(1e-3), SCAN, {})),
    Reason.UNMOVED_SCORE: (
        (Resting((2, *SHAPE)), SCAN, {"method": xaimri.Occlusion(window=2)}),
        (PLAIN, SCAN, {"method": xaimri.Occlusion(window=2)}),
    ),
    Reason.NOT_DETERMINISTIC: (
        (lambda images: drawn(linear(images)), SCAN, {"method": "occlusion"}),
        (linear, SCAN, {"method": "occlusion"}),
    ),
    Reason.DEPENDS_ON_BATCH: (
        (lambda images: linear(images / (1 + images.mean())), SCAN, {"method": "occlusion"}),
        (linear, SCAN, {"method": "occlusion"}),
    ),
    Reason.SLICES_LEFT_OUT: (
        (PLAIN, Picture(BLOCK, affine=np.eye(4)), {"slices": "::2"}),
        (PLAIN, Picture(BLOCK, affine=np.eye(4)), {"slices": "all"}),
    ),
    Reason.SLICES_DISAGREE: ((torn(3), BLOCK, TORN), (torn(2), BLOCK, TORN)),
    Reason.UNEQUAL_PIXELS: (
        (PLAIN, Picture(BLOCK, affine=np.diag([1.0, 3.0, 1.0, 1.0])), {"slices": "all"}),
        (PLAIN, Picture(BLOCK, affine=np.diag([1.0, 1.0, 3.0, 1.0])), {"slices": "all"}),
    ),
}
BY_KERAS = {Reason.INPUT_RANGE, Reason.PREPROCESSED_TWICE, Reason.PARTIAL_WAY, Reason.ATTENTION_MIXES}
"""Tested with networks, in test_range.py, test_layer.py and test_tokens.py of tests/adapters/keras."""


def of(case):
    model, image, options = case
    return {caveat.reason for caveat in xaimri.explain(model, image, **options).caveats}


@pytest.mark.parametrize("reason", CASES)
def test_a_caveat_appears_where_it_should_and_stays_away_where_it_should(reason):
    present, absent = CASES[reason]
    assert reason in of(present)
    assert reason not in of(absent)


def test_no_caveat_is_forgotten_here():
    assert {*CASES, *BY_KERAS} == set(Reason)


def calls():
    """Yield every call in the source, with its file."""
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file.name, node


def test_every_sentence_is_made_somewhere_with_its_own_fields_and_no_other_is():
    made = {
        (call.func.value.attr, frozenset(keyword.arg for keyword in call.keywords))
        for _, call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "caveat"
    }
    assert made == {
        (reason.name, frozenset(fields_of(text))) for reason in Reason for text in reason.sentences
    }
    bare = {file for file, call in calls() if getattr(call.func, "id", "") == "Caveat"}
    assert bare <= {"caveats.py", "explanation.py", "rows.py"}  # where they are made, and read back


@pytest.mark.parametrize("reason", Reason)
def test_the_sentences_of_a_caveat_are_told_apart_by_their_fields(reason):
    fields = [frozenset(fields_of(text)) for text in reason.sentences]
    assert len(set(fields)) == len(fields)
    with pytest.raises(InvalidInput, match=f"`{reason.value}` needs the fields"):
        reason.caveat(unheard="of")


@pytest.mark.parametrize("reason", Reason)
def test_a_caveat_knows_its_reason_and_the_name_finds_it(reason):
    caveat = Caveat(reason.value, "As it was kept.")
    assert caveat.reason is reason is Reason(reason.value)
    assert caveat == pickle.loads(pickle.dumps(caveat))
    assert pickle.loads(pickle.dumps(reason)) is reason


def test_another_package_stands_before_the_name_of_its_caveat():
    caveat = Caveat.of_package("mypackage", "low_contrast", "The image is pale: choose a window.")
    assert (caveat.name, caveat.reason) == ("mypackage.low_contrast", None)
    assert Caveat.of_package("mypackage", "poor_fit", "It fits badly.").reason is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("not a name", "A sentence."),
        ("Odd", "A sentence."),
        ("my.", "A sentence."),
        ("odd", "no sentence"),
        ("odd", ""),
    ],
)
def test_a_caveat_has_a_name_and_a_sentence(name, text):
    with pytest.raises(InvalidInput, match="a caveat needs a name"):
        Caveat(name, text)


@pytest.mark.parametrize("reason", Reason)
def test_every_caveat_has_a_paragraph_that_says_what_to_do(reason):
    name = reason.value
    assert f"({name.replace('_', '-')})=\n## `{name}`\n" in GUIDE
    paragraph = GUIDE.split(f"## `{name}`")[1].split("\n(")[0]
    assert paragraph.count("*") >= 2, "the remedy stands in italics"


def test_the_guide_tells_of_no_other_and_when_each_appears():
    assert re.findall(r"^## `(\w+)`$", GUIDE, re.MULTILINE) == [reason.value for reason in Reason]
    rows = re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\) \| (.+) \|$", GUIDE, re.MULTILINE)
    assert rows == [(r.value, r.value.replace("_", "-"), r.when) for r in Reason]
