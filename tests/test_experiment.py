"""The journey's choices: which case is shown, and that its figures say where it is from."""

import numpy as np
import pytest

from xaimri.data import Case, Dataset, Split

pytestmark = pytest.mark.tensorflow


def _dataset(*who):
    pixels = np.zeros((4, 5), np.uint8)
    cases = [Case(f"{s}/{i}", label, s, pixels, slice=i) for label, s in who for i in range(3)]
    return Dataset(("ill", "well"), tuple(cases))


def test_the_shown_case_is_the_middle_slice_of_the_first_subject_of_the_test_part():
    from xaimri.experiment import representative

    split = Split(_dataset((0, "a"), (1, "b")), _dataset((0, "c")), _dataset((0, "z"), (0, "y")))
    case, part = representative(split, 0)
    assert (case.id, part) == ("y/1", "test")


def test_a_class_that_is_only_in_training_is_shown_from_there_and_says_so():
    from xaimri.experiment import representative

    split = Split(_dataset((0, "a"), (1, "b")), _dataset(), _dataset((0, "z")))
    case, part = representative(split, 1)
    assert (case.id, part) == ("b/1", "train")
    assert representative(split, 0)[1] == "test"


def test_a_class_without_cases_has_no_representative():
    from xaimri.experiment import representative

    assert representative(Split(_dataset((0, "a")), _dataset(), _dataset()), 1) is None


def test_cases_are_matched_to_the_network_by_the_names_of_their_classes():
    from xaimri.errors import InvalidInput
    from xaimri.experiment import relabelled

    dataset = _dataset((0, "a"), (1, "b"))  # ill, well
    turned = relabelled(dataset, ("well", "other", "ill"))
    assert turned.classes == ("well", "other", "ill")
    assert [turned.classes[c.label] for c in turned] == [dataset.classes[c.label] for c in dataset]
    with pytest.raises(InvalidInput, match="'well'"):
        relabelled(dataset, ("ill", "unwell"))
