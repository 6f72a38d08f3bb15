"""What a method hands back must fit the images that it was asked about."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer


@dataclass(frozen=True)
class Misshapen(Explainer):
    """Gives maps of another shape than the images': fewer rows, or channels, too."""

    rows: int = 6
    name: ClassVar[str] = "misshapen"

    def attribute(self, model, images, objective, /):
        values = images if self.rows == 6 else images.sum(axis=-1)[:, : self.rows]
        return Attribution(values, model.logits(images))


@pytest.mark.parametrize(("rows", "shape"), [(4, r"\(1, 4, 8\)"), (6, r"\(1, 6, 8, 1\)")])
def test_a_map_of_another_shape_than_the_image_is_told(rows, shape):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    image = np.zeros((6, 8), np.float32)
    with pytest.raises(
        InvalidInput, match=rf"'misshapen' must give `values` .* shape \(1, 6, 8\), .* got {shape}"
    ):
        xaimri.explain(model, image, Misshapen(rows))
