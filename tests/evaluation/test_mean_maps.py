"""Mean maps of groups: a person once in each, as of all maps held at once, and few held."""

import numpy as np
import pytest

from xaimri.evaluation.mean_maps import MeanMaps, Moments


def test_means_and_errors_are_over_people_in_whatever_order_their_maps_come():
    maps = np.random.default_rng(0).normal(1e3, 1, (40, 3, 4))
    order = np.random.default_rng(1).permutation(40)
    found: MeanMaps[str] = MeanMaps()
    for n in order:
        found.add("even" if n % 2 == 0 else "odd", n // 2 % 7, maps[n])
    groups = dict(found.closed())
    for name, first in (("even", 0), ("odd", 1)):
        people = [maps[[n for n in range(first, 40, 2) if n // 2 % 7 == p]].mean(axis=0) for p in range(7)]
        assert groups[name].count == 7
        np.testing.assert_allclose(groups[name].mean, np.mean(people, axis=0), rtol=1e-12)
        expected = np.std(people, axis=0, ddof=1) / np.sqrt(7)
        np.testing.assert_allclose(groups[name].error(), expected, rtol=1e-9)


def test_who_is_closed_is_held_no_more_and_counts_once():
    found: MeanMaps[str] = MeanMaps()
    for value in (1.0, 3.0):
        found.add("a", "p", np.array([value]))
    found.close("a", "p")
    assert not found.open
    found.add("a", "q", np.array([8.0]))
    ((_, moments),) = found.closed()
    assert (moments.count, moments.mean.tolist()) == (2, [5.0])
    with pytest.raises(KeyError):
        found.close("a", "p")


def test_one_map_has_no_error():
    one = Moments()
    one.add(np.ones((2, 2)))
    assert np.isnan(one.error()).all()
