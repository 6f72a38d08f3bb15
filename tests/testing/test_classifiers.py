"""Every classifier that needs no framework keeps every promise, one test each."""

import numpy as np
import pytest

from linear import SHAPES, model_and_images
from xaimri import FunctionClassifier, LinearClassifier
from xaimri.arrays import Images, Scores
from xaimri.classifier import Classifier
from xaimri.objective import softmax
from xaimri.testing import CLASSIFIER_PROMISES, ClassifierPromise, check_classifier
from xaimri.testing.runs import ScoresOnly


def of_a_function(model: LinearClassifier) -> Classifier:
    return FunctionClassifier(lambda x: softmax(model.logits(x)), classes=model.classes)


def as_it_is(model: LinearClassifier) -> Classifier:
    return model


@pytest.mark.parametrize("promise", CLASSIFIER_PROMISES)
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize("make", [as_it_is, of_a_function, ScoresOnly])
def test_every_classifier_keeps_its_promise(
    promise: ClassifierPromise, rank: str, patch: int, make: type[ScoresOnly]
) -> None:
    model, images = model_and_images(rank, patch)
    promise(make(model), images, softmax(model.logits(images)))


def test_two_classes_from_one_sigmoid_column() -> None:
    model, images = model_and_images()

    def second(x: Images) -> Scores:
        return softmax(model.logits(x)[:, :2])[:, 1:]

    given = FunctionClassifier(second, classes=("no", "yes"), outputs="probabilities")
    check_classifier(given, images, second(images))
    check_classifier(given, images, second(images)[:, 0])


def test_images_without_any_contrast_are_too_little() -> None:
    model, images = model_and_images()
    with pytest.raises(AssertionError, match="two images that are not constant"):
        check_classifier(model, np.ones_like(images))
