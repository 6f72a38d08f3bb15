"""The contract suites, on every explainer and classifier here, and on broken ones that they must catch."""

import itertools
from dataclasses import dataclass, field
from typing import ClassVar

import matplotlib as mpl
import numpy as np
import pytest

from xaimri import EXPLAINERS, FunctionClassifier, LinearClassifier
from xaimri.arrays import Stored
from xaimri.classifier import Classifier, Differentiable
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers import (
    LIME,
    RISE,
    SHAP,
    EigenCAM,
    ExpectedGradients,
    GradCAM,
    GradCAMPlusPlus,
    GradientSHAP,
    HiResCAM,
    InputXGradient,
    IntegratedGradients,
    LayerCAM,
    Occlusion,
    PartitionSHAP,
    Saliency,
    ScoreCAM,
    SmoothGrad,
    VarGrad,
)
from xaimri.objective import softmax
from xaimri.perturb.stopping import Auto
from xaimri.testing import check_classifier, check_explainer

SHAPES = {"2d": (6, 8, 2), "3d": (4, 6, 8, 3)}


def subject(rank, patch=2):
    """Return a linear model and images; no two axes of the images have one length."""
    shape = SHAPES[rank]
    model = LinearClassifier.random(shape, classes=4, seed=3, patch=patch)
    images = np.random.default_rng(0).normal(1, 1, (3 if rank == "2d" else 5, *shape))
    return model, images.astype(np.float32)


def regions(rank):
    return np.arange(np.prod(SHAPES[rank][:-1])).reshape(SHAPES[rank][:-1]) // 13


def references(rank):
    return np.random.default_rng(9).normal(size=(4, *SHAPES[rank])).astype(np.float32)


VARIANTS = {
    "gradcam": [GradCAM(), GradCAM(relu=False), GradCAM(layer="patches")],
    "gradcam++": [GradCAMPlusPlus(), GradCAMPlusPlus(relu=False)],
    "hirescam": [HiResCAM(), HiResCAM(relu=True)],
    "layercam": [LayerCAM(), LayerCAM(relu=False)],
    "scorecam": [ScoreCAM(), ScoreCAM(relu=False, features=3)],
    "eigencam": [EigenCAM(), EigenCAM(relu=True)],
    "saliency": [Saliency(), Saliency(signed=True)],
    "input_x_gradient": [InputXGradient()],
    "integrated_gradients": [IntegratedGradients(), IntegratedGradients(baseline=0.5, steps=3, most=6)],
    "expected_gradients": [],  # its references have the images' shape: below
    "gradient_shap": [],  # so have its
    "smoothgrad": [
        SmoothGrad(copies=3),
        SmoothGrad(inner=GradCAM(relu=False), noise=0.5, copies=2, seed=4),
        SmoothGrad(inner=IntegratedGradients(steps=2), copies=2),
    ],
    "vargrad": [VarGrad(inner=InputXGradient(), copies=3), VarGrad(inner="hirescam", copies=2)],
    "lime": [
        LIME(samples=40, regions=5),
        LIME(samples=30, regions=4, absent=0.0, features=3, seed=7),
        LIME(samples=30, regions=6, compactness=5.0, kernel_width=1.0),
        LIME(samples=40, regions=5, sampling="local", absent="blur"),
        LIME(samples=40, regions=5, sampling="stratified", absent="noise"),
        LIME(samples=40, regions=5, sampling="orthogonal", absent="blur"),
        LIME(samples=40, regions=6, shape="grid", absent="inpaint"),
        LIME(samples=Auto(floor=40, ceiling=60), regions=5),
    ],
    "shap": [
        SHAP(samples=40, regions=5),
        SHAP(samples=60, regions=14, exact=0, adjust=False, seed=3),
        SHAP(samples=40, regions=9, exact=0, adjust=False, shape="grid", absent=0.0),
        SHAP(samples=Auto(by="error", floor=40, ceiling=60), regions=8, exact=0, adjust=False),
    ],
    "partition_shap": [
        PartitionSHAP(samples=40, regions=5),
        PartitionSHAP(samples=21, regions=9, shape="grid", absent="noise", seed=6),
    ],
    "occlusion": [
        Occlusion(),
        Occlusion(window=2, stride=1),
        Occlusion(window=3, absent="noise", seed=4),
        Occlusion(regions=4),
    ],
    "rise": [
        RISE(samples=30, cells=3),
        RISE(samples=30, centred=True, absent="mean"),
        RISE(samples=Auto(by="error", floor=20, ceiling=30), cells=2, keep=0.3, seed=5),
    ],
}


@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("explainer", itertools.chain(*VARIANTS.values()), ids=repr)
def test_explainers_keep_every_promise(explainer, rank):
    check_explainer(explainer, *subject(rank))


@pytest.mark.parametrize(
    "explainer",
    [LIME(samples=24, regions=4, adjust=True, seed=2), SHAP(samples=24, regions=9, exact=0, seed=3)],
    ids=repr,
)
def test_cross_fitting_keeps_every_promise(explainer):
    """It sees regions and scores, no pixels, so that one rank and two images will do: fits take a while."""
    model, images = subject("2d")
    check_explainer(explainer, model, images[:2])


@pytest.mark.parametrize("rank", SHAPES)
def test_an_array_as_a_setting_keeps_every_promise(rank):
    for explainer in (
        LIME(samples=30, regions=Stored(regions(rank))),
        SHAP(samples=30, regions=Stored(regions(rank)), absent=references(rank)),
        Occlusion(regions=regions(rank), absent=references(rank)[1]),
        RISE(samples=20, cells=2, absent=references(rank)[2]),
        IntegratedGradients(baseline=references(rank)[0]),
        ExpectedGradients(references=references(rank), samples=7),
        GradientSHAP(references=references(rank), samples=7, smoothing=0.1, seed=2),
        PartitionSHAP(samples=30, regions=regions(rank), absent=references(rank)),
        SmoothGrad(inner=ExpectedGradients(references=references(rank), samples=3), copies=2),
    ):
        check_explainer(explainer, *subject(rank))


def test_every_method_of_the_table_is_checked():
    assert set(VARIANTS) == set(EXPLAINERS)


@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize("rank", SHAPES)
def test_linear_classifier_keeps_every_promise(rank, patch):
    model, images = subject(rank, patch)
    outputs = softmax(model.logits(images))
    check_classifier(model, images, outputs)


@pytest.mark.parametrize("rank", SHAPES)
def test_function_classifier_keeps_every_promise(rank):
    model, images = subject(rank)
    given = FunctionClassifier(lambda x: softmax(model.logits(x)), classes=model.classes)
    check_classifier(given, images, softmax(model.logits(images)))


def test_two_classes_from_one_sigmoid_column():
    model, images = subject("2d")

    def second(x):
        return softmax(model.logits(x)[:, :2])[:, 1:]

    given = FunctionClassifier(second, classes=("no", "yes"))
    check_classifier(given, images, second(images))
    check_classifier(given, images, second(images)[:, 0])


# Broken explainers: each breaks one promise, and the suite must say so.


@dataclass(frozen=True)
class Brightness(Explainer[Classifier]):
    """Honest: the image itself, scaled."""

    factor: float = 1.0
    name: ClassVar[str] = "brightness"

    def attribute(self, model, images, objective, /):
        return Attribution(images.sum(axis=-1) * np.float32(self.factor), model.logits(images))


@dataclass(frozen=True)
class Breaking(Explainer[Classifier]):
    """Breaks one promise, by name."""

    promise: str
    name: ClassVar[str] = "breaking"

    def attribute(self, model, images, objective, /):
        values, logits = images.sum(axis=-1), model.logits(images)
        if self.promise == "alone":
            values = values / values.max()
        elif self.promise == "order":
            values = values * (1 + np.arange(len(images), dtype=np.float32)).reshape(
                -1, *[1] * (values.ndim - 1)
            )
        elif self.promise == "random":
            values = values + np.random.random(values.shape).astype(np.float32)  # noqa: NPY002
        elif self.promise == "seed":
            np.random.seed(0)  # noqa: NPY002
        elif self.promise == "style":
            mpl.rcParams["font.size"] = mpl.rcParams["font.size"] + 1
        elif self.promise == "errors":
            np.seterr(under="warn" if np.geterr()["under"] == "ignore" else "ignore")
        elif self.promise == "model":
            model.weights.flags.writeable = True
            model.weights *= 1.01
        elif self.promise == "target":
            values = values * (1 if objective.targets is None else 2)
        elif self.promise == "logits":
            logits = logits + 1
        elif self.promise == "diagnostics":
            return Attribution(values, logits, diagnostics=[{"count": next(COUNTER)}] * len(images))
        elif self.promise == "caveat":
            from xaimri.caveats import Caveat

            return Attribution(values, logits, caveats=[[Caveat("not a name", "odd")]] * len(images))
        return Attribution(values, logits)


COUNTER = itertools.count()

SENTENCES = {
    "alone": "depends on the other images",
    "order": "depends on the other images",
    "random": "same call twice|another map",
    "seed": "numpy's generator",
    "style": "rcParams",
    "errors": "error handling",
    "model": "changed the model|same call twice|another map|other images",
    "target": "another map than the default",
    "logits": "are not the model's",
    "diagnostics": "different diagnostics",
    "caveat": "a caveat needs a name",
}


@pytest.mark.parametrize("promise", SENTENCES)
def test_the_suite_catches_a_broken_explainer(promise):
    with mpl.rc_context(), np.errstate(), pytest.raises(AssertionError, match=SENTENCES[promise]):
        check_explainer(Breaking(promise), *subject("2d"))


@pytest.mark.parametrize("rank", SHAPES)
def test_the_suite_passes_an_honest_explainer(rank):
    check_explainer(Brightness(2.0), *subject(rank))


class Thawed(Explainer[Classifier]):
    name: ClassVar[str] = "thawed"

    def attribute(self, model, images, objective, /):
        return Attribution(images.sum(axis=-1), model.logits(images))


@dataclass
class Mutable(Thawed):
    factor: float = 1.0


@dataclass(frozen=True)
class Unhashable(Brightness):
    weights: list = field(default_factory=lambda: [1.0])


@dataclass(frozen=True)
class Forgetful(Brightness):
    name: ClassVar[str] = "forgetful"

    def __post_init__(self):
        object.__setattr__(self, "factor", self.factor * 2)


@dataclass(frozen=True)
class Understated(Explainer[Classifier]):
    """Needs gradients and does not say so."""

    name: ClassVar[str] = "understated"

    def attribute(self, model, images, objective, /):
        if isinstance(model, Differentiable):
            found = model.gradient(images, objective)
            return Attribution(found.values.sum(axis=-1), found.logits)
        return Attribution(images.sum(axis=-1), model.logits(images))


@dataclass(frozen=True)
class Careless(Brightness):
    """Gives NaN, whose caveat is taken away below."""

    def attribute(self, model, images, objective, /):
        return Attribution(np.full(images.shape[:-1], np.nan, np.float32), model.logits(images))


@pytest.mark.parametrize(
    ("explainer", "sentence"),
    [
        (Thawed(), "frozen dataclass"),
        (Mutable(), "no hash|frozen dataclass"),
        (Unhashable(), "no hash"),
        (Forgetful(), "rebuilds another explainer"),
        (Understated(), "gives something else"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Explainer) else "",
)
def test_the_suite_catches_an_explainer_that_is_no_value(explainer, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_explainer(explainer, *subject("2d"))


def test_the_suite_catches_nan_without_a_caveat(monkeypatch):
    check_explainer(Careless(), *subject("2d"))
    monkeypatch.setattr("xaimri.explainer.common_caveats", lambda *_: ())
    with pytest.raises(AssertionError, match="no caveat says why"):
        check_explainer(Careless(), *subject("2d"))


def test_the_suite_catches_a_contract_that_is_not_enforced(monkeypatch):
    model, images = subject("2d")
    with monkeypatch.context() as patch:
        patch.setattr("xaimri.explainer.resolve_targets", lambda t, c, n: (0,) * n)
        with pytest.raises(AssertionError, match=r"default target|must be refused"):
            check_explainer(Brightness(), model, images)
    with monkeypatch.context() as patch:
        patch.setattr("xaimri.explanation.frozen", lambda array: array)
        with pytest.raises(AssertionError, match=r"can be written|caller's array"):
            check_explainer(Brightness(), model, images)
    with monkeypatch.context() as patch:
        patch.setattr("xaimri.explainer._lack", lambda *_: "no.")
        with pytest.raises(AssertionError, match="must name need and model"):
            check_explainer(GradCAM(), model, images)
