"""How many images run through a network together."""

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.capacity import VOXELS

with on_first_use():
    from xaimri.adapters.keras.batches import batch_size

pytestmark = pytest.mark.tensorflow

SLICE, VOLUME = (224, 224, 3), (160, 192, 160, 1)


def test_ordinary_images_run_by_thirty_two_and_their_gradients_by_eight():
    logits = [batch_size(count, "logits", SLICE) for count in (1, 3, 8, 9, 30, 33, 1000)]
    assert logits == [1, 4, 8, 12, 32, 32, 32]
    assert [batch_size(count, "gradient", SLICE) for count in (1, 3, 8, 1000)] == [1, 4, 8, 8]


@pytest.mark.parametrize("purpose", ["logits", "maps", "gradient"])
@pytest.mark.parametrize("count", [1, 3, 4, 9, 31, 100])
def test_large_images_run_in_batches_of_bounded_size(purpose, count):
    for shape in (VOLUME, (64, 64, 64, 2), (128, 128, 128, 1), (1024, 1024, 1), (5000, 5000, 3)):
        size = batch_size(count, purpose, shape)
        assert 1 <= size <= max(4, 1 << (count - 1).bit_length())
        assert size == 1 or size * np.prod(shape[:-1]) <= VOXELS


def test_a_pair_is_run_together_whatever_its_size():
    """Otherwise it would not show that images of one batch depend on each other."""
    assert batch_size(2, "logits", VOLUME) == 2
    assert batch_size(2, "gradient", VOLUME) == 1
