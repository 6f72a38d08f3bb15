"""Features of images: a row each in order, few held at once, images of several sizes too."""

import numpy as np
import pytest

import xaimri
from xaimri.errors import MissingCapability
from xaimri.failure import Failure
from xaimri.features import features_of
from xaimri.sources import Named


class Sums:
    """A classifier of images of any size, whose features are their sum and their number of pixels."""

    classes = ("a", "b")

    def __init__(self):
        self.asked = []

    def logits(self, images):
        return self.features(images)

    def features(self, images):
        self.asked.append(images.shape)
        return np.stack([images.sum(axis=(1, 2, 3)), np.full(len(images), images[0].size)], axis=1)

    def readout(self, images):
        raise NotImplementedError


def test_every_image_has_its_row_in_order(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    shapes = [(3, 4)] * 40 + [(5, 6), (3, 4)]
    images = [np.full(shape, float(n)) for n, shape in enumerate(shapes)]
    model = xaimri.open_model(Sums())
    listed = [Named(str(n), image) for n, image in enumerate(images)]
    listed.insert(1, Named("broken", tmp_path / "broken.png"))
    failures: list[Failure] = []
    found = list(features_of(model, iter(listed), failures))
    assert [one.name for one, _ in found] == [str(n) for n in range(42)]
    np.testing.assert_array_equal([row for _, row in found], [[image.sum(), image.size] for image in images])
    assert [each.name for each in failures] == ["broken"]
    assert [shape[0] for shape in model.classifier.asked] == [32, 8, 1, 1]


def test_what_hands_out_none_is_refused():
    plain = xaimri.open_model(lambda images: np.full((len(images), 2), 0.5))
    with pytest.raises(MissingCapability, match="FunctionClassifier hands out no features"):
        list(features_of(plain, [Named("0", np.ones((3, 4)))], []))
