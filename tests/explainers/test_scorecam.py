"""Score-CAM, written out mask by mask on a linear model."""

import numpy as np
import pytest

from cells import SPACES, laid, maps_of, names, subject
from xaimri import LinearClassifier, ScoreCAM
from xaimri.errors import InvalidInput
from xaimri.objective import Objective


@pytest.mark.parametrize("rank", SPACES)
@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_scorecam_weighs_maps_by_the_score_of_the_image_seen_through_them(rank, of):
    model, images = subject(rank)
    maps = maps_of(model, images, 0)
    for i, found in enumerate(ScoreCAM(relu=False).explain(model, images, 0, of=of)):
        features = np.moveaxis(maps.values[i], -1, 0)
        scores = []
        for feature in features:
            mask = maps.grid.resample(feature)
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            logits = model.logits((images[i] * mask[..., None])[None])
            scores.append(Objective((0,), of).scores(logits.astype(float))[0])
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(found.values, laid(np.tensordot(weights, features, 1), maps), atol=1e-5)
        assert found.diagnostics["model_calls"] == 1 + len(features)
        entropy = -(weights * np.log(weights)).sum()
        assert found.diagnostics["effective_features"] == pytest.approx(np.exp(entropy), rel=1e-4)


def test_scorecam_of_few_features_takes_those_that_vary_most():
    shape = (4, 6, 1)
    model = LinearClassifier(np.ones((2, *shape)), patch=2)
    image = np.zeros((1, *shape), np.float32)
    image[0, ::2, ::2, 0] = 9 * np.random.default_rng(0).random((2, 3))  # first in every patch
    image[0, 1::2, 1::2, 0] = np.random.default_rng(1).random(
        (2, 3)
    )  # the last, weaker; the others are constant
    (one,) = ScoreCAM(relu=False, features=1).explain(model, image)
    maps = maps_of(model, image, 0)
    np.testing.assert_allclose(one.values, laid(maps.values[0, ..., 0], maps), atol=1e-6)
    assert one.diagnostics["features"] == 1
    (both,) = ScoreCAM(relu=False).explain(model, image)
    assert both.diagnostics["features"] == 2


def test_scorecam_of_a_constant_image_has_nothing_to_mask_by():
    model, _ = subject("2d")
    (found,) = ScoreCAM().explain(model, np.ones((1, 6, 8, 3), np.float32))
    assert "constant_maps" in names(found)
    assert not found.values.any()
    model, images = subject("2d")
    assert "constant_maps" not in names(ScoreCAM().explain(model, images)[0])


@pytest.mark.parametrize("features", [0, -1, True])
def test_a_number_of_features_that_is_none_is_refused(features):
    with pytest.raises(InvalidInput, match="`features` must be a whole number of at least 1 or None"):
        ScoreCAM(features=features)


def test_softmax_weights_do_not_see_a_constant_added_to_all_scores():
    model, images = subject("2d")
    raised = LinearClassifier(model.weights, model.bias + np.float32(5), patch=2)
    a, b = (ScoreCAM(relu=False).explain(m, images, 1)[0].values for m in (model, raised))
    np.testing.assert_allclose(a, b, atol=1e-5)
