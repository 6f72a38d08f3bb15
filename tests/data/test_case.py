"""A data set as a sequence of cases."""

import numpy as np
import pytest

from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput


def test_cases_are_matched_to_the_network_by_the_names_of_their_classes():
    cases = [Case(name, label, name, np.zeros((2, 3))) for label, name in enumerate("ab")]
    dataset = Dataset(("ill", "well"), tuple(cases))
    turned = dataset.with_classes(("well", "other", "ill"))
    assert turned.classes == ("well", "other", "ill")
    assert [turned.classes[case.label] for case in turned] == ["ill", "well"]
    with pytest.raises(InvalidInput, match="the data holds 'well'"):
        dataset.with_classes(("ill", "unwell"))
