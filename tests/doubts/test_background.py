"""Evidence on the uniform background is told where it is most of the map, and nowhere else."""

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.caveats import Reason
from xaimri.doubts.background import background_share

SPACE = (48, 64)
OBJECT = np.zeros(SPACE, bool)
OBJECT[14:34, 20:44] = True
SCAN = np.where(OBJECT, 0.8, 0.2).astype(np.float32)


def by(region):
    """A classifier whose second class gains by every pixel of a region."""
    weights = np.zeros((2, *SPACE, 1))
    weights[1, region] = 1 / region.sum()
    return LinearClassifier(weights, patch=2)


def told(model, image=SCAN, method="input_x_gradient", **options):
    found = xaimri.explain(model, image, method, target=1, **options)
    return [c for c in found.caveats if c.reason is Reason.ON_BACKGROUND]


FAR = np.zeros(SPACE, bool)
FAR[:6], FAR[-6:] = True, True


@pytest.mark.parametrize("method", ["input_x_gradient", "hirescam", xaimri.Occlusion(absent=0.0)])
def test_a_network_that_goes_by_the_border_is_told_and_one_that_goes_by_the_object_is_not(method):
    assert told(by(FAR), method=method)
    assert not told(by(OBJECT), method=method)


def test_the_share_is_that_of_the_positive_evidence():
    both = LinearClassifier(0.75 * by(FAR).weights / 0.2 + 0.25 * by(OBJECT).weights / 0.8)
    (caveat,) = told(both)
    assert caveat.text.startswith("75 % of the positive evidence")
    evenly = LinearClassifier(0.49 * by(FAR).weights / 0.2 + 0.51 * by(OBJECT).weights / 0.8)
    assert not told(evenly)
    against = LinearClassifier(by(OBJECT).weights - 9 * by(FAR).weights)  # what speaks against is no evidence
    assert not told(against)


def test_nothing_is_told_where_no_object_stands_out_from_a_uniform_background():
    noise = np.random.default_rng(0).uniform(0, 1, SPACE).astype(np.float32)
    assert not told(by(FAR), noise)
    assert not told(by(FAR), np.full(SPACE, 0.2, np.float32))


def test_evidence_within_a_cell_of_the_object_is_the_objects():
    heat = np.zeros(SPACE, np.float32)
    heat[24, 52] = 1.0  # nine columns beside it
    assert background_share(SCAN[..., None], heat, step=(8.0, 8.0)) == 1.0
    assert background_share(SCAN[..., None], heat, step=(8.0, 9.0)) == 0.0
    assert (
        background_share(SCAN[..., None], heat) == 1.0
    )  # widened by 7 pixels, a seventh of the shorter side
    heat[24, 52], heat[24, 50] = 0.0, 1.0
    assert background_share(SCAN[..., None], heat) == 0.0
    assert background_share(SCAN[..., None], np.full(SPACE, np.nan, np.float32)) == 0.0


def test_holes_of_the_background_value_belong_to_the_object():
    hollow = SCAN.copy()
    hollow[20:28, 28:36] = 0.2
    hole = np.zeros(SPACE, bool)
    hole[20:28, 28:36] = True
    assert not told(by(hole), hollow)
    assert told(by(FAR), hollow)


def test_a_fine_texture_on_the_background_is_an_object():
    rows, columns = np.indices(SPACE)
    checked, specks = SCAN.copy(), SCAN.copy()
    checked[:6][(rows + columns)[:6] % 2 == 0] = 0.5
    specks[2, ::9] = 0.5
    top = np.zeros(SPACE, bool)
    top[:6] = True
    assert not told(by(top), checked)
    assert told(by(top), specks)


def test_a_volume_is_told_too():
    scan = np.stack([np.full(SPACE, 0.2, np.float32), *[SCAN] * 4, np.full(SPACE, 0.2, np.float32)])
    weights = np.zeros((2, *scan.shape, 1))
    weights[1, :, :6] = 1.0
    (caveat,) = told(LinearClassifier(weights), scan)
    assert caveat.text.startswith("100 %")
