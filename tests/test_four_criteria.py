"""The four criteria in one call: each is the metric that it is made of, and the networks must fit."""

from dataclasses import replace

import numpy as np
import pytest

from masked import model_of, phantoms
from xaimri import InvalidInput, LinearClassifier, Saliency, SmoothGrad, trustworthiness
from xaimri.images.foreground import foreground
from xaimri.judging import unrelated_similarity
from xaimri.metrics import auprc, randomisation, repeatability, similarity


@pytest.fixture(scope="module")
def cases():
    return phantoms(6)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["ssim", "spearman"])
def test_each_criterion_is_its_metric(cases, by):
    first, again, third = model_of(0), model_of(1), model_of(2)
    explainer = Saliency(signed=True)
    found = trustworthiness({"s": explainer}, first, cases, retrained=again, other=third, by=by)
    assert list(found.metrics) == [
        "localisation", "randomisation", "repeatability", "reproducibility", "unrelated"
    ]  # fmt: skip
    images = np.stack([case.source for case in cases]).astype(np.float32)[..., None]
    maps = explainer.explain(first, images)
    expected = {
        "localisation": auprc(
            maps, [case.mask for case in cases], within=[foreground(image) for image in images]
        ),
        "randomisation": [float(randomisation(explainer, first, image, by=by)) for image in images],
        "repeatability": [repeatability(explainer, first, image, other=again, by=by) for image in images],
        "reproducibility": [repeatability(explainer, first, image, other=third, by=by) for image in images],
        "unrelated": unrelated_similarity(maps, by=by),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found.values("s", name), values, rtol=1e-6, atol=1e-9)
    assert {found.metrics[name].better for name in ("randomisation", "unrelated")} == {"lower"}


def test_unrelated_maps_are_those_of_the_next_images_by_the_same_method():
    model = LinearClassifier.random((8, 9, 1), seed=0)
    images = np.random.default_rng(0).random((9, 8, 9, 1), dtype=np.float32)
    own = Saliency().explain(model, images, 1)
    values = np.random.default_rng(1).normal(size=(9, 8, 9))
    maps = [replace(each, values=v) for each, v in zip(own, values, strict=True)]
    (twin,) = Saliency().explain(model, images[:1], 1)  # the same image once more tells nothing
    (other,) = SmoothGrad(copies=2).explain(model, images[4:5], 1)
    found = unrelated_similarity([*maps, twin, other], by="spearman")
    for n in range(9):
        near = [values[(n + k) % 9] for k in range(1, 9)]
        if n > 3:  # the twin comes after the last map, and before the first
            around = [*range(n + 1, 9), 9, *range(n)]
            near = [twin.values if k == 9 else values[k] for k in around]
        expected = np.mean([similarity(values[n], each.astype(float), "spearman") for each in near[:5]])
        assert found[n] == pytest.approx(expected)
    assert np.isnan(found[-1])
    assert np.isnan(unrelated_similarity(maps[0]))
    assert found[9] == pytest.approx(
        np.mean([similarity(twin.values.astype(float), values[k], "spearman") for k in range(1, 6)])
    )


def test_networks_for_another_question_are_refused(cases):
    first = model_of(0)
    with pytest.raises(InvalidInput, match="`retrained` has the classes a, b, c, d, and the classifier"):
        trustworthiness(["saliency"], first, cases, retrained=model_of(1, list("abcd")), other=first)
    small = model_of(1, shape=(13, 11, 1))
    with pytest.raises(InvalidInput, match=r"`other` takes images of \(13, 11, 1\), and the classifier"):
        trustworthiness(["saliency"], first, cases, retrained=first, other=small)
    none = replace(cases, cases=tuple(replace(case, mask=None) for case in cases))
    with pytest.raises(InvalidInput, match="'localisation' needs a region, and no case has a mask"):
        trustworthiness(["saliency"], first, none, retrained=first, other=first)
