"""Eigen-CAM against the eigenvectors of the cells' Gram matrix."""

import numpy as np
import pytest

from cells import SPACES, Opened, laid, maps_of, names, subject
from xaimri import EigenCAM, GradCAM, LinearClassifier


@pytest.mark.parametrize("rank", SPACES)
def test_eigencam_is_the_leading_eigenvector_of_the_gram_matrix(rank):
    model, images = subject(rank, positive=True)
    maps = maps_of(model, images, 0)
    for i, found in enumerate(EigenCAM().explain(model, images)):
        rows = maps.values[i].reshape(-1, maps.values.shape[-1]).astype(float)
        values, vectors = np.linalg.eigh(rows @ rows.T)
        cells = vectors[:, -1] * np.sqrt(values[-1])
        cells *= np.sign(cells.sum())
        np.testing.assert_allclose(
            found.values, laid(cells.reshape(maps.grid.cells), maps), rtol=1e-4, atol=1e-5
        )
        assert found.diagnostics["explained"] == pytest.approx(values[-1] / values.sum(), rel=1e-5)


def test_eigencam_of_one_feature_is_that_feature_and_of_every_class_the_same():
    model = LinearClassifier.random((6, 8, 1), classes=3, seed=0)
    image = np.random.default_rng(0).random((1, 6, 8, 1), dtype=np.float32)
    maps = [EigenCAM().explain(model, image, target)[0] for target in range(3)]
    for found in maps:
        np.testing.assert_allclose(found.values, image[0, ..., 0], atol=1e-6)
        assert "class_independent" in names(found)
        assert not {"degenerate_gradient", "no_positive_evidence"} & names(found)
    assert "class_independent" not in names(GradCAM().explain(model, image)[0])


def test_eigencam_is_turned_so_that_its_cells_add_up_to_at_least_0():
    """Also where most features are negative, and the first cell speaks the other way."""
    rows = np.outer([-3.0, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1], [-1.0, -2, 1, -1, -3])
    model = Opened(rows.reshape(3, 4, 5), np.ones((3, 4, 5)))
    (found,) = EigenCAM().explain(model, np.random.default_rng(0).random((1, 6, 8, 1), dtype=np.float32))
    assert found.values[0, 0] < 0 < found.values.sum()
    assert found.diagnostics["explained"] == pytest.approx(1)
