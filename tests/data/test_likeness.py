"""Likeness of images: invariants of the waves, maps that are known, and what is alike and what is not."""

import cv2
import numpy as np
import pytest

from xaimri.data import Case, likeness
from xaimri.data.likeness import NEAR, SAME_SCAN, alike, similarity_of
from xaimri.data.looks import SIDE, Looks
from xaimri.data.polar import Polar, nearest
from xaimri.data.registration import similarity


def blobs(seed, count=40, low=30, high=66):
    """Return a square image of soft blobs on black, different for every seed."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    image = np.zeros((SIDE, SIDE))
    for cx, cy, wide, bright in generator.uniform([low, low, 1.5, 40], [high, high, 4, 200], (count, 4)):
        image += bright * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * wide**2))
    return np.minimum(image, 255).astype(np.float32)


def moved(image, angle=0.0, scale=1.0, shift=(0, 0)):
    map_ = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), angle, scale)
    map_[:, 2] += shift
    return cv2.warpAffine(image, map_, (SIDE, SIDE), flags=cv2.INTER_CUBIC), map_


def looks(*images):
    return Looks.of([Case(str(place), 0, None, image) for place, image in enumerate(images)])


def test_waves_around_the_middle_stay_under_turns_mirrors_shifts_and_scales():
    image = blobs(0)
    same = [image[:, ::-1], image[::-1], image.T, moved(image, 33)[0], moved(image, -8, 1.15, (4, -3))[0]]
    spectra = Polar.of([image, blobs(1), *same]).spectra()
    assert np.linalg.norm(spectra, axis=1) == pytest.approx(1, abs=1e-4)
    like = spectra[2:] @ spectra[0]
    assert like.min() > 0.97
    assert spectra[1] @ spectra[0] < 0.9


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_map_between_two_images_is_the_one_by_which_the_one_was_made(mirrored):
    image = blobs(2)
    other, map_ = moved(image, 20, 1.1, (5, -2))
    if mirrored:
        other, map_ = other[:, ::-1].copy(), np.array([[-1, 0, SIDE - 1], [0, 1, 0]]) @ [*map_, [0, 0, 1]]
    fit, maps = Polar.of([image]).placed(0, Polar.of([other]), np.array([0]))
    assert fit[0] > 0.9
    corners = np.array([[20, 20, 1], [70, 20, 1], [20, 70, 1]]).T
    assert maps[0] @ corners == pytest.approx(map_ @ corners, abs=3.5)  # steps of 5.6 degrees
    assert similarity(image, other, maps[0]) > 0.99
    assert similarity(image, blobs(3), maps[0]) < 0.7


def test_a_change_of_contrast_and_a_blur_are_made_good():
    image = blobs(4)
    still = np.eye(2, 3, dtype=np.float32)
    assert similarity(image, image * 0.5 + 20, still) == pytest.approx(1, abs=1e-3)
    assert similarity(image, cv2.GaussianBlur(image, (3, 3), 0), still) > 0.99
    assert similarity(image, np.zeros_like(image), still) == 0


def test_images_that_lie_apart_are_not_compared():
    image = blobs(5)
    away = np.array([[1, 0, 500], [0, 1, 0]], np.float32)
    assert similarity(image, image, away) == 0.0


def test_copies_are_found_among_others_and_of_all_of_many_copies_none_is_left_out():
    train = looks(
        *(blobs(seed) for seed in range(6)), *(moved(blobs(0), angle)[0] for angle in range(10, 80, 7))
    )
    test = looks(moved(blobs(0), -15)[0], blobs(99), np.zeros((9, 9)), np.zeros((0, 9)))
    found = alike(train, test)
    assert {(match.train, match.test) for match in found} == {(place, 0) for place in (0, *range(6, 16))}
    assert min(match.similarity for match in found) >= NEAR
    assert [match.similarity for match in found] == sorted((m.similarity for m in found), reverse=True)
    assert test.told.tolist() == [True, True, False, False]
    assert test.read.tolist() == [True, True, True, False]


def test_what_lies_between_two_images_is_no_copy_of_either():
    """As slices of one scan: they share most of their structure."""
    one, other = blobs(6), blobs(7)
    like = similarity_of(looks(one * 0.7 + other * 0.3), looks(one), (0, 0))
    assert SAME_SCAN < like < NEAR


def test_the_nearest_are_those_of_a_plain_search():
    generator = np.random.default_rng(0)
    train, test = generator.normal(size=(2, 617, 5)).astype(np.float32)
    plain = np.argsort(-(test @ train.T), axis=1)
    for most in (1, 7, 18, 19, 40, 617):  # fewer and more than there are lots
        assert (nearest(test, train, most) == plain[:, :most]).all()
    assert (nearest(test, train[:4], 7) == np.argsort(-(test @ train[:4].T), axis=1)).all()


def test_a_second_copy_is_found_behind_a_dozen_that_are_none(monkeypatch):
    many = 40
    images = [np.full((48, 48), n, np.float32) + np.eye(48, dtype=np.float32) for n in range(many)]
    seen = looks(*images)
    order = iter(range(many))
    monkeypatch.setattr(likeness, "similarity", lambda *_: 0.99 if next(order) in (0, 13, 38) else 0.1)
    fit, maps = np.linspace(1, 0, many, dtype=np.float32)[None], np.zeros((1, many, 2, 3), np.float32)
    candidates = likeness.Candidates(np.arange(many)[None], fit, maps)
    assert [match.train for match in likeness._matches(seen, seen, 0, candidates)] == [0, 13]
