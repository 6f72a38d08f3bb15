"""A score that nothing changes: every method says so, draws nothing, and no metric gives it a number."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from linear import Resting
from xaimri import EXPLAINERS, LinearClassifier, metrics
from xaimri.caveats import Reason
from xaimri.data.case import Case
from xaimri.doubts.constancy import is_constant, other_images
from xaimri.errors import InvalidInput
from xaimri.explainers import build, settings_of

with on_first_use():
    import keras
    from keras import layers

SHAPE = (8, 9, 1)
SCAN = np.random.default_rng(0).uniform(0.2, 1, SHAPE).astype(np.float32)
WEIGHTS = np.random.default_rng(1).normal(size=SHAPE)
FEW = {"samples": 40, "steps": 4, "copies": 2, "regions": 6, "references": np.zeros((2, *SHAPE), np.float32)}


def cheap(name, **more):
    given = {key: value for key, value in {**FEW, **more}.items() if key in settings_of(name)}
    if name == "occlusion":
        given = {**given, "regions": None, "window": 3}
    return build(name, given)


METHODS = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("gradient_shap", "partition_shap") else name
    for name in EXPLAINERS
]
"""The two import the package shap, which takes seconds."""


def constant(images):
    return np.tile([[0.2, 0.5, 0.3]], (len(images), 1))


def reasons(explanation):
    return [caveat.reason for caveat in explanation.caveats]


def explain(model, name, target=1, of="logit", image=SCAN):
    (found,) = cheap(name).explain(model, image[None], target, of=of)
    return found


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_every_method_says_so_once_and_draws_nothing(name, of):
    model = LinearClassifier(np.zeros((3, *SHAPE)), bias=[0.0, 2.0, 1.0])
    found = explain(model, name, of=of)
    assert reasons(found).count(Reason.CONSTANT_SCORE) == 1
    score = {
        "logit": 2.0,
        "log_odds": 2 - np.log(1 + np.e),
        "probability": np.exp(2) / (1 + np.e + np.exp(2)),
    }
    (told,) = [caveat.text for caveat in found.caveats if caveat.reason is Reason.CONSTANT_SCORE]
    assert f"is {score[of]:.4g} for this image and for 8 others" in told
    if name != "eigencam":  # which shows what the layer responds to, whatever the score
        assert reasons(found) == [Reason.CONSTANT_SCORE]
        assert not np.nan_to_num(found.values).any()
        assert found.errors is None or not np.nan_to_num(found.errors).any()
        assert found.regions is None or not np.nan_to_num(found.regions.values).any()


@pytest.mark.parametrize("name", ["lime", "shap", "occlusion", "rise"])
def test_a_function_that_ignores_its_input(name):
    found = xaimri.explain(constant, SCAN, cheap(name))
    assert reasons(found) == [Reason.CONSTANT_SCORE]
    assert not found.values.any()


@pytest.mark.parametrize("name", METHODS)
def test_a_dead_class_has_a_constant_logit_and_a_probability_that_moves(name):
    model = LinearClassifier(np.stack([WEIGHTS, 0 * WEIGHTS]), bias=[0.0, 1.5])
    (told,) = [c.text for c in explain(model, name).caveats if c.reason is Reason.CONSTANT_SCORE]
    assert "logit of class_1 is 1.5 whatever the image shows" in told
    assert 'of="log_odds"' in told
    for target, of in ((1, "log_odds"), (1, "probability"), (0, "logit")):
        assert Reason.CONSTANT_SCORE not in reasons(explain(model, name, target, of))


def test_two_classes_that_go_together_have_a_constant_difference():
    model = LinearClassifier(np.stack([WEIGHTS, WEIGHTS, 0 * WEIGHTS]), bias=[0.0, 1.5, 0.0])
    (found,) = cheap("saliency").explain(model, SCAN[None], 0, against=1)
    assert reasons(found)[0] is Reason.CONSTANT_SCORE
    assert "logit difference of class_0 against class_1 is -1.5" in found.caveats[0].text
    (apart,) = cheap("saliency").explain(model, SCAN[None], 0, against=2)
    assert Reason.CONSTANT_SCORE not in reasons(apart)


@pytest.mark.parametrize("name", METHODS)
def test_a_score_that_rests_at_this_image_is_not_called_constant(name):
    """Only what exceeds 10 counts: no gradient here, and nothing that is hidden changes anything."""
    found = explain(Resting((2, *SHAPE)), name)
    hides = EXPLAINERS[name].family == "perturbation"
    assert Reason.CONSTANT_SCORE not in reasons(found)
    texts = [caveat.text for caveat in found.caveats if caveat.reason is Reason.UNMOVED_SCORE]
    assert len(texts) == int(hides or name == "scorecam")
    assert all(text.startswith("Nothing that was hidden") for text in texts)
    if not hides and name not in ("scorecam", "eigencam"):
        assert Reason.DEGENERATE_GRADIENT in reasons(found)


@pytest.mark.parametrize("name", METHODS)
def test_ordinary_models_are_not_suspected_and_are_asked_nothing_more(name, monkeypatch):
    monkeypatch.setattr("xaimri.doubts.constancy.other_images", None)
    faint = LinearClassifier(np.stack([0.1 * WEIGHTS, -0.1 * WEIGHTS]), patch=1)
    if name == "vargrad":  # a linear gradient never varies
        return
    for of in ("logit", "log_odds", "probability"):
        assert Reason.CONSTANT_SCORE not in reasons(explain(faint, name, of=of))


def test_images_that_a_function_refuses_are_left_out():
    def careful(images):
        assert images.min() >= 0, "no negative intensities"
        assert images.max() <= 1, "no bytes"
        return constant(images)

    (told,) = xaimri.explain(careful, SCAN, cheap("occlusion")).caveats
    assert "for 4 others" in told.text

    def picky(images):
        if not np.isin(images, SCAN).all():
            raise ValueError("only this image")
        return constant(images)

    (unsure,) = xaimri.explain(picky, SCAN, cheap("lime", absent=float(SCAN.max()))).caveats
    assert unsure.reason is Reason.UNMOVED_SCORE


def test_other_images_differ_in_mean_spread_sign_and_place():
    others = other_images(SCAN).astype(np.float64)
    assert len({float(image.mean()) for image in others}) == len(others)
    assert others.min() < -0.9
    assert others.max() > 200
    assert is_constant(np.full(5, 3.0))
    assert not is_constant(np.array([3.0, 3.001]))


BLIND = LinearClassifier(np.zeros((2, 16, 18, 1)), bias=[0.0, 1.0])
CASES = [
    Case(f"c{n}", 0, f"s{n}", np.random.default_rng(n).random((16, 18)), mask=np.eye(16, 18) > 0)
    for n in (0, 1)
]


def test_every_metric_fails_with_that_sentence():
    from xaimri.judging.catalogue import METRICS

    found = xaimri.evaluate_explanations(["gradcam", "eigencam"], BLIND, CASES, list(METRICS))
    assert len(found.rows) == 4 * len(METRICS)
    for row in found.rows:
        assert row.failure is not None
        assert "is 1 for this image and for 8 others" in row.failure.sentence, row


@pytest.mark.parametrize(
    "name", ["deletion", "insertion", "road", "infidelity", "sensitivity_n", "average_drop"]
)
def test_a_metric_of_a_score_that_never_changes_though_the_explained_one_does(name):
    """Both logits go together: they change with the image, and the probability never does."""
    model = LinearClassifier(np.stack([WEIGHTS, WEIGHTS]), bias=[0.0, 1.0])
    (found,) = cheap("input_x_gradient").explain(model, SCAN[None], 1)
    assert found.caveats == ()
    of = {} if name == "average_drop" else {"of": "probability"}
    with pytest.raises(
        InvalidInput, match=r"probability of class_1 is 0\.7311 for this image and for 8 others"
    ):
        getattr(metrics, name)(found, model, **of)


@pytest.mark.parametrize("name", ["max_sensitivity", "randomisation", "seed_stability"])
def test_a_metric_that_explains_by_itself_fails_too(name):
    with pytest.raises(InvalidInput, match="for 8 others"):
        getattr(metrics, name)(cheap("rise"), BLIND, CASES[0].source[..., None].astype(np.float32))


def network(*last, **first):
    convolution = {"activation": "relu", **first}
    middle = [layers.Conv2D(4, 3, **convolution), layers.GlobalAveragePooling2D(), *last]
    return keras.Sequential([keras.Input((24, 24, 1)), *middle])


def dead_units():
    return network(layers.Dense(3, "softmax"), bias_initializer=keras.initializers.Constant(-1e9))


def head_of_zeros():
    return network(layers.Dense(2, "softmax", kernel_initializer="zeros"))


def normalised_away():
    """Each image's features are normalised, and their mean taken: it is the offset, up to rounding."""
    norm = layers.GroupNormalization(4)
    return keras.Sequential(
        [
            keras.Input((24, 24, 1)),
            layers.Conv2D(4, 3),
            norm,
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ]
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize("make", [dead_units, head_of_zeros, normalised_away])
def test_networks_whose_score_never_changes(make):
    keras.utils.set_random_seed(0)
    model, image = xaimri.open_model(make()), np.random.default_rng(0).random((24, 24)) * 255
    for name in ("gradcam", "eigencam", "saliency", "occlusion"):
        found = model.explain(image, name)
        assert Reason.CONSTANT_SCORE in reasons(found), name
        assert name == "eigencam" or not found.values.any()
