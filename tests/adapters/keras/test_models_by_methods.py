"""Every method on every way of building a network: a right map, or a named refusal."""

import numpy as np
import pytest

import xaimri
import zoo
from frameworks import on_first_use
from xaimri import (
    EXPLAINERS,
    LIME,
    RISE,
    SHAP,
    ExpectedGradients,
    GradientSHAP,
    MissingCapability,
    Occlusion,
    PartitionSHAP,
    SmoothGrad,
    VarGrad,
)
from xaimri.adapters import as_classifier
from xaimri.explainers import build
from xaimri.objective import Objective
from xaimri.testing import check_classifier

with on_first_use():
    import keras

    from xaimri.adapters.keras import clear_cache

pytestmark = pytest.mark.tensorflow


NEEDS = {"Convolutional": "maps", "Differentiable": "gradient", "Classifier": "logits"}
CHEAP = {
    "expected_gradients": lambda images: ExpectedGradients(references=images, samples=4),
    "gradient_shap": lambda images: GradientSHAP(references=images, samples=4),
    "smoothgrad": lambda _: SmoothGrad(copies=3),
    "vargrad": lambda _: VarGrad(copies=3),
    "lime": lambda _: LIME(samples=30, regions=5),
    "shap": lambda _: SHAP(regions=4),
    "partition_shap": lambda _: PartitionSHAP(samples=16, regions=4),
    "occlusion": lambda _: Occlusion(regions=5),
    "rise": lambda _: RISE(samples=30, cells=3),
}


@pytest.fixture(scope="module", params=zoo.ZOO)
def specimen(request):
    clear_cache()
    keras.backend.clear_session()
    made = zoo.make(request.param)
    before = state(made)
    yield made
    after = state(made)
    assert after["policy"] == before["policy"]
    assert after["config"] == before["config"]
    assert len(after["weights"]) == len(before["weights"])
    assert all(np.array_equal(a, b) for a, b in zip(after["weights"], before["weights"], strict=True))
    assert np.array_equal(after["predictions"], before["predictions"])


def state(made):
    """What must not change; asked after the first prediction, which builds lazy networks."""
    predictions = made.probabilities(made.images())
    try:
        config = made.model.to_json()
    except NotImplementedError:
        config = ""
    return {
        "predictions": predictions,
        "weights": [w.copy() for w in made.model.get_weights()],
        "config": config,
        "policy": keras.config.dtype_policy().name,
    }


@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_cell_of_the_table(specimen, method):
    images = specimen.images()
    explainer = CHEAP[method](images) if method in CHEAP else build(method)
    refusal = specimen.refuses.get(NEEDS[explainer.needs.__name__])
    if refusal:
        with pytest.raises(MissingCapability, match=refusal) as told:
            xaimri.explain(specimen.model, images[0], explainer, **specimen.options)
        assert "saliency" in str(told.value)
        assert "lime" in str(told.value)
        return
    found = xaimri.explain_all(specimen.model, list(images), explainer, **specimen.options)
    for explanation, own in zip(found, specimen.probabilities(images), strict=True):
        assert explanation.values.shape == specimen.shape[:-1]
        assert np.isfinite(explanation.values).all()
        assert np.abs(explanation.probabilities - own).max() < max(specimen.tolerance, 1e-5)
        names = {caveat.name for caveat in explanation.caveats}
        empty = {"no_positive_evidence", "degenerate_gradient"} & names
        assert bool(np.abs(explanation.values).max() > 0) != bool(empty), names
        assert "assumed_geometry" not in names
        assert not names & {"input_range", "preprocessed_twice", "constant_image"}


def test_the_classifier_keeps_its_promises(specimen):
    """The gradient is that of finite differences, and everything flows through the default layer."""
    if specimen.tolerance > 1e-3:
        pytest.skip("half precision allows no finite differences; compared with its full twin below")
    classifier = as_classifier(specimen.model, **specimen.options)
    images = specimen.images()
    if specimen.refuses:
        classifier = OnlyGradients(classifier)
    own = specimen.probabilities(images)
    check_classifier(classifier, images, own, tolerance=2e-5, slope_tolerance=0.06)  # ReLU has kinks


class OnlyGradients:
    """A classifier without what its network refuses."""

    def __init__(self, model):
        self._model = model
        self.logits, self.gradient = model.logits, model.gradient

    @property
    def classes(self):
        return self._model.classes


LAYERS = {
    "one backbone called twice": "concatenate",
    "spatial attention head": "multiply",
    "attention of maps": "add",
    "attention head": "add",
    "vision transformer": "layer_normalization",
    "squeeze and excitation": "multiply",
    "branches": "all_branches",
    "flatten head": "last_",
    "nested": "backbone/last_",
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_default_layer_is_the_last_through_which_everything_flows(name):
    made = zoo.make(name)
    found = xaimri.explain(made.model, made.images()[0], **made.options)
    assert found.diagnostics["layer"].startswith(LAYERS[name]), found.diagnostics["layer"]


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("method", ["gradcam", "hirescam", "saliency", "integrated_gradients"])
def test_mixed_precision_gives_the_map_of_full_precision(name, method):
    keras.utils.set_random_seed(0)
    half = zoo.mixed(name).model
    with zoo.policy("float32"):
        full = zoo.functional(lambda x: zoo.dense()(zoo.pooled(zoo.base()(x))))
    full.set_weights(half.get_weights())
    image = zoo.Specimen(half).images(1)[0]
    options = {"gradcam": {"relu": False}, "integrated_gradients": {"tolerance": 0.1}}.get(method, {})
    a, b = (xaimri.explain(m, image, method, target=1, **options).values for m in (half, full))
    error = np.linalg.norm(a - b) / np.linalg.norm(b)
    assert error < (0.02 if name == "mixed_float16" else 0.15), error


def test_small_gradients_survive_half_precision(monkeypatch):
    """Raw intensities of a large image make gradients that half precision would round to 0."""
    with zoo.policy("mixed_float16"):
        keras.utils.set_random_seed(0)

        def make(x):
            x = keras.layers.Rescaling(1 / 4095)(x)
            return zoo.dense(dtype="float32")(zoo.pooled(zoo.base((120, 140, 3))(x)))

        half = zoo.functional(make, (120, 140, 3))
    with zoo.policy("float32"):
        full = zoo.functional(make, (120, 140, 3))
    full.set_weights(half.get_weights())
    images = np.random.default_rng(0).uniform(0, 4095, (1, 120, 140, 3)).astype(np.float32)
    truth = as_classifier(full).gradient(images, Objective((1,))).values

    def error():
        found = as_classifier(half).gradient(images, Objective((1,))).values
        return np.linalg.norm(found - truth) / np.linalg.norm(truth)

    assert error() < 0.05
    monkeypatch.setattr("xaimri.adapters.keras.classifier.HALF", 1.0)
    assert error() > 0.2


def test_a_decorated_call_is_opened():
    made = zoo.make("tf.function inside")
    found = xaimri.explain(made.model, made.images()[0])
    assert found.diagnostics["layer"].startswith("backbone/last_")
