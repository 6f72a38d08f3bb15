"""What can be read is stacked as if the rest were not there; what can't is named."""

import numpy as np
import pytest

from unreadable import UNREADABLE, bar, cases_of, with_unreadable
from xaimri.data import Case, Dataset, load_images, read_folder, split, stack_images
from xaimri.data.copies import find_copies
from xaimri.data.unread import check_classes, say_lost, say_unread, without_unread
from xaimri.errors import InvalidInput, UnusableImage


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Data with an unreadable case of every kind, and the same without these."""
    bar(monkeypatch)
    whole = cases_of(tmp_path, 6)
    return with_unreadable(whole, tmp_path), whole


def test_the_rest_is_read_to_the_bit(both):
    mixed, whole = both
    for window in (None, (10, 200)):
        stack = stack_images(mixed, (7, 9), 3, "pad", window)
        expected = load_images(whole, (7, 9), 3, "pad", window)
        assert stack.images.tobytes() == expected.tobytes()
        assert stack.images.shape == expected.shape
        assert [case.id for case in stack.cases] == [case.id for case in whole]
        assert [f.name.split("-")[1] for f in stack.failures] == [f"{kind}.png" for kind in UNREADABLE]
        assert {failure.stage for failure in stack.failures} == {"read"}
    assert repr(stack) == "<Stack: 12 images, 8 that can't be read>"
    with pytest.raises(
        UnusableImage, match=r"case `ill/bad-cut.png` cannot be read: .*bad-cut.png` is damaged"
    ):
        load_images(mixed, (7, 9))


def test_every_failure_is_one_sentence_that_says_what_it_is(both):
    words = {
        "cut": "is damaged, cut short",
        "empty": "is empty: fetch the file again",
        "text": "is no image that can be read",
        "folder": "is a folder",
        "barred": "can't be read (Permission denied)",
        "pipe": "is a pipe, not a regular file",
        "link": "is a link that leads nowhere",
        "missing": "there is no file",
    }
    told = stack_images(both[0], (7, 9)).failures
    for failure, part in zip(told, words.values(), strict=True):
        assert part in failure.sentence
        assert "\n" not in failure.sentence


def test_a_sentence_counts_names_and_says_of_whom_nothing_is_left(both):
    mixed, whole = both
    failures = stack_images(mixed, (7, 9)).failures
    (sentence,) = say_unread(failures, len(mixed))
    assert sentence.startswith(
        "8 of 20 cases can't be read and are left out: ill/bad-cut.png, well/bad-empty.png, "
        "ill/bad-text.png, well/bad-folder.png, ill/bad-barred.png and 3 more. The first: `"
    )
    assert say_lost(mixed, failures) == ("Nothing is left of 1 subject: nobody.",)
    assert say_unread((), 5) == say_lost(whole, ()) == ()
    assert [case.id for case in without_unread(mixed, failures)] == [case.id for case in whole]


def test_a_class_of_which_nothing_is_left_is_named(both):
    mixed, whole = both
    ill = Dataset(mixed.classes, tuple(c for c in mixed if c.label == 0 or "bad" in c.id))
    stack = stack_images(ill, (7, 9))
    left = without_unread(ill, stack.failures)
    with pytest.raises(
        InvalidInput, match=r"none of 4 cases of the class 'well' can be read; .*bad-empty.png` is"
    ):
        check_classes(ill, left, stack.failures)
    check_classes(whole, whole, ())
    bad = Dataset(mixed.classes, tuple(c for c in mixed if "bad" in c.id))
    with pytest.raises(
        InvalidInput, match=r"none of 8 cases can be read; the first: .*bad-cut.png` is damaged"
    ):
        without_unread(bad, stack_images(bad, (7, 9)).failures)
    without_unread(whole.take([]), ())


@pytest.mark.parametrize("kind", ["text", "cut", "barred"])
def test_equal_files_that_show_nothing_are_no_copies(tmp_path, monkeypatch, kind):
    """A download that failed leaves the same page under many names."""
    bar(monkeypatch)
    whole = cases_of(tmp_path, 8)
    for name in ("a", "b", "c"):
        UNREADABLE[kind](tmp_path / "ill" / f"0p{name}-0.png")
        UNREADABLE[kind](tmp_path / "well" / f"0q{name}-0.png")
    dataset = read_folder(tmp_path, subject=r"0(?P<subject>\w+)-")
    assert len(dataset) == len(whole) + 6
    assert find_copies(dataset.cases) == ()
    assert split(dataset, test=0.3).notes == split(whole, test=0.3).notes


def test_equal_volumes_are_copies_though_they_are_no_slices(tmp_path):
    volume = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", volume)
    assert find_copies([Case(n, 0, n, tmp_path / f"{n}.npy") for n in "ab"]) == ((0, 1),)
