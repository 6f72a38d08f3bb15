"""A data set as a sequence of cases."""

import pickle

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.data import Case, Dataset
from xaimri.data.copies import find_copies
from xaimri.errors import InvalidInput
from xaimri.images import Picture


def test_cases_are_matched_to_the_network_by_the_names_of_their_classes():
    cases = [Case(name, label, name, np.zeros((2, 3))) for label, name in enumerate("ab")]
    dataset = Dataset(("ill", "well"), tuple(cases))
    turned = dataset.with_classes(("well", "other", "ill"))
    assert turned.classes == ("well", "other", "ill")
    assert [turned.classes[case.label] for case in turned] == ["ill", "well"]
    with pytest.raises(InvalidInput, match="the data holds 'well'"):
        dataset.with_classes(("ill", "unwell"))


PIXELS = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)


def test_a_scan_in_memory_is_explained_and_its_copies_are_found(tmp_path):
    nib = pytest.importorskip("nibabel")
    scan = nib.Nifti1Image(PIXELS, np.diag([2.0, 2, 3, 1]))
    nib.save(scan, tmp_path / "scan.nii")
    other = Picture(PIXELS[::-1].copy(), affine=np.diag([2.0, 2, 3, 1]))
    sources = (scan, str(tmp_path / "scan.nii"), other, Picture(PIXELS), PIXELS)
    dataset = Dataset(("a",), tuple(Case(f"{n}", 0, f"p{n}", one) for n, one in enumerate(sources)))
    assert find_copies(dataset) == ((0, 1, 3, 4),)
    assert dataset[1].source == tmp_path / "scan.nii"
    model = LinearClassifier.random((*PIXELS.shape, 1), classes=2, seed=0)
    found = xaimri.explain_all(model, dataset, "input_x_gradient", target=0)
    assert not found.failures
    np.testing.assert_array_equal(found[0].values, found[1].values)
    for one in found[:3]:
        np.testing.assert_array_equal(one.affine, np.diag([2.0, 2, 3, 1]))
    for one in pickle.loads(pickle.dumps(dataset)):
        assert one.subject is not None


def test_a_subject_without_a_name_is_refused():
    for empty in ("", " "):
        with pytest.raises(InvalidInput, match="the subject of `x` is empty: give None"):
            Case("x", 0, empty, np.zeros((2, 3)))


@pytest.mark.parametrize("source", [None, 3, [1, 2], b"", np.array(["a"]), object()])
def test_what_can_be_no_image_is_refused(source):
    with pytest.raises(InvalidInput, match="`source` must be one image: a path, an array of numbers"):
        Case("a", 0, "p", source)
