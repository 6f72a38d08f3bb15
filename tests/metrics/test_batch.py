"""A metric of maps takes one explanation, or several at once."""

from dataclasses import replace

import numpy as np
import pytest

from maps import SHAPE, mapped
from xaimri import metrics
from xaimri.errors import InvalidInput
from xaimri.judging import METRICS


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(6, 9, 1), SHAPE])
def test_one_explanation_gives_a_number_and_a_list_gives_an_array(shape):
    one, model = mapped(shape)
    other = replace(one, values=-one.values)
    region = np.zeros(shape[:-1], bool)
    region[1:3, 2:] = True
    given = {"classifier": model, "region": region, "within": None}
    for name, metric in METRICS.items():
        if metric.measures == "explainer":
            continue
        needs = [given[need] for need in metric.needs]
        alone, both = metric.function(one, *needs), metric.function([one, other], *needs)
        kinds = {"deletion": metrics.Curve, "insertion": metrics.Curve, "mask_effect": metrics.MaskEffect}
        assert isinstance(alone, kinds.get(name, float)), name
        assert isinstance(both, tuple if name in kinds else np.ndarray), name
        assert len(both) == 2
        lazily = metric.function((each for each in (one, other)), *needs)
        assert np.array_equal(np.array(lazily, float), np.array(both, float), equal_nan=True), name
        assert float(both[0]) == float(alone), name
        apart = float(metric.function(other, *needs))
        assert float(both[1]) == apart or np.isnan(apart), name


@pytest.mark.parametrize("nothing", [[], None, 3, [None], ["saliency"]])
def test_no_explanation_is_one_sentence(nothing):
    with pytest.raises(InvalidInput, match="give an explanation, or a list of at least one"):
        metrics.entropy(nothing)
