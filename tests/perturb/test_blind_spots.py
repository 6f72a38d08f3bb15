"""What hiding leaves as it is."""

import numpy as np
import pytest

from lesions import lesion
from xaimri.perturb.absent import hidden
from xaimri.perturb.blind_spots import WAYS, best_way, blind_spots, cells, unseen
from xaimri.perturb.segments import superpixels


@pytest.mark.parametrize(
    ("colour", "blind", "seeing"),
    [
        (130.0, ("mean", 130.0, 120.0), ("auto", "blur", "noise", 0.0)),
        (8.0, ("mean", 0.0, 8.0), ("auto", "noise", 200.0)),
    ],
)
def test_what_hides_a_lesion_and_what_does_not(colour, blind, seeing):
    case = lesion(colour=(colour,))
    labels = superpixels(case.image, 50)
    for absent in blind:
        spots = blind_spots(case.image, hidden(case.image, labels, absent), labels)
        found = unseen(spots, labels)
        assert (found & case.lesion).sum() > 0.8 * case.lesion.sum()
        assert spots.share == pytest.approx(found.sum() / case.brain.sum(), rel=0.02)
        assert spots.told()["barely_hidden"] == spots.share
    for absent in seeing:
        assert not blind_spots(case.image, hidden(case.image, labels, absent), labels).barely.any()


def test_the_change_is_told_in_units_of_the_objects_spread():
    image = np.zeros((6, 6, 1), np.float32)
    image[:, :3] = 2
    image[2:4, 2:4] = 8
    labels = (image[..., 0] == 8).astype(int)
    told = blind_spots(image, hidden(image, labels, 2.0), labels).told()
    spread = image.std()
    np.testing.assert_allclose(told["change"], [np.sqrt(2) / spread, 6 / spread], rtol=1e-5)
    assert told["contrast"][1] == pytest.approx(7 / spread, rel=1e-5)  # from 1, the median around it


def test_cells_are_nearly_square_and_cover_everything():
    found = cells((9, 20, 2), side=3)
    assert found.shape == (9, 20, 2)
    assert np.unique(found).tolist() == list(range(3 * 7 * 1))
    assert np.bincount(found.ravel()).min() >= 3 * 2 * 2


def test_the_best_way_leaves_the_least():
    case = lesion(colour=(2.0,), tissue=(120.0,), radius=0.2, noise=1)
    labels = cells((64, 64), 8)
    whole = np.zeros((64, 64), int)
    left = {way: blind_spots(case.image, hidden(case.image, whole, way), labels).share for way in WAYS}
    assert left[0.0] > 0
    assert left[best_way(case.image, labels, 0)] == min(left.values()) == 0


def test_what_hardly_stands_out_is_no_alarm_though_nothing_of_it_is_hidden():
    case = lesion(noise=0.1)
    labels = np.where(case.brain, 0, -1)
    labels[20:24, 14:18] = 1
    labels[case.lesion] = 2
    paler = case.image + 5 * (labels == 1)[..., None]  # a quarter of the brain's own spread
    spots = blind_spots(paler, hidden(paler, labels, "mean"), labels)
    assert spots.change[1] < 0.2 < 0.2 * spots.contrast.distance[1]
    assert spots.barely[1:].tolist() == [False, True]
