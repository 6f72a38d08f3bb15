"""Sparseness and entropy: closed forms, bounds, and what they can't see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy as shannon

from xaimri import LinearClassifier, Saliency
from xaimri.metrics import entropy, sparseness

BOTH = [sparseness, entropy]
maps = st.sampled_from([(6, 9), (3, 4, 5), (1, 7)]).flatmap(
    lambda space: arrays(float, space, elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 3)))
)


def mapped(values):
    """An explanation that has these values."""
    values = np.asarray(values, float)
    model = LinearClassifier(np.ones((2, *values.shape, 1)))
    (own,) = Saliency().explain(model, np.ones((1, *values.shape, 1), np.float32), 1)
    return replace(own, values=values)


@pytest.mark.parametrize("space", [(6, 9), (3, 4, 5)])
@pytest.mark.parametrize("held", [1, 2, 7])
def test_a_map_that_is_even_on_some_pixels(space, held):
    """On k of n pixels: 1 - k/n, and ln k; the signs don't matter."""
    values = np.zeros(space)
    values.flat[np.random.default_rng(held).choice(values.size, held, replace=False)] = -0.3
    values.flat[np.flatnonzero(values)[: held // 2]] = 0.3
    assert sparseness(mapped(values)) == pytest.approx(1 - held / values.size)
    assert entropy(mapped(values)) == pytest.approx(np.log(held), abs=1e-12)
    constant = mapped(np.full(space, 2.5))
    assert sparseness(constant) == pytest.approx(0, abs=1e-12)
    assert entropy(constant) == pytest.approx(np.log(values.size))


def test_known_maps():
    """Of a ramp 1, 2, ..., n the index is (n - 1) / 3n, which tends to 1/3; halves have ln 2 each."""
    for length in (4, 50):
        ramp = np.random.default_rng(0).permutation(np.arange(1.0, length + 1))[None]
        assert sparseness(mapped(ramp)) == pytest.approx((length - 1) / (3 * length))
    halving = 0.5 ** np.append(np.arange(1, 12), 11)  # its entropy is (2 - 2 / 2^11) bits
    assert entropy(mapped(halving[None])) == pytest.approx((2 - 2 / 2**11) * np.log(2))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(maps, st.floats(1e-6, 1e6), st.randoms())
def test_bounds_scale_sign_and_order(values, scale, random):
    count = values.size
    if not values.any():
        assert np.isnan(sparseness(mapped(values)))
        assert np.isnan(entropy(mapped(values)))
        return
    uneven, spread = sparseness(mapped(values)), entropy(mapped(values))
    assert -1e-12 <= uneven <= 1 - 1 / count + 1e-12
    assert 0 <= spread <= np.log(count) + 1e-12
    assert spread == pytest.approx(shannon(np.abs(values), axis=None), abs=1e-9)
    strength = np.abs(values).ravel()  # Gini: half the mean difference of all pairs, relative to the mean
    pairs = np.abs(strength[:, None] - strength).mean() / (2 * strength.mean())
    assert uneven == pytest.approx(pairs, abs=1e-9)
    signs = np.array([random.choice((-1, 1)) for _ in range(count)]).reshape(values.shape)
    shuffled = np.array(random.sample(values.ravel().tolist(), count)).reshape(values.shape)
    for measure, expected in ((sparseness, uneven), (entropy, spread)):
        for same in (scale * values, signs * values, shuffled):
            assert measure(mapped(same)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(maps.filter(np.any))
def test_copies_of_a_map_are_as_sparse_and_a_square_is_sparser(values):
    """The index doesn't change if all is there twice; the entropy is ln 2 more."""
    twice = np.concatenate([values, values])
    assert sparseness(mapped(twice)) == pytest.approx(sparseness(mapped(values)), abs=1e-9)
    assert entropy(mapped(twice)) == pytest.approx(entropy(mapped(values)) + np.log(2))
    assert sparseness(mapped(values**2)) >= sparseness(mapped(values)) - 1e-12
    assert entropy(mapped(values**2)) <= entropy(mapped(values)) + 1e-12


def test_values_that_vanish_beside_others_count_as_none():
    values = np.array([[1e300, 1e-300, 0.0, -1e-320]])
    assert entropy(mapped(values)) == 0
    assert sparseness(mapped(values)) == pytest.approx(3 / 4)
    assert entropy(mapped([[np.nan, 2.0, 2.0, np.inf]])) == pytest.approx(np.log(2))


@pytest.mark.parametrize("measure", BOTH)
def test_a_batch_equals_one_by_one_and_nothing_is_changed(measure):
    values = np.random.default_rng(0).normal(size=(3, 5, 6, 8))
    listed = [mapped(each) for each in (*values, np.zeros((5, 6, 8)))]
    found = measure(listed)
    assert found[:3].tolist() == [measure(each) for each in listed[:3]]
    assert len(set(found[:3].tolist())) == 3
    assert np.isnan(found[3])
    for each, before in zip(listed, values, strict=False):
        assert np.array_equal(each.values, before)
