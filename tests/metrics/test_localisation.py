"""Measures against a mask: closed forms, chance levels, identities, and other packages."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.stats import hypergeom, wasserstein_distance
from sklearn.metrics import average_precision_score, jaccard_score

from xaimri import LinearClassifier, Saliency
from xaimri.errors import InvalidInput
from xaimri.metrics import auprc, dice, iou, mover_similarity, pointing_game, relevance_mass, relevance_rank
from xaimri.metrics.transport import heap, mover_distance

ALL = [relevance_mass, relevance_rank, pointing_game, iou, dice, auprc, mover_similarity]
RANKED = [relevance_rank, pointing_game, iou, dice, auprc]
MASS = [relevance_mass, mover_similarity]
SPACES = [(6, 9), (3, 4, 5)]
whole_numbers = st.integers(-4, 6).map(float)


def mapped(values):
    """An explanation that has these values."""
    values = np.asarray(values, float)
    model = LinearClassifier(np.ones((2, *values.shape, 1)))
    (own,) = Saliency().explain(model, np.ones((1, *values.shape, 1), np.float32), 1)
    return replace(own, values=values)


def box(space):
    """A region of unequal sides."""
    region = np.zeros(space, bool)
    region[tuple(slice(1, 2 + axis) for axis in range(len(space)))] = True
    return region


@st.composite
def cases(draw):
    """A map with equal values, a region and an object that meet."""
    space = draw(st.sampled_from(SPACES))
    values = draw(arrays(float, space, elements=whole_numbers))
    region, within = (draw(arrays(bool, space).filter(np.any)) for _ in range(2))
    assume((region & within).any())
    return values, region, within


@pytest.mark.parametrize("space", SPACES)
def test_perfect_inverted_and_constant_maps(space):
    region = box(space)
    share, perfect = region.mean(), mapped(region * 2.0)
    inverted, constant = mapped(-2.0 * region), mapped(np.full(space, 3.0))
    for measure in ALL:
        assert measure(perfect, region) == pytest.approx(1, abs=1e-9), measure.__name__
    for measure in (relevance_rank, pointing_game, iou, dice):
        assert measure(inverted, region) == 0
    for measure in MASS:
        assert np.isnan(measure(inverted, region))
        assert np.isnan(measure(mapped(np.zeros(space)), region))
    for measure in (relevance_mass, relevance_rank, pointing_game, dice, auprc):
        assert measure(constant, region) == pytest.approx(share), measure.__name__
    assert iou(constant, region) == pytest.approx(share / (2 - share))
    size, count = region.sum(), region.size
    ranks = np.arange(count - size + 1, count + 1)  # the region comes last, and shares its places
    assert auprc(inverted, region) == pytest.approx(size / count)
    falling = mapped(np.where(region, -1 - np.arange(count).reshape(space) / count, 0))
    assert auprc(falling, region) == pytest.approx(np.mean((ranks - count + size) / ranks))


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_random_maps_reach_the_chance_level(space):
    """The mean over 400 maps of independent values lies within 4 standard errors of what is told."""
    region, within = box(space), np.ones(space, bool)
    within[-1] = False
    generator = np.random.default_rng(3)
    maps = [mapped(values) for values in generator.random((400, *space))]
    n, m = within.sum(), (region & within).sum()
    near = within & (cdist(np.argwhere(np.ones(space)), np.argwhere(region)).min(axis=1) <= 1).reshape(space)
    k = 0.3 * n
    # the mean precision at a hit: at place i the hit itself, and (i - 1)(m - 1)/(n - 1) before it
    precise = (m - 1) / (n - 1) + (n - m) / (n * (n - 1)) * (1 / np.arange(1, n + 1)).sum()
    for measure, options, chance in [
        (relevance_mass, {}, m / n),
        (relevance_rank, {}, m / n),
        (pointing_game, {}, m / n),
        (pointing_game, {"tolerance": 1}, near.sum() / n),
        (dice, {"fraction": 0.3}, 2 * k * m / (n * (k + m))),
        (auprc, {}, precise),
        (iou, {}, sum(hypergeom(n, m, m).pmf(hit) * hit / (2 * m - hit) for hit in range(m + 1))),
    ]:
        found = measure(maps, region, within=within, **options)
        error = found.std(ddof=1) / 20
        assert abs(found.mean() - chance) < 4 * error, measure.__name__
        assert error > 0
    assert precise > m / n
    even = mover_similarity(mapped(np.ones(space)), region, within=within)
    random = mover_similarity(maps[:30], region, within=within)  # moving what is uneven costs more
    assert even - 0.1 < random.mean() < even + 4 * random.std(ddof=1) / np.sqrt(30)


def test_the_intersection_over_union_of_a_large_random_map_is_as_told():
    region, values = np.zeros((80, 90), bool), np.random.default_rng(1).random((80, 90))
    region[:20] = True
    k, m, n = 0.3 * region.size, region.sum(), region.size
    q = k * m / n
    assert iou(mapped(values), region, fraction=0.3) == pytest.approx(q / (k + m - q), rel=0.08)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(cases(), st.floats(1e-6, 1e6))
def test_bounds_scale_and_order(case, scale):
    values, region, within = case
    for measure in ALL:
        found = measure(mapped(values), region, within=within)
        same = measure(mapped(scale * values), region, within=within)
        assert np.isnan(found) or -1e-9 <= found <= 1 + 1e-9, measure.__name__
        assert same == pytest.approx(found, abs=1e-6, nan_ok=True), measure.__name__
    for measure in RANKED:
        for rising in (np.exp(values), values**3 - 100):
            assert measure(mapped(rising), region, within=within) == measure(
                mapped(values), region, within=within
            ), measure.__name__
    for measure in MASS:  # which can't see what is negative
        assert measure(mapped(np.maximum(values, 0)), region, within=within) == pytest.approx(
            measure(mapped(values), region, within=within), nan_ok=True
        )


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(cases())
def test_what_lies_outside_the_object_does_not_count(case):
    values, region, within = case
    changed = np.where(within, values, 1e6)
    for measure in ALL:
        found = measure(mapped(values), region, within=within)
        assert measure(mapped(changed), region, within=within) == pytest.approx(found, nan_ok=True)
        assert measure(mapped(values), region & within, within=within) == pytest.approx(found, nan_ok=True)


def test_relevance_is_shared_out_by_hand():
    region = np.array([[True, True, False, False, False]])
    values = mapped([[4.0, -7.0, 3.0, 2.0, 1.0]])
    assert relevance_mass(values, region) == pytest.approx(0.4)
    assert relevance_rank(values, region) == 0.5
    assert relevance_rank(mapped([[1.0, 1.0, 1.0, 5.0, 0.0]]), region) == pytest.approx(1 / 3)
    assert pointing_game(mapped([[2.0, 0.0, 2.0, 2.0, -9.0]]), region) == pytest.approx(1 / 3)
    assert relevance_mass(values, region, within=np.array([[True, True, True, False, False]])) == 4 / 7


def test_the_point_may_miss_by_the_tolerance():
    """A 3-4-5 triangle away from the region's only pixel, and in three dimensions 2-3-6-7."""
    region, values = np.zeros((6, 8), bool), np.zeros((6, 8))
    region[1, 2], values[4, 6] = True, 1
    deep, far = np.zeros((4, 5, 8), bool), np.zeros((4, 5, 8))
    deep[1, 1, 1], far[3, 4, 7] = True, 1
    for map_, mask, distance in ((values, region, 5.0), (far, deep, 7.0)):
        assert pointing_game(mapped(map_), mask) == 0
        assert pointing_game(mapped(map_), mask, tolerance=distance) == 1
        assert pointing_game(mapped(map_), mask, tolerance=distance - 0.01) == 0
        other = map_ == 0  # the point is outside the object, where all else is equal
        assert pointing_game(mapped(map_), mask, within=other, tolerance=1e3) == pytest.approx(1)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(cases(), st.one_of(st.none(), st.floats(0.01, 1)))
def test_dice_is_a_function_of_the_intersection_over_union(case, fraction):
    values, region, within = case
    i = iou(mapped(values), region, within=within, fraction=fraction)
    assert dice(mapped(values), region, within=within, fraction=fraction) == pytest.approx(2 * i / (1 + i))
    if fraction is None:  # as many as the region has: dice is the relevance rank
        rank = relevance_rank(mapped(values), region, within=within)
        assert dice(mapped(values), region, within=within) == pytest.approx(rank)


@pytest.mark.parametrize("space", SPACES)
def test_overlaps_are_those_of_the_strongest_pixels(space):
    values = np.random.default_rng(2).permutation(int(np.prod(space))).reshape(space)
    region, half = box(space), values >= values.size // 2
    assert iou(mapped(values), region, fraction=0.5) == pytest.approx(
        jaccard_score(region.ravel(), half.ravel())
    )
    assert iou(mapped(values), region, fraction=1.0) == pytest.approx(region.mean())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(cases())
def test_precision_and_recall_are_as_of_scikit_learn(case):
    values, region, within = case
    expected = average_precision_score(region.ravel(), values.ravel())
    assert auprc(mapped(values), region) == pytest.approx(expected)
    assert auprc(mapped(values), within, within=within) == pytest.approx(1)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(2, 30), st.integers(1, 40), st.integers(0, 10_000))
def test_in_one_dimension_mass_moves_as_far_as_scipy_says(length, cells, seed):
    generator = np.random.default_rng(seed)
    one, other = generator.random((2, 1, length)) * (generator.random((2, 1, length)) < 0.6)
    one[0, 0], other[0, -1] = 0.5, 0.5
    side = max(1.0, length / cells)
    group = (np.arange(length) // side).astype(int)
    centre = np.array([np.flatnonzero(group == g).mean() for g in group])  # of each pixel's cell
    expected = wasserstein_distance(centre, centre, one[0], other[0])
    found = mover_distance(heap(one, cells), heap(other, cells))
    assert found == pytest.approx(expected, abs=1e-5)
    assert mover_distance(heap(other, cells), heap(one, cells)) == pytest.approx(found, abs=1e-5)
    assert len(heap(np.ones((1, length)), cells).mass) <= min(cells, length)


@pytest.mark.parametrize("shift", [(2, 3), (-1, 4, 2)])
def test_a_map_that_is_moved_away_costs_the_length_of_the_way(shift):
    space = (7, 11) if len(shift) == 2 else (5, 9, 7)
    region = np.zeros(space, bool)
    region[tuple(slice(2, 4) for _ in space)] = True
    moved = np.roll(region, shift, axis=tuple(range(len(space)))) * 5.0
    assert moved[region].sum() < moved.sum()
    expected = 1 - np.linalg.norm(shift) / np.linalg.norm(space)
    assert mover_similarity(mapped(moved), region, cells=32) == pytest.approx(expected)
    assert mover_similarity(mapped(moved), region, cells=1) == pytest.approx(1)  # one cell holds all


def test_a_batch_equals_one_by_one_with_a_mask_each():
    generator = np.random.default_rng(0)
    maps = [mapped(values) for values in generator.normal(size=(3, 6, 9))]
    regions, objects = generator.random((3, 6, 9)) < 0.3, generator.random((3, 6, 9)) < 0.8
    for measure in ALL:
        found = measure(maps, regions, within=objects)
        assert np.array_equal(measure(maps, list(regions), within=list(objects)), found)
        alone = [measure(m, r, within=o) for m, r, o in zip(maps, regions, objects, strict=True)]
        assert found.tolist() == alone
        assert measure(maps, regions[0]).tolist() == [measure(each, regions[0]) for each in maps]


def test_nothing_is_changed():
    one, region, within = mapped(np.random.default_rng(0).normal(size=(6, 9))), box((6, 9)), np.eye(6, 9) < 1
    kept = [array.copy() for array in (one.values, region, within)]
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for measure in ALL:
        measure(one, region, within=within)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for before, after in zip(kept, (one.values, region, within), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("measure", "given", "sentence"),
    [
        *[(m, {"within": ~box((6, 9))}, "the answer has no pixel inside the object") for m in ALL],
        (pointing_game, {"tolerance": -1.0}, "`tolerance` must be at least 0 pixels, got -1.0"),
        (pointing_game, {"tolerance": float("nan")}, "`tolerance` must be a finite number, got nan"),
        (iou, {"fraction": 0.0}, "`fraction` must be above 0 and at most 1, got 0.0"),
        (dice, {"fraction": 1.1}, "`fraction` must be above 0 and at most 1, got 1.1"),
        (mover_similarity, {"cells": 0}, "`cells` must be at least 1, got 0"),
    ],
)
def test_errors_are_one_sentence(measure, given, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        measure(mapped(np.ones((6, 9))), box((6, 9)), **given)


def test_a_volume_has_no_more_cells_than_an_image():
    for space in ((300,), (70, 90), (40, 40, 40), (9, 64, 64)):
        assert len(heap(np.ones(space), 16).mass) <= 16**2
