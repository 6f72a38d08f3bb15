"""The parts of an image that are hidden together."""

import numpy as np

from xaimri.metrics.partition import part_labels


def test_parts_are_numbered_without_gaps():
    image = np.zeros((2, 3, 1), np.float32)
    assert part_labels(image, None).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert part_labels(image, np.array([[7, 7, 2], [-1, 2, 9]])).tolist() == [[1, 1, 0], [-1, 0, 2]]
    assert part_labels(image, np.array([[7, 7, 2], [3, 2, 9]])).tolist() == [[2, 2, 0], [1, 0, 3]]
