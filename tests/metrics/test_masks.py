"""One mask for all maps, or one for each, of their shape and not empty."""

from dataclasses import replace

import numpy as np
import pytest

from maps import mapped
from xaimri import metrics
from xaimri.errors import InvalidInput
from xaimri.metrics.masks import masks

ALL = (metrics.relevance_mass, metrics.relevance_rank, metrics.pointing_game, metrics.iou, metrics.dice,
       metrics.auprc, metrics.mover_similarity)  # fmt: skip


def test_masks_are_one_for_all_or_one_each():
    one, _ = mapped((3, 4, 1))
    mask = np.eye(3, 4, dtype=bool)
    other = ~mask
    for several, expected in [
        (mask, [mask, mask]),
        ([mask, other], [mask, other]),
        (np.stack([mask, other]), [mask, other]),
        (mask.tolist(), [mask, mask]),
        ([mask.tolist(), other * 255], [mask, other]),
        (np.stack([mask, other]).tolist(), [mask, other]),
        (mask[..., None], [mask, mask]),
        (mask * 0.4, [mask, mask]),
    ]:
        assert np.array_equal(masks([one, one], several), expected)
    assert np.array_equal(masks([one], [mask]), [mask])


def test_a_mask_of_0_and_255_measures_as_one_of_true_and_false_does(tmp_path):
    """Also from a file: a quarter of the relevance is in the region, whatever number stands for it there."""
    own, _ = mapped((4, 4, 1))
    own = replace(own, values=np.ones((4, 4)))
    region = np.zeros((4, 4), bool)
    region[1:3, 2:] = True
    np.save(tmp_path / "mask.npy", region * np.uint8(255))
    for same in (
        region,
        region * np.uint8(255),
        region * 4,
        region * 0.4,
        region.tolist(),
        tmp_path / "mask.npy",
    ):
        for measure in ALL:
            assert measure(own, same) == measure(own, region), measure.__name__
        assert metrics.relevance_mass(own, same) == 0.25
        assert metrics.iou(own, same) == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([np.ones((3, 4), bool)] * 3, "3 masks were given as `within` for 2 explanations"),
        (np.ones((4, 3), bool), r"`within` has the shape \(4, 3\), and its image \(3, 4\)"),
        (np.linspace(0, 1, 12).reshape(3, 4), "`within` holds several values beside 0"),
        ([np.eye(3, 4), None], "`within` must be an array of True and False, .* got a NoneType"),
        ("none.png", "there is no file `none.png`"),
        (np.zeros((3, 4), bool), "`within` has no pixel"),
    ],
)
def test_masks_that_do_not_fit_are_one_sentence(given, sentence):
    own, _ = mapped((3, 4, 1))
    with pytest.raises(InvalidInput, match=sentence):
        masks([own, own], given, "within")
