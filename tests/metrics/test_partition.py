"""The parts of an image that are hidden together."""

from dataclasses import replace

import numpy as np
import pytest

import xaimri
from lesions import lesion
from xaimri.errors import InvalidInput
from xaimri.metrics import deletion, infidelity
from xaimri.metrics.partition import part_labels


def test_parts_are_numbered_without_gaps():
    image = np.zeros((2, 3, 1), np.float32)
    assert part_labels(image, None).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert part_labels(image, np.array([[7, 7, 2], [-1, 2, 9]])).tolist() == [[1, 1, 0], [-1, 0, 2]]
    assert part_labels(image, np.array([[7, 7, 2], [3, 2, 9]])).tolist() == [[2, 2, 0], [1, 0, 3]]


def test_a_map_of_what_is_not_hidden_gets_a_sentence_and_no_number_and_its_remedy_works():
    case = lesion(colour=(2.0,), tissue=(120.0,), radius=0.2, noise=1)
    right = xaimri.explain(case.model, case.image, xaimri.Occlusion(regions=50), target=1)
    for measure in (deletion, infidelity):
        assert np.isfinite(float(measure(right, case.model)))
        with pytest.raises(
            InvalidInput, match=r"Hiding by absent=0\.0 hardly changes .* no number"
        ) as refused:
            measure(right, case.model, absent=0.0)
        remedy = str(refused.value).split("absent=")[-1].strip(".'")
        assert np.isfinite(float(measure(right, case.model, absent=remedy)))
    with pytest.raises(InvalidInput, match="use absent='auto'"):
        deletion(right, case.model, absent="mean", regions=right.regions.labels)
    assert np.isfinite(float(deletion(right, case.model, absent="auto", regions=right.regions.labels)))
    elsewhere = replace(right, values=np.where(case.lesion, 0, case.brain).astype(np.float32), regions=None)
    assert np.isfinite(float(deletion(elsewhere, case.model, absent=0.0)))
