"""Thumbnails are the images' own averages, and what can't be read is NaN."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xaimri.data import Case, Dataset
from xaimri.data.thumbnails import thumbnails
from xaimri.images import Contrasts, SliceStack


def dataset(*sources):
    return Dataset(("a",), tuple(Case(str(i), 0, None, source) for i, source in enumerate(sources)))


def test_a_thumbnail_keeps_the_mean_and_where_things_lie():
    image = np.zeros((104, 44), np.uint8)
    image[:52] = 200
    small = thumbnails(dataset(image), (8, 4))[0]
    assert small.dtype == np.float32
    assert np.allclose(small[:3], 200)
    assert np.allclose(small[-3:], 0)
    assert np.isclose(small.mean(), 100)


def test_colour_is_its_luminance_and_of_contrasts_the_first_counts():
    red = np.zeros((9, 7, 3), np.uint8)
    red[..., 0] = 100
    both = Contrasts({"T1w": np.full((9, 7), 3.0), "FLAIR": np.full((9, 7), 5.0)})
    two = thumbnails(dataset(red, both), (3, 2))
    assert np.allclose(two, [[[29.9]], [[3]]])


def test_what_is_no_slice_or_broken_is_nan_and_the_others_are_there(tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n")
    Image.fromarray(np.full((9, 7), 60, np.uint8)).save(tmp_path / "whole.png")
    volume = np.zeros((9, 8, 7))
    sources = [
        tmp_path / "cut.png",
        tmp_path / "gone.png",
        volume,
        SliceStack([np.ones((4, 5)), np.ones((4, 5))]),
        tmp_path / "whole.png",
        np.full((90, 70), 60.0),
    ]
    found = thumbnails(dataset(*sources), (4, 3))
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [True] * 4 + [False] * 2
    assert np.allclose(found[4:], 60)


def test_a_data_set_without_cases_has_no_thumbnails():
    assert thumbnails(dataset()).shape == (0, 52, 44)
