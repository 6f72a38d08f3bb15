"""Slices are chained into scans by pixels, and nothing is chained where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from xaimri.data.chains import chain


def arcs(people, slices, step=0.1, seed=0):
    """Make scans whose slices turn from one image to another: D of a lag is 1 - cos(step * lag)."""
    ends = np.random.default_rng(seed).normal(size=(people, 2, 13, 11))
    angle = step * np.arange(slices)[:, None, None]
    scans = [np.cos(angle) * one + np.sin(angle) * other for one, other in ends]
    return np.concatenate(scans).astype(np.float32), np.repeat(np.arange(people), slices)


def same(found, people):
    """Tell whether both part the images alike."""
    return len(set(zip(found.tolist(), people.tolist(), strict=True))) == len(set(people)) == len(set(found))


@pytest.mark.parametrize(("people", "slices"), [(1, 3), (2, 5), (7, 12), (30, 4)])
def test_scans_come_back_whole_in_any_order(people, slices):
    images, who = arcs(people, slices)
    order = np.random.default_rng(1).permutation(len(images))
    found = chain(images[order])
    assert same(found.scan, who[order])
    assert not found.unsure.any()


def test_contrast_and_brightness_of_a_slice_do_not_matter():
    images, who = arcs(5, 6)
    gain = np.random.default_rng(2).uniform(0.5, 3, (30, 1, 1)).astype(np.float32)
    assert same(chain(images * gain + 100 * gain).scan, who)


@pytest.mark.parametrize("people", [1, 2, 3, 9, 150])
def test_images_of_as_many_people_are_not_chained(people):
    common = np.random.default_rng(3).normal(size=(1, 13, 11))
    own = np.random.default_rng(4).normal(size=(people, 13, 11))
    assert (chain((2 * common + own).astype(np.float32)).scan == -1).all()


def test_a_copy_goes_with_its_slice_and_a_stranger_stays_alone():
    images, who = arcs(4, 6)
    stranger = np.random.default_rng(5).normal(size=(1, 13, 11)).astype(np.float32)
    found = chain(np.concatenate([images, images[[7] * 12], stranger]))
    assert same(found.scan[:36], np.concatenate([who, np.full(12, 1)]))
    assert found.scan[36] == -1


def test_a_gap_is_crossed_where_the_ends_are_nearer_than_others():
    images, who = arcs(6, 12)
    kept = np.flatnonzero(~np.isin(np.arange(72), [5, 18, 19]))
    assert same(chain(images[kept]).scan, who[kept])


def test_what_shows_nothing_is_blank():
    images, _ = arcs(2, 5)
    images[3], images[8] = np.nan, 7
    found = chain(images)
    assert np.flatnonzero(found.blank).tolist() == [3, 8]
    assert (found.scan[[3, 8]] == -1).all()
    assert not set(found.scan[:5]) & set(found.scan[5:]) - {-1}


def test_nothing_and_one_image_are_no_scan():
    assert chain(np.zeros((0, 5, 4), np.float32)).scan.shape == (0,)
    assert chain(np.random.default_rng(0).normal(size=(1, 5, 4)).astype(np.float32)).scan.tolist() == [-1]
