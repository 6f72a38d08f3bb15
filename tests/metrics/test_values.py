"""What a map gives to pixels and to parts, and the order of these."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maps import SHAPE, mapped
from xaimri import Occlusion
from xaimri.explanation import Regions
from xaimri.metrics.values import finite_values, part_sums, ranking, top


def test_values_that_are_not_finite_count_as_nothing():
    own, _ = mapped((2, 3, 1), [[np.nan, np.inf, -np.inf], [1, -2, 3]])
    assert finite_values(own).tolist() == [[0, 0, 0], [1, -2, 3]]
    assert finite_values(own).dtype == np.float64


def some(labels):
    """Whether there is a part at all."""
    return labels.max() >= 0


@settings(max_examples=40, deadline=None)
@given(arrays(int, SHAPE[:-1], elements=st.integers(-1, 5)).filter(some), st.integers(0, 99))
def test_shares_of_a_pixel_map_are_sums_over_the_parts(labels, seed):
    own, _ = mapped(values=np.random.default_rng(seed).normal(size=SHAPE[:-1]))
    found = part_sums(own, labels)
    assert len(found) == labels.max() + 1
    for part, share in enumerate(found):
        assert share == pytest.approx(own.values[labels == part].sum(), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    arrays(int, (5, 7), elements=st.integers(-1, 3)).filter(some),
    arrays(int, (5, 7), elements=st.integers(-1, 4)),
)
def test_a_region_counts_once_however_it_is_cut(regions, parts):
    """Over its own labels the shares are the regions' values; cut otherwise, each region's total is kept."""
    values = np.array([1.0, -10.0, 100.0, np.nan])
    painted = np.append(values, 0.0)[regions]
    own, _ = mapped((5, 7, 1), painted, regions=Regions(regions, values))
    there = np.isin(np.arange(4), regions) & np.isfinite(values)
    padded = np.append(part_sums(own, regions), np.zeros(4))[:4]
    np.testing.assert_allclose(padded, np.where(there, values, 0), atol=1e-12)
    everywhere = np.where(parts < 0, 5, parts)
    assert part_sums(own, everywhere).sum() == pytest.approx(values[there].sum(), abs=1e-9)
    for part in range(everywhere.max() + 1):
        within = [np.mean(everywhere[regions == r] == part) if there[r] else 0 for r in range(4)]
        assert part_sums(own, everywhere)[part] == pytest.approx(np.nan_to_num(values) @ within, abs=1e-9)


def test_regions_of_a_method_add_up_to_what_it_gave_them():
    labels = np.arange(54).reshape(6, 9) // 20
    own, model = mapped((6, 9, 1))
    (found,) = Occlusion(regions=labels).explain(model, own.image[None], 1)
    assert np.ptp(found.regions.values) > 0
    assert part_sums(found, labels).tolist() == pytest.approx(found.regions.values.tolist(), abs=1e-12)
    assert part_sums(found, np.zeros((6, 9), int))[0] == pytest.approx(found.regions.values.sum())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(arrays(float, st.integers(1, 30), elements=st.integers(-3, 3)), st.integers(0, 99))
def test_the_ranking_falls_and_names_each_part_once(values, seed):
    order = ranking(values, seed)
    assert sorted(order.tolist()) == list(range(len(values)))
    assert (np.diff(values[order]) <= 0).all()
    assert np.array_equal(order, ranking(values, seed))
    assert np.array_equal(order, ranking(np.exp(values), seed))


def test_equal_parts_come_in_any_order():
    """Each of 5 equal parts is first in about 1 of 5 seeds: 600 seeds, within 4 standard errors."""
    first = np.bincount([ranking(np.zeros(5), seed)[0] for seed in range(600)], minlength=5)
    assert np.abs(first - 120).max() < 4 * np.sqrt(600 * 0.2 * 0.8)


@settings(max_examples=60, deadline=None)
@given(arrays(float, (3, 5), elements=st.integers(-2, 2)), st.floats(0.1, 20), st.data())
def test_the_strongest_are_as_many_as_asked_and_equals_share(values, count, data):
    inside = data.draw(arrays(bool, (3, 5)).filter(np.any))
    found = top(values, inside, count)
    assert found.sum() == pytest.approx(min(count, inside.sum()))
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12
    assert not found[~inside].any()
    for level in np.unique(values[inside]):
        here = found[inside & (values == level)]
        assert np.ptp(here) == 0
        if here[0] > 1e-9:  # then all that are stronger are in as a whole
            assert (np.abs(found[inside & (values > level)] - 1) < 1e-12).all()
