"""What a caller says of a model."""

import pytest

from xaimri import InvalidInput
from xaimri.adapters.options import as_preprocess


def test_a_name_of_keras_is_told_by_the_function_it_means():
    with pytest.raises(InvalidInput, match=r"must be a function, got 'resnet50': give the one of a module"):
        as_preprocess("resnet50")
    with pytest.raises(InvalidInput, match="`preprocess` must be a function, got 7"):
        as_preprocess(7)
    assert as_preprocess(None) is None
    assert as_preprocess(abs) is abs
