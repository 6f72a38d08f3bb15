"""What the shap package's explainers promise of the world around them, as ours."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from xaimri import (
    FunctionClassifier,
    GradientSHAP,
    InvalidInput,
    LinearClassifier,
    MissingExtra,
    PartitionSHAP,
)
from xaimri.explainers.shap_package import silence

pytestmark = pytest.mark.slow  # the package takes seconds to import


class Drawing:
    """Scores an image linearly, and draws from numpy's global generator, as an odd network may."""

    def __init__(self, shape):
        self._model = LinearClassifier.random(shape, classes=2, seed=1)
        self.classes, self.drawn = self._model.classes, []

    def logits(self, images, /):
        self.drawn.append(np.random.random_sample())  # noqa: NPY002
        return self._model.logits(images)

    def gradient(self, images, objective, /):
        self.drawn.append(np.random.random_sample())  # noqa: NPY002
        return self._model.gradient(images, objective)


@pytest.mark.parametrize("method", ["partition", "gradient"])
def test_numpys_global_generator_goes_on_as_if_nothing_were(method):
    """Another's draws from it in the meantime are neither seeded nor rewound."""
    model, images = Drawing((5, 6, 1)), np.random.default_rng(0).random((2, 5, 6, 1), dtype=np.float32)
    made = {"partition": PartitionSHAP(regions=6), "gradient": GradientSHAP(references=images, samples=70)}
    kept = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(77)  # noqa: NPY002
        made[method].explain(model, images)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    assert len(model.drawn) > 4
    np.testing.assert_array_equal(model.drawn, np.random.RandomState(77).random_sample(len(model.drawn)))


def test_the_package_warns_nobody_and_the_model_may():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with silence():
            warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="shap.explainers._partition")
            warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="numba.core")
            with pytest.raises(UserWarning, match="noise"):
                warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="shapes")

    def probabilities(images):
        warnings.warn("an odd network", stacklevel=1)
        return np.full((len(images), 2), 0.5)

    model = FunctionClassifier(probabilities, classes=("no", "yes"))
    with pytest.warns(UserWarning, match="an odd network"):
        PartitionSHAP(regions=3).explain(model, np.random.default_rng(0).random((1, 5, 6, 1)))


@pytest.mark.parametrize("method", ["partition", "gradient"])
def test_a_missing_package_is_named(method, monkeypatch):
    for name in ("shap", "shap.explainers", "shap.explainers._gradient"):
        monkeypatch.setitem(sys.modules, name, None)
    images = np.random.default_rng(0).random((1, 5, 6, 1), dtype=np.float32)
    explainer = PartitionSHAP() if method == "partition" else GradientSHAP(references=images)
    with pytest.raises(MissingExtra, match=r'needs the package `shap`.*pip install "xaimri\[shap\]"'):
        explainer.explain(LinearClassifier.random((5, 6, 1)), images)


def test_nothing_is_loaded_before_it_is_needed():
    code = (
        "import sys, numpy as np, xaimri\n"
        "images = np.random.default_rng(0).random((2, 3, 4, 1), dtype='float32')\n"
        "explainer = xaimri.GradientSHAP(references=images, samples=3)\n"
        "xaimri.PartitionSHAP()\n"
        "assert 'shap' not in sys.modules, 'shap was loaded'\n"
        "explainer.explain(xaimri.LinearClassifier.random((3, 4, 1)), images)\n"
        "assert not {'tensorflow', 'torch'} & set(sys.modules), 'a framework was loaded'\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert not run.stdout + run.stderr


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PartitionSHAP(samples=3), "`samples` must be a whole number of at least 4"),
        (lambda: PartitionSHAP(regions=0), "`regions` must be"),
        (lambda: PartitionSHAP(absent=float("nan")), "`absent` must be"),
        (lambda: PartitionSHAP(seed=2**32), "`seed` must be below"),
        (lambda: GradientSHAP(), "`references` must be an array of images"),
        (lambda: GradientSHAP(references=np.ones((2, 3, 4, 1)), samples=1), "`samples` must be"),
        (lambda: GradientSHAP(references=np.ones((2, 3, 4, 1)), smoothing=-1.0), "`smoothing` must be"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        make()


def test_references_of_another_shape_are_refused():
    explainer = GradientSHAP(references=np.ones((2, 3, 4, 1)))
    with pytest.raises(InvalidInput, match=r"`references` must be images of shape \(5, 6, 1\)"):
        explainer.explain(LinearClassifier.random((5, 6, 1)), np.ones((1, 5, 6, 1)))
