"""Coalitions: the package's draws, pairs, sizes by their law, and blocks that are orthogonal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri.errors import InvalidInput
from xaimri.perturb.coalitions import by_size, halves, orthogonal, paired
from xaimri.perturb.least_squares import solve


def test_coalitions_are_the_packages_draws():
    drawn = np.random.RandomState(5).randint(0, 2, 30 * 7).reshape(30, 7).astype(bool)
    found = halves(30, 7, seed=5)
    assert found[0].all()
    assert np.array_equal(found[1:], drawn[1:])
    with pytest.raises(InvalidInput, match="`samples`"):
        halves(1, 7, seed=0)


@pytest.mark.parametrize("players", [2, 5, 6, 13, 40])
def test_pairs_differ_and_a_smaller_number_comes_first(players):
    many, population = paired(400, players, seed=3)
    few, _ = paired(100, players, seed=3)
    assert np.array_equal(many[: len(few)], few)
    both = {row.tobytes() for row in np.concatenate([many, ~many])}
    assert len(both) == 2 * len(many)
    size = many.sum(axis=1)
    assert size.min() >= 1
    assert size.max() <= players // 2
    assert (np.bincount(size, minlength=len(population)) <= population).all()
    assert not np.array_equal(paired(100, players, seed=4)[0], few) or players == 2


def test_sizes_come_equally_often():
    many, _ = paired(2002, 30, seed=0)
    counts = np.bincount(many.sum(axis=1))[1:]
    # of sizes 1 and 2 there are only 30 and 435 pairs; size 15 has half as many sizes in it as the others
    assert counts[0] == 30
    assert np.ptp(counts[1:14]) <= 1
    assert abs(counts[14] - counts[5] / 2) <= 1


@pytest.mark.parametrize("stratified", [False, True])
def test_sizes_follow_their_law(stratified):
    law = np.array([0.0, 1.0, 4.0, 2.0, 1.0, 0.0])
    drawn = by_size(4000, law, seed=1, stratified=stratified)
    assert drawn[0].all()
    counts = np.bincount(drawn[1:].sum(axis=1), minlength=6)
    expected = 3999 * law / law.sum()
    if stratified:
        assert np.abs(counts - expected).max() <= 3
    else:
        assert np.abs(counts - expected).max() < 5 * np.sqrt(1000)
    shares = drawn[1:].mean(axis=0)
    assert np.ptp(shares) < 0.06
    assert np.array_equal(by_size(100, law, seed=1, stratified=stratified), drawn[:100])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 40), st.integers(0, 99))
def test_orthogonal_coalitions_come_in_pairs_and_a_smaller_number_comes_first(samples, regions, seed):
    drawn, pairs = orthogonal(samples, regions, seed)
    assert drawn.shape == (samples, regions)
    assert drawn[0].all()
    twins = len(drawn[2::2])
    assert np.array_equal(drawn[1::2][:twins], ~drawn[2::2])
    assert np.array_equal(pairs[1::2][:twins], pairs[2::2])
    assert len(np.unique(pairs)) == pairs.max() + 1 == samples // 2 + 1
    fewer, _ = orthogonal(-(-samples // 2), regions, seed)
    assert np.array_equal(drawn[: len(fewer)], fewer)


@pytest.mark.parametrize(("regions", "block"), [(1, 2), (2, 4), (3, 8), (8, 16), (9, 32), (20, 64)])
def test_in_a_block_no_region_is_mistaken_for_another_nor_for_two_together(regions, block):
    drawn, _ = orthogonal(1 + 3 * block, regions, seed=4)
    for first in range(1, len(drawn), block):
        signs = 2 * drawn[first : first + block].astype(int) - 1
        assert np.array_equal(signs.T @ signs, block * np.eye(regions, dtype=int))
        assert not np.einsum("si,sj,sk->ijk", signs, signs, signs).any()


def test_blocks_differ_and_every_coalition_is_a_random_half():
    drawn = np.stack([orthogonal(70, 20, seed)[0][1:] for seed in range(400)])
    assert not np.array_equal(drawn[0, :5], drawn[1, :5])
    assert not np.array_equal(drawn[0, :5], drawn[0, 64:69])
    signs = 2.0 * drawn[:, ::7] - 1  # of every place in the block, over seeds
    scatter = 1 / np.sqrt(len(drawn))
    assert np.abs(signs.mean(axis=0)).max() < 4.5 * scatter
    together = np.einsum("ksi,ksj->sij", signs, signs) / len(drawn)
    assert np.abs(together - np.eye(20)).max() < 5 * scatter


def test_what_two_regions_do_together_drops_out_of_the_fit():
    drawn, _ = orthogonal(33, 16, seed=0)
    signs = 2.0 * drawn[1:] - 1
    generator = np.random.default_rng(0)
    effects, together = generator.normal(size=16), np.triu(generator.normal(size=(16, 16)), 1)
    answers = signs @ effects + np.einsum("si,ij,sj->s", signs, together, signs)
    found, _ = solve(signs, answers, np.ones(32))
    np.testing.assert_allclose(found, effects, atol=1e-12)
    random = 2.0 * np.random.default_rng(1).integers(0, 2, (32, 16)) - 1
    answers = random @ effects + np.einsum("si,ij,sj->s", random, together, random)
    assert np.abs(solve(random, answers, np.ones(32))[0] - effects).max() > 1


@pytest.mark.parametrize("seed", range(5))
def test_in_half_a_block_no_two_regions_go_together_always(seed):
    drawn, _ = orthogonal(33, 20, seed)
    signs = 2 * drawn[1:].astype(int) - 1
    together = signs.T @ signs - 32 * np.eye(20, dtype=int)
    assert np.abs(together).max() < 32
