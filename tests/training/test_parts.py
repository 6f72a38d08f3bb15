"""What a training reads: all that can be read, or one sentence where too little is left."""

from __future__ import annotations

import pytest

from frameworks import on_first_use
from unreadable import SHAPE, cases_of, with_unreadable
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training.parts import read_parts
    from xaimri.training.recipe import Recipe

pytestmark = pytest.mark.tensorflow


def test_a_part_of_which_too_little_is_left_ends_the_training_in_one_sentence(tmp_path):
    model = keras.Sequential([keras.Input((*SHAPE, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    whole = cases_of(tmp_path, 4)
    mixed = with_unreadable(whole, tmp_path, ("empty", "text", "cut"))
    bad = Dataset(whole.classes, tuple(case for case in mixed if "bad" in case.id))
    ill = Dataset(whole.classes, tuple(case for case in mixed if case.label == 0 or "bad" in case.id))
    for training, validation, sentence in (
        (bad, whole, "none of 3 training cases can be read; the first: .*bad-empty.png` is empty"),
        (whole, bad, "none of 3 validation cases can be read; the first: .*bad-empty.png` is empty"),
        (ill, whole, "none of 1 training cases of the class 'well' can be read; the first: .*bad-text.png"),
        (whole, ill, "none of 1 validation cases of the class 'well' can be read"),
    ):
        with pytest.raises(InvalidInput, match=sentence) as told:
            read_parts(model, training, validation, Recipe(class_weights=(1.0, 1.0)))
        assert "\n" not in str(told.value)
    parts = read_parts(model, whole, whole.take([]), Recipe(class_weights=(1.0, 1.0)))
    assert (len(parts.training), len(parts.validation), parts.failures, parts.notes) == (8, 0, (), ())
