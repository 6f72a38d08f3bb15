"""Subjects as volumes: every slice once, in its order."""

import numpy as np
import pytest

import xaimri
from xaimri.data import Case, Dataset, join_slices, load_images, phantom
from xaimri.data.copies import find_copies
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import SliceStack, read_image


def test_a_subjects_volume_holds_its_slices_in_their_order():
    slices = phantom.make(subjects=3, slices=4, size=(26, 22), seed=2)
    shuffled = slices.take([9, 3, 6, 11, 0, 5, 10, 2, 7, 1, 8, 4])
    joined = join_slices(shuffled)
    assert joined.classes == slices.classes
    assert len(joined) == 3
    for case in joined:
        own = sorted((one for one in slices if one.subject == case.subject), key=lambda one: one.slice)
        assert case.id == case.subject
        assert case.label == own[0].label
        expected = np.stack([read_image(one.source) for one in own])
        np.testing.assert_array_equal(read_image(case.source, 3), expected)
        np.testing.assert_array_equal(case.mask, np.stack([one.mask for one in own]))


def cases(*facts):
    image = np.random.default_rng(0).random((4, 6))
    return Dataset(
        ("a", "b"),
        tuple(Case(str(n), label, subject, image, place) for n, (label, subject, place) in enumerate(facts)),
    )


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ([(0, None, 1), (0, "s", 2)], r"1 cases don't tell their subject or their place in its scan \(0\)"),
        ([(0, "s", None), (0, "s", 2)], r"don't tell their subject or their place"),
        ([(0, "s", 1), (0, "s", 3)], "`s` has no slice 2"),
        ([(0, "s", 1), (0, "s", 2), (0, "s", 2)], "`s` has slices 2 twice"),
        ([(0, "s", 1)], "`s` has only one slice"),
        ([(0, "s", 1), (1, "s", 2)], "slices of subject `s` are of 2 classes"),
    ],
)
def test_what_makes_no_volume_is_told(facts, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        join_slices(cases(*facts))


def test_a_stack_that_can_not_be_read_is_told(tmp_path):
    plain = np.ones((4, 6))
    with pytest.raises(UnusableImage, match="at least two"):
        read_image(SliceStack([plain]), 3)
    with pytest.raises(UnusableImage, match="one shape, and these are 4 x 6 x 1 and 5 x 6 x 1"):
        read_image(SliceStack([plain, np.ones((5, 6))]), 3)
    with pytest.raises(UnusableImage, match=r"slice 1 of the stack: .*gone\.png"):
        read_image(SliceStack([plain, tmp_path / "gone.png"]), 3)
    with pytest.raises(UnusableImage, match='slices="all"'):
        read_image(SliceStack([plain, plain]), 2)


def test_two_subjects_of_the_same_slices_are_copies():
    image = np.random.default_rng(0).random((2, 4, 6))
    twice = Dataset(
        ("a",),
        tuple(
            Case(name, 0, name, SliceStack(list(image * factor)))
            for name, factor in (("x", 1), ("y", 1), ("z", 2))
        ),
    )
    assert [sorted(group) for group in find_copies(twice)] == [[0, 1]]


def test_volumes_of_slices_go_to_models_of_volumes_and_to_models_of_slices():
    joined = join_slices(phantom.make(subjects=3, slices=4, size=(26, 22), seed=2))
    assert load_images(joined, (4, 26, 22)).shape == (3, 4, 26, 22, 1)
    flat = xaimri.LinearClassifier.random((26, 22, 1), classes=4, seed=0, patch=2)
    found = xaimri.explain_all(flat, joined, slices="all")
    assert [one.values.shape for one in found] == [(4, 26, 22)] * 3
    assert list(found.names) == [case.id for case in joined]
    whole = xaimri.explain(
        lambda images: np.full((len(images), 2), images.ndim / 10), joined[0], xaimri.Occlusion(window=9)
    )
    assert whole.values.shape == (4, 26, 22)
    plain = xaimri.explain_all(flat, joined)
    assert len(plain) == 0
    assert all('slices="all"' in str(failure) for failure in plain.failures.values())
