"""Remove and debias: the filling-in solves its equations, and the measure is half a difference."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xaimri import LinearClassifier, Saliency
from xaimri.errors import InvalidInput
from xaimri.metrics import imputation, impute, road
from xaimri.objective import softmax

SPACES = [(6, 8), (1, 9), (3, 4, 5)]


class Counting(LinearClassifier):
    """Keeps the images that it is shown."""

    seen = ()

    def logits(self, images, /):
        self.seen = (*self.seen, *images.copy())
        return super().logits(images)


def dense(image, removed):
    """The same equations, pixel by pixel: each removed pixel is the weighted mean of its neighbours."""
    space = removed.shape
    places = list(np.ndindex(*space))
    number = {place: i for i, place in enumerate(places)}
    matrix, right = np.eye(len(places)), image.reshape(len(places), -1).astype(float).copy()
    for place in places:
        if not removed[place]:
            continue
        near = {}
        for step in product((-1, 0, 1), repeat=len(space)):
            beside = tuple(p + s for p, s in zip(place, step, strict=True))
            if any(step) and beside in number:
                near[beside] = 2.0 ** -sum(map(abs, step))  # as 1/6 is to 1/12
        for beside, weight in near.items():
            matrix[number[place], number[beside]] = -weight / sum(near.values())
        right[number[place]] = 0
    return np.linalg.solve(matrix, right).reshape(image.shape)


def subject(shape=(6, 8, 2), seed=0):
    model = Counting.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1)
    model.seen = ()
    return model, own


def mapped(own, values):
    return replace(own, values=np.asarray(values, float))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SPACES), st.integers(1, 3), st.integers(0, 10_000), st.floats(0.02, 0.95))
def test_removed_pixels_are_the_weighted_means_of_their_neighbours(space, channels, seed, share):
    generator = np.random.default_rng(seed)
    image, removed = generator.normal(size=(*space, channels)), generator.random(space) < share
    removed.flat[generator.integers(removed.size)] = False
    found = impute(image, removed)
    np.testing.assert_allclose(found, dense(image, removed), atol=1e-9)
    assert np.array_equal(found[~removed], image[~removed])
    if removed.any():  # no new extremes
        assert found[removed].min() >= image[~removed].min() - 1e-9
        assert found[removed].max() <= image[~removed].max() + 1e-9


def test_in_two_dimensions_the_weights_are_the_published_ones():
    image = np.random.default_rng(0).random((3, 3, 1))
    gone = np.zeros((3, 3), bool)
    gone[1, 1] = True
    weights = np.array([[1 / 12, 1 / 6, 1 / 12], [1 / 6, 0, 1 / 6], [1 / 12, 1 / 6, 1 / 12]])
    assert impute(image, gone)[1, 1, 0] == pytest.approx((weights * image[..., 0]).sum())


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.sampled_from([(6, 8), (5, 6, 7)]), st.integers(0, 10_000))
def test_a_ramp_is_restored_in_the_interior(space, seed):
    generator = np.random.default_rng(seed)
    slopes = generator.normal(size=len(space))
    ramp = np.tensordot(slopes, np.indices(space), axes=1)[..., None]
    inner = np.zeros(space, bool)
    inner[(slice(1, -1),) * len(space)] = True
    removed = inner & (generator.random(space) < 0.8)
    np.testing.assert_allclose(impute(ramp, removed), ramp, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (3, 4, 5)), st.floats(-1e3, 1e3), st.floats(0, 5))
def test_a_constant_image_stays(removed, level, noise):
    image = np.full((3, 4, 5, 2), level)
    np.testing.assert_allclose(impute(image, removed, noise), image, rtol=1e-9, atol=1e-9 * (1 + noise))


def test_where_all_is_removed_the_channels_means_are_left():
    image = np.random.default_rng(0).random((4, 5, 3))
    found = impute(image, np.ones((4, 5), bool))
    np.testing.assert_allclose(found, np.broadcast_to(image.mean(axis=(0, 1)), image.shape))
    assert np.array_equal(impute(image, np.zeros((4, 5), bool), noise=3.0), image)


def test_noise_has_the_spread_that_was_asked_for_and_only_where_pixels_are_gone():
    image = np.random.default_rng(0).random((60, 70, 1)).astype(np.float32)
    removed = np.random.default_rng(1).random((60, 70)) < 0.5
    added = impute(image, removed, 0.2, seed=3) - impute(image, removed)
    assert not added[~removed].any()
    there, expected = added[removed], 0.2 * image.std()
    assert there.std() == pytest.approx(expected, rel=0.08)  # 2000 draws: 4 standard errors are 6 %
    assert abs(there.mean()) < 4 * expected / np.sqrt(removed.sum())
    assert np.array_equal(impute(image, removed, 0.2, 3), impute(image, removed, 0.2, 3))
    assert not np.array_equal(impute(image, removed, 0.2, 3), impute(image, removed, 0.2, 4))
    assert impute(image, removed, 0.2).dtype == np.float32


@pytest.mark.parametrize("shape", [(6, 8, 2), (3, 4, 5, 2)])
@pytest.mark.parametrize("of", ["probability", "logit"])
def test_it_is_half_the_mean_difference_of_the_scores(shape, of):
    """Against the dense equations: the least relevant removed, less the most relevant removed."""
    model, own = subject(shape)
    values = np.random.default_rng(4).permutation(own.values.size).reshape(shape[:-1])
    differences = []
    for share in (0.25, 0.5, 0.9):
        count, scores = round(share * values.size), []
        for removed in (values < count, values >= values.size - count):
            logits = model.logits(dense(own.image, removed)[None].astype(np.float32)).astype(float)
            scores.append(softmax(logits)[0, 1] if of == "probability" else logits[0, 1])
        differences.append(scores[0] - scores[1])
    found = road(mapped(own, values), model, fractions=(0.25, 0.5, 0.9), noise=0.0, of=of)
    assert found == pytest.approx(np.mean(differences) / 2, abs=1e-6)
    other = replace(mapped(own, values), target=0)
    assert road(other, model, noise=0.0) == pytest.approx(-road(mapped(own, values), model, noise=0.0))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6))
def test_only_the_order_counts_and_the_inverse_has_the_opposite(seed, scale):
    model, own = subject()
    generator = np.random.default_rng(seed)
    values = generator.permutation(48).reshape(6, 8) / 10
    found = road(mapped(own, values), model, fractions=(0.2, 0.7))
    assert -0.5 <= found <= 0.5
    for same in (scale * values, np.exp(values), values**3 - 100):
        assert road(mapped(own, same), model, fractions=(0.2, 0.7)) == found
    assert road(mapped(own, -values), model, fractions=(0.2, 0.7)) == pytest.approx(-found, abs=1e-7)


def test_a_perfect_map_comes_near_a_half_and_its_inverse_near_minus_a_half():
    """One bright pixel decides. It goes first, or is kept to the last."""
    weights = np.zeros((2, 6, 8, 1))
    weights[1, 2, 3] = 40
    model, image = LinearClassifier(weights, bias=[0, -20]), np.zeros((1, 6, 8, 1), np.float32)
    image[0, 2, 3] = 1
    (own,) = Saliency().explain(model, image, 1)
    values = own.values.astype(float)
    assert road(mapped(own, values), model) == pytest.approx(0.5, abs=0.01)
    assert road(mapped(own, -values), model) == pytest.approx(-0.5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random", "constant"])
def test_maps_that_know_nothing_have_nought(kind):
    """Within 4 standard errors of the mean over 50 maps."""
    model, own = subject()
    generator = np.random.default_rng(1)
    found = []
    for seed in range(50):
        values = generator.normal(size=(6, 8)) if kind == "random" else np.full((6, 8), 0.3)
        found.append(road(mapped(own, values), model, fractions=(0.2, 0.5), of="logit", seed=seed))
    error = np.std(found, ddof=1) / np.sqrt(50)
    assert abs(np.mean(found)) < 4 * error
    assert error > 0


def test_a_batch_equals_one_by_one_and_costs_two_calls_per_map_and_fraction():
    model, own = subject()
    (other,) = Saliency().explain(model, own.image[None] + 1, 0)
    maps = [own, mapped(own, -own.values), other]
    model.seen = ()
    found = road(maps, model, fractions=(0.1, 0.6))
    assert len(model.seen) == 3 * 2 * 2
    assert found.tolist() == [road(each, model, fractions=(0.1, 0.6)) for each in maps]
    assert len(set(found.tolist())) == 3


def test_as_many_pixels_change_as_the_fractions_say():
    model, own = subject()
    road(own, model, fractions=(0.1, 0.25, 0.99), noise=0.1)
    changed = [(image != own.image).any(axis=-1).sum() for image in model.seen]
    assert changed == [5, 5, 12, 12, 48, 48]


def test_nothing_is_changed():
    model, own = subject()
    one, removed = mapped(own, own.values), np.eye(6, 8, dtype=bool)
    kept = [array.copy() for array in (one.values, one.image, removed)]
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    road(one, model)
    impute(one.image, removed, noise=1.0)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for before, after in zip(kept, (one.values, one.image, removed), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"fractions": ()}, "`fractions` must be above 0 and below 1"),
        ({"fractions": (0.5, 0.0)}, "`fractions` must be above 0 and below 1"),
        ({"fractions": (1.0,)}, "`fractions` must be above 0 and below 1"),
        ({"noise": -0.1}, "`noise` must be at least 0, got -0.1"),
        ({"noise": float("inf")}, "`noise` must be a finite number, got inf"),
    ],
)
def test_errors_are_one_sentence(given, sentence):
    model, own = subject()
    with pytest.raises(InvalidInput, match=sentence):
        road(own, model, **given)


def in_one_piece(space, share):
    """All but what lies around one corner: hard to fill in, since most of it is far from what is known."""
    far = sum(axis.astype(float) ** 2 for axis in np.indices(space))
    return far > np.quantile(far, 1 - share)


@pytest.mark.slow
@pytest.mark.parametrize("space", [(45, 37), (14, 15, 13)])
@pytest.mark.parametrize("kind", ["scattered", "in one piece"])
@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_large_images_are_solved_to_the_rounding_of_their_type(space, kind, dtype, error):
    generator = np.random.default_rng(0)
    image = generator.random((*space, 2)).astype(dtype)
    removed = generator.random(space) < 0.9 if kind == "scattered" else in_one_piece(space, 0.9)
    found = impute(image, removed)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, dense(image, removed), atol=error)


@pytest.mark.parametrize(("dtype", "error"), [(np.float16, 1e-3), (np.float32, 2e-6)])
def test_channels_that_are_alike_stay_alike_and_the_type_stays(dtype, error):
    image = np.random.default_rng(0).random((9, 8, 1)).astype(dtype)
    removed = in_one_piece((9, 8), 0.7)
    grey, one = impute(np.repeat(image, 3, axis=-1), removed, noise=0.0), impute(image, removed)
    assert np.array_equal(grey, np.repeat(one, 3, axis=-1))
    assert one.dtype == dtype
    np.testing.assert_allclose(one, dense(image, removed), atol=error)


@pytest.mark.slow
def test_the_company_of_other_images_changes_nothing():
    generator = np.random.default_rng(0)
    space = (96, 97)  # sums over this many are cut into pieces
    images = generator.random((3, *space, 1)).astype(np.float32)
    easy, hard = generator.random(space) < 0.1, in_one_piece(space, 0.9)
    removed = np.stack([easy, hard, np.ones_like(easy)])
    together = imputation.fill_in(images, removed)
    for image, gone, found in zip(images, removed, together, strict=True):
        assert np.array_equal(found, impute(image, gone))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_no_size_of_values_is_too_small_or_too_large(scale):
    image = np.random.default_rng(0).random((9, 8, 1)).astype(np.float32)
    removed = in_one_piece((9, 8), 0.7)
    small = impute(image, removed)
    np.testing.assert_allclose(impute((image * scale).astype(np.float32), removed) / scale, small, rtol=1e-5)


def test_steps_hardly_grow_with_the_size_of_what_is_removed():
    """Without the blocks, four times the side takes about four times the steps (196 at 96 pixels)."""
    steps = []
    for side in (24, 96):
        image = np.random.default_rng(0).random((1, side, side, 1)).astype(np.float32)
        with pytest.MonkeyPatch.context() as patch:
            count = Counter(imputation._Blocks.solve)
            patch.setattr(imputation._Blocks, "solve", lambda self, rest, count=count: count(self, rest))
            imputation.fill_in(image, in_one_piece((side, side), 0.9)[None])
        steps.append(count.calls)
    assert steps[1] < 2 * steps[0]


class Counter:
    """Calls a function and counts."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *given):
        self.calls += 1
        return self.function(*given)


def test_what_was_removed_may_be_anything():
    """A hole of broken pixels is filled in from around."""
    image = np.random.default_rng(0).random((6, 7, 1))
    removed = np.zeros((6, 7), bool)
    removed[2:4, 3] = True
    for broken in (np.nan, np.inf, -1e300):
        torn = np.where(removed[..., None], broken, image)
        assert np.array_equal(impute(torn, removed), impute(image, removed))


def test_half_precision_has_noise_of_the_right_size():
    generator = np.random.default_rng(0)
    image = (generator.random((320, 320, 1)) * 0.2 + 0.8).astype(np.float16)  # the sum of squares overflows
    removed = generator.random((320, 320)) < 0.1
    added = impute(image, removed, 0.1).astype(float) - impute(image, removed).astype(float)
    assert added[removed].std() == pytest.approx(0.1 * image.astype(float).std(), rel=0.05)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"image": np.full((6, 7, 1), np.nan)}, "`image` must hold finite floating-point numbers"),
        ({"noise": -1.0}, "`noise` must be at least 0, got -1.0"),
        ({"noise": float("nan")}, "`noise` must be a finite number, got nan"),
        ({"noise": 1.0, "seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(given, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        impute(**{"image": np.ones((6, 7, 1)), "removed": np.eye(6, 7, dtype=bool), **given})
