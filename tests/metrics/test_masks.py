"""One mask for all maps, or one for each, of their shape and not empty."""

import numpy as np
import pytest

from maps import mapped
from xaimri.errors import InvalidInput
from xaimri.metrics.masks import masks


def test_masks_are_one_for_all_or_one_each():
    one, _ = mapped((3, 4, 1))
    mask = np.eye(3, 4, dtype=bool)
    other = ~mask
    for several, expected in [
        (mask, [mask, mask]),
        ([mask, other], [mask, other]),
        (np.stack([mask, other]), [mask, other]),
    ]:
        assert np.array_equal(masks([one, one], several), expected)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([np.ones((3, 4), bool)] * 3, "3 masks were given as `within` for 2 explanations"),
        (np.ones((4, 3), bool), r"`within` must be a mask of True and False of the map's shape \(3, 4\)"),
        (np.ones((3, 4)), "`within` must be a mask of True and False .* got float64"),
        (np.zeros((3, 4), bool), "`within` has no pixel"),
    ],
)
def test_masks_that_do_not_fit_are_one_sentence(given, sentence):
    own, _ = mapped((3, 4, 1))
    with pytest.raises(InvalidInput, match=sentence):
        masks([own, own], given, "within")
