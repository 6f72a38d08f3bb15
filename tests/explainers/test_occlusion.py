"""Occlusion against closed forms, naive loops and sums by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri import FunctionClassifier, LinearClassifier, Occlusion
from xaimri.errors import InvalidInput
from xaimri.objective import Objective, softmax
from xaimri.perturb.absent import hidden

SHAPES = {"2d": (7, 9, 2), "3d": (4, 5, 6, 2)}


def subject(shape, count=2, seed=0):
    model = LinearClassifier.random(shape, classes=3, seed=seed)
    return model, np.random.default_rng(seed).normal(1, 1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("absent", [0.0, 0.7, "reference"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_one_pixel_at_a_time_on_a_linear_model_gives_weight_times_change(shape, absent):
    model, images = subject(shape)
    gone = absent
    if absent == "reference":
        absent = gone = np.random.default_rng(8).random(shape, dtype=np.float32)
    found = Occlusion(window=1, absent=absent).explain(model, images, targets=2)
    expected = (model.weights[2] * (images - gone)).sum(axis=-1)
    np.testing.assert_allclose([e.values for e in found], expected, atol=1e-5)
    for explanation in found:
        assert np.array_equal(explanation.errors, np.zeros(shape[:-1]))
        assert explanation.diagnostics["model_calls"] == np.prod(shape[:-1]) + 1


def test_a_positive_value_means_that_hiding_makes_the_class_less_likely():
    model = LinearClassifier(np.stack([np.zeros((3, 4, 1)), np.eye(3, 4)[..., None]]))
    (found,) = Occlusion(window=1, absent=0.0).explain(model, np.ones((1, 3, 4, 1)), 1, of="probability")
    assert (found.values[np.eye(3, 4) > 0] > 0.01).all()
    np.testing.assert_allclose(found.values[np.eye(3, 4) == 0], 0, atol=1e-7)


def naive(model, image, window, stride, absent, target, of, seed=0):
    """Every window in a loop, from the definition: windows start at multiples of the stride."""
    space = image.shape[:-1]
    whole = Objective((target,), of).scores(model.logits(image[None]).astype(float))[0]
    total, times = np.zeros(space), np.zeros(space)
    corners = [range(0, n, s) for n, s in zip(space, stride, strict=True)]
    for corner in itertools.product(*corners):
        ahead = [c - s + w < n for c, s, w, n in zip(corner, stride, window, space, strict=True)]
        if not all(a or c == 0 for a, c in zip(ahead, corner, strict=True)):
            continue  # the window before already reaches the end
        place = tuple(slice(c, c + w) for c, w in zip(corner, window, strict=True))
        labels = np.full(space, -1)
        labels[place] = 0
        if absent in ("mean", "inpaint"):
            gone = hidden(image, labels, absent, seed)
        else:
            gone = np.where((labels == 0)[..., None], hidden(image, 0 * labels, absent, seed), image)
        score = Objective((target,), of).scores(model.logits(gone[None]).astype(float))[0]
        total[place] += whole - score
        times[place] += 1
    return total / times, times


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_pixel_is_the_mean_over_the_windows_that_cover_it(data):
    space = data.draw(st.lists(st.integers(2, 7), min_size=2, max_size=3))
    window = tuple(data.draw(st.integers(1, 9)) for _ in space)
    stride = tuple(data.draw(st.integers(1, w)) for w in window)
    absent = data.draw(st.sampled_from(["mean", 0.3, "blur", "noise"]))
    of = data.draw(st.sampled_from(["logit", "probability", "log_odds"]))
    model, images = subject((*space, 2), count=1, seed=data.draw(st.integers(0, 9)))
    explainer = Occlusion(window=window, stride=stride, absent=absent, seed=4)
    (found,) = explainer.explain(model, images, targets=1, of=of)
    expected, times = naive(model, images[0], window, stride, absent, 1, of, seed=4)
    assert times.min() >= 1
    np.testing.assert_allclose(found.values, expected, atol=2e-5)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_windows_cover_every_pixel_and_none_is_a_repetition(data):
    space = tuple(data.draw(st.lists(st.integers(1, 20), min_size=2, max_size=3)))
    window = tuple(data.draw(st.integers(1, 24)) for _ in space)
    stride = tuple(data.draw(st.integers(1, w)) for w in window)
    windows = Occlusion(window=window, stride=stride)._windows(space)
    times = np.zeros(space, int)
    for place in windows:
        assert all(0 <= s.start < s.stop <= n for s, n in zip(place, space, strict=True))
        times[place] += 1
    assert times.min() >= 1
    assert len({tuple((s.start, s.stop) for s in w) for w in windows}) == len(windows)
    assert not any(
        a != b and all(s.start >= t.start and s.stop <= t.stop for s, t in zip(a, b, strict=True))
        for a in windows[:20]
        for b in windows[:20]
    ), "a window lies inside another"


def test_the_window_is_an_eighth_of_the_shorter_axis_and_the_stride_half_of_it():
    assert Occlusion()._windows((32, 49)) == Occlusion(window=4, stride=2)._windows((32, 49))
    assert Occlusion()._windows((5, 6)) == Occlusion(window=1, stride=1)._windows((5, 6))
    assert Occlusion(window=5)._windows((32, 49)) == Occlusion(window=5, stride=3)._windows((32, 49))


@pytest.mark.parametrize("absent", ["mean", "inpaint"])
def test_what_is_named_the_windows_own_is_its_own(absent):
    model, images = subject((7, 9, 2), count=1)
    (found,) = Occlusion(window=3, stride=2, absent=absent).explain(model, images, targets=0)
    expected, _ = naive(model, images[0], (3, 3), (2, 2), absent, 0, "logit")
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "expected"), [({"window": 2, "stride": 2}, 21), ({"regions": 9}, 10), ({"regions": None}, 64)]
)
def test_the_engine_is_chosen_for_as_many_images_as_come(given, expected):
    asked = []

    class Watching(LinearClassifier):
        engine = "watched"

        def accelerated(self, images, shape, /):
            asked.append((images, shape))
            return self

    model = Watching(LinearClassifier.random((7, 9, 2), seed=1).weights)
    images = subject((7, 9, 2))[1]
    for found in Occlusion(**given).explain(model, images):
        assert found.diagnostics["engine"] == "watched"
    assert set(asked) == {(expected, (7, 9, 2))}


def test_a_label_image_tells_how_many_images_come():
    assert Occlusion(regions=np.arange(12).reshape(3, 4) // 2 - 1).samples == 6


@pytest.mark.parametrize("of", ["logit", "probability"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_region_is_worth_the_score_less_that_without_it(shape, of):
    model, images = subject(shape)
    labels = np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) // 11 - 1
    (found, _) = Occlusion(regions=labels, absent="mean").explain(model, images, targets=1, of=of)

    def score(x):
        logits = model.logits(x[None]).astype(float)
        return (logits if of == "logit" else softmax(logits))[0, 1]

    for region in range(labels.max() + 1):
        without = images[0].copy()
        without[labels == region] = without[labels == region].mean(axis=0)
        value = score(images[0]) - score(without)
        assert found.regions.values[region] == pytest.approx(value, abs=1e-5)
        np.testing.assert_allclose(found.values[labels == region], value, atol=1e-5)
    assert (found.values[labels < 0] == 0).all()
    assert np.array_equal(found.regions.errors, np.zeros(labels.max() + 1))
    assert found.diagnostics["model_calls"] == labels.max() + 2


def test_regions_that_add_up_do_so_on_a_linear_model():
    """All regions cover the image, so that their values sum to the score less that of the blank."""
    model, images = subject((7, 9, 2), count=1)
    (found,) = Occlusion(regions=6, absent=0.0).explain(model, images, targets=0)
    assert found.regions.values.sum() == pytest.approx(found.logits[0] - model.bias[0], abs=1e-5)


def test_a_region_whose_hiding_changes_nothing_has_no_value():
    model, images = subject((7, 9, 2), count=1)
    labels = np.arange(63).reshape(7, 9) // 21
    images[0][labels == 1] = 0.25
    (found,) = Occlusion(regions=labels, absent="mean").explain(model, images)
    assert np.array_equal(found.regions.tested, [True, False, True])
    assert np.isnan(found.values[labels == 1]).all()
    assert np.isfinite(found.values[labels != 1]).all()
    assert {"untested_regions", "not_finite"} <= {c.name for c in found.caveats}
    assert found.diagnostics["untested"] == 1
    (whole,) = Occlusion(regions=labels, absent="mean").explain(
        model, images + np.indices((7, 9))[0][..., None]
    )
    assert "untested_regions" not in {c.name for c in whole.caveats}


def test_without_a_target_the_predicted_class_is_explained_throughout():
    """Hiding may change the prediction; the class is that of the image itself."""
    weights = np.zeros((2, 3, 4, 1))
    weights[1, 1, 1] = 5
    model = LinearClassifier(weights, bias=[1.0, 0.0])
    image = np.ones((1, 3, 4, 1), np.float32)
    for explainer in (
        Occlusion(window=1, absent=0.0),
        Occlusion(regions=np.arange(12).reshape(3, 4), absent=0.0),
    ):
        (found,) = explainer.explain(model, image)
        assert found.target == 1
        np.testing.assert_allclose(found.values, weights[1, ..., 0], atol=1e-6)


def test_a_function_is_enough():
    model = FunctionClassifier(lambda x: softmax(x[:, 1, 1:3, 0]), classes=("a", "b"))
    (found,) = Occlusion(window=1, absent=0.0).explain(model, np.ones((1, 3, 4, 1)), "b", of="log_odds")
    expected = np.zeros((3, 4))
    expected[1, 1], expected[1, 2] = -1, 1
    np.testing.assert_allclose(found.values, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"window": 4, "stride": 5}, r"`stride` must be in \[1, window=4\], got 5\."),
        ({"window": (4, 2), "stride": 3}, r"`stride` must be in \[1, window=2\], got 3\."),
        ({"stride": 3}, r"`stride` must be in \[1, window=1\], got 3\."),
        ({"window": (4, 2, 2)}, r"`window` must be one number, or 2 for this image, got \(4, 2, 2\)\."),
        ({"window": 3, "stride": (1,)}, r"`stride` must be one number, or 2 for this image, got \(1,\)\."),
        ({"regions": np.zeros((9, 7), int)}, r"`regions` must be integer labels of shape \(7, 9\)"),
        ({"absent": np.zeros((9, 7, 2), np.float32)}, r"`absent` must be an image of shape \(7, 9, 2\)"),
    ],
)
def test_what_does_not_fit_the_image_is_one_sentence(given, sentence):
    model, images = subject((7, 9, 2), count=1)
    with pytest.raises(InvalidInput, match=sentence):
        Occlusion(**given).explain(model, images)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"window": 0}, "`window`"),
        ({"window": -3}, "`window`"),
        ({"window": True}, "`window`"),
        ({"window": 2.5}, "window"),
        ({"window": (3, 0)}, "`window`"),
        ({"window": (3, True)}, "`window`"),
        ({"window": ()}, "`window`"),
        ({"stride": 0}, "`stride`"),
        ({"stride": (0, 1)}, "`stride`"),
        ({"window": "large"}, "window"),
        ({"regions": 0}, "`regions`"),
        ({"regions": 5, "window": 3}, "can't stand beside `regions`"),
        ({"regions": 5, "stride": 1}, "can't stand beside `regions`"),
        ({"absent": "black"}, "absent"),
        ({"seed": -1}, "`seed`"),
        ({"seed": 2**32}, "`seed`"),
    ],
)
def test_a_setting_out_of_range_is_named(given, sentence):
    with pytest.raises((InvalidInput, TypeError), match=sentence):
        Occlusion(**given)


def test_a_side_per_axis_survives_the_record():
    explainer = Occlusion(window=(3, 4), stride=(1, 2))
    assert Occlusion.from_record(explainer.record()) == explainer
