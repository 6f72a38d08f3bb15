"""The model that a metric asks: whatever the user has, on the grid of the images that were explained."""

import numpy as np
import pytest

from maps import mapped
from xaimri import LIME, FunctionClassifier, LinearClassifier, Occlusion, metrics, open_model
from xaimri.errors import InvalidInput
from xaimri.metrics.model import image_shape
from xaimri.objective import softmax


def test_images_of_other_shapes_are_refused():
    one, model = mapped((6, 9, 1))
    other, _ = mapped((5, 9, 1))
    assert image_shape([one], model) == (6, 9, 1)
    assert image_shape([one], FunctionClassifier(lambda x: x[:, 0, 0], classes=("a", "b"))) == (6, 9, 1)
    with pytest.raises(InvalidInput, match="the explained images have different shapes"):
        metrics.deletion([one, other], model)
    for metric in (metrics.deletion, metrics.road, metrics.infidelity, metrics.average_drop):
        with pytest.raises(InvalidInput, match=r"has the shape \(5, 9, 1\), and the classifier takes \(6, 9"):
            metric(other, model)


class Open(LinearClassifier):
    """Takes any height."""

    @property
    def input_shape(self):
        return (None, *super().input_shape[1:])


def test_an_open_axis_takes_any_length_and_a_fixed_one_only_its_own():
    model = Open(np.ones((2, 6, 9, 1)))
    assert image_shape([mapped((5, 9, 1))[0]], model) == (5, 9, 1)
    for shape in [(6, 8, 1), (6, 9, 2), (6, 2, 9, 1)]:
        with pytest.raises(InvalidInput, match="the classifier takes"):
            image_shape([mapped(shape)[0]], model)


def test_any_model_comes_in_by_the_same_door():
    """A function, opened or not, gives every metric and control the numbers of its classifier."""
    own, model = mapped((9, 11, 1))

    def probabilities(images):
        return softmax(model.logits(images))

    labels = np.arange(99).reshape(9, 11) // 20
    blind, sampling = Occlusion(regions=labels), LIME(samples=30, regions=labels)
    asked = {
        "deletion": lambda m: float(metrics.deletion(own, m)),
        "road": lambda m: metrics.road(own, m),
        "infidelity": lambda m: metrics.infidelity(own, m),
        "completeness_gap": lambda m: metrics.completeness_gap(own, m),
        "average_drop": lambda m: metrics.average_drop(own, m),
        "max_sensitivity": lambda m: metrics.max_sensitivity(blind, m, own.image, samples=2),
        "seed_stability": lambda m: metrics.seed_stability(sampling, m, own.image),
        "repeatability": lambda m: metrics.repeatability(blind, m, own.image, other=m),
        "absent_sensitivity": lambda m: metrics.absent_sensitivity(blind, m, own.image).relative,
    }
    for name, ask in asked.items():
        expected = ask(FunctionClassifier(probabilities))
        assert ask(open_model(probabilities)) == expected, name
        assert ask(probabilities) == expected, name
    opened = metrics.randomisation("saliency", open_model(model), own.image, 1)
    assert float(opened) == float(metrics.randomisation("saliency", model, own.image, 1))


def test_what_is_no_model_is_one_sentence():
    own, _ = mapped((9, 11, 1))
    with pytest.raises(InvalidInput, match="is no model: give a Keras model"):
        metrics.deletion(own, 3)
