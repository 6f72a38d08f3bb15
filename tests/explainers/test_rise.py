"""RISE against all its masks enumerated, closed forms on a linear model, and the scatter over seeds."""

import itertools

import numpy as np
import pytest

import xaimri
from xaimri import RISE, Auto, FunctionClassifier, LinearClassifier
from xaimri.errors import InvalidInput
from xaimri.explainers import rise
from xaimri.objective import softmax


def weights_along(pixels, cells, shift):
    """How much of each cell a pixel shows, ``(pixels, cells + 1)``, for one shift: linear interpolation."""
    place = (np.arange(pixels) + 0.5) * cells / pixels - 0.5 + shift
    return np.stack([np.interp(place, np.arange(cells + 1), unit) for unit in np.eye(cells + 1)], axis=1)


def overlap(pixels, cells, steps=400):
    """Mean over all shifts of the product of what two pixels show, ``(pixels, pixels)``."""
    shifts = (np.arange(steps) + 0.5) / steps
    return np.mean([a @ a.T for a in (weights_along(pixels, cells, shift) for shift in shifts)], axis=0)


def enumerated(score, image, keep, cells, steps):
    """Mean mask, mean score and mean of their product over all masks and all shifts of a 2-D image."""
    rows, columns = image.shape[:2]
    total, through, level = np.zeros((rows, columns)), np.zeros((rows, columns)), 0.0
    shifts = (np.arange(steps) + 0.5) / steps
    for a, b in itertools.product(shifts, repeat=2):
        up, across = weights_along(rows, cells[0], a), weights_along(columns, cells[1], b)
        bits = np.array(list(itertools.product([0, 1], repeat=(cells[0] + 1) * (cells[1] + 1))))
        chance = np.prod(np.where(bits, keep, 1 - keep), axis=1) / steps**2
        masks = up @ bits.reshape(-1, cells[0] + 1, cells[1] + 1) @ across.T
        scores = score(masks[..., None] * image)
        total += np.tensordot(chance, masks, 1)
        through += np.tensordot(chance * scores, masks, 1)
        level += chance @ scores
    return total, level, through


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("keep", [0.5, 0.3])
def test_in_the_limit_it_is_the_sum_over_all_masks_and_shifts(keep, centred):
    """A score that is far from linear; the truth is computed without drawing."""
    image = np.random.default_rng(3).normal(1, 1, (3, 4, 2)).astype(np.float32)
    model = LinearClassifier(3 * LinearClassifier.random(image.shape, seed=2).weights)

    def score(images):
        return softmax(model.logits(images.astype(np.float32)).astype(float))[:, 1]

    mask, level, through = enumerated(score, image, keep, (1, 1), 24)
    np.testing.assert_allclose(mask, keep, rtol=1e-9)
    truth = (through - level * mask) / keep if centred else through / keep
    explainer = RISE(samples=3000, cells=1, keep=keep, centred=centred, seed=1)
    (found,) = explainer.explain(model, image[None], targets=1)
    assert (found.errors > 0).all()
    assert (np.abs(found.values - truth) < 5 * found.errors).all()
    assert np.abs(truth).max() > 10 * found.errors.max()
    spread = np.ptp(truth)
    assert spread > 4 * found.errors.max(), "the truth must be told from a flat map"


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(
    ("shape", "cells", "along"),
    [((6, 9, 2), 2, (2, 3)), ((4, 6, 7, 2), 2, (2, 3, 4)), ((3, 4, 5, 6, 1), 1, (1, 1, 2, 2))],
    ids=["2d", "3d", "4d"],
)
def test_on_a_linear_model_the_limit_is_a_product_over_axes(shape, cells, along, centred):
    """The covariance of two pixels of a mask is the product, over the axes, of what they share."""
    keep, absent = 0.4, 0.2
    model = LinearClassifier.random(shape, classes=3, seed=4)
    image = np.random.default_rng(5).normal(1, 1, shape).astype(np.float32)
    effects = (model.weights[2] * (image - absent)).sum(axis=-1).astype(float)
    spread = effects
    for axis, count in enumerate(along):
        kernel = overlap(shape[axis], count)
        spread = np.moveaxis(np.tensordot(kernel, spread, axes=(1, axis)), 0, axis)
    truth = (1 - keep) * spread
    if not centred:
        truth += model.bias[2] + absent * model.weights[2].sum() + keep * effects.sum()
    explainer = RISE(samples=2500, cells=cells, keep=keep, absent=absent, centred=centred, seed=2)
    (found,) = explainer.explain(model, image[None], targets=2, of="logit")
    assert (np.abs(found.values - truth) < 5 * found.errors).all()
    if centred:
        assert np.abs(truth).max() > 10 * found.errors.max()


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_errors_are_the_scatter_over_seeds(centred):
    image = np.random.default_rng(3).normal(1, 1, (5, 7, 1)).astype(np.float32)
    model = LinearClassifier(4 * LinearClassifier.random(image.shape, seed=2).weights)
    found = [
        RISE(samples=120, cells=2, centred=centred, seed=seed).explain(model, image[None], targets=1)[0]
        for seed in range(200)
    ]
    scatter = np.std([e.values for e in found], axis=0, ddof=1)
    stated = np.sqrt(np.mean([e.errors**2 for e in found], axis=0))
    assert 0.85 < np.sqrt((stated**2).mean() / (scatter**2).mean()) < 1.15
    assert ((stated / scatter > 0.75) & (stated / scatter < 1.33)).all()
    assert np.mean(stated / scatter) == pytest.approx(1, abs=0.15)


def test_centred_errors_are_far_smaller():
    model = LinearClassifier.random((8, 9, 1), seed=1)
    image = np.ones((1, 8, 9, 1), np.float32)
    whole, centred = (RISE(samples=300, cells=3, centred=c).explain(model, image)[0] for c in (False, True))
    assert (centred.errors < whole.errors).all()
    assert centred.errors.mean() < 0.5 * whole.errors.mean()


@pytest.mark.parametrize("space", [(7, 10), (5, 6, 8)], ids=["2d", "3d"])
def test_masks_show_every_pixel_with_the_same_mean(space):
    """At the edges too, within five standard errors; and none leaves 0..1."""
    explainer = RISE(cells=3, keep=0.3, seed=6)
    masks = explainer.masks(0, 2500, space).astype(float)
    assert masks.shape == (2500, *space)
    assert masks.min() >= 0
    assert masks.max() <= 1
    error = masks.std(axis=0) / np.sqrt(len(masks))
    assert (np.abs(masks.mean(axis=0) - 0.3) < 5 * error).all()
    assert (error < 0.01).all()


def test_cells_are_about_as_wide_as_high():
    """Seven along the shorter axis: neighbours in a mask differ by at most one cell's slope."""
    masks = RISE(cells=7).masks(0, 200, (70, 110))
    for axis in (1, 2):
        steepest = np.abs(np.diff(masks, axis=axis)).max()
        assert steepest == pytest.approx(1 / 10, abs=1e-5)


def test_masks_are_numbered_whatever_the_batch():
    explainer = RISE(cells=3, seed=6)
    together = explainer.masks(0, 9, (5, 7))
    apart = np.concatenate([explainer.masks(0, 4, (5, 7)), explainer.masks(4, 5, (5, 7))])
    assert together.tobytes() == apart.tobytes()
    assert len(np.unique(together.reshape(9, -1), axis=0)) == 9
    assert not np.array_equal(together, RISE(cells=3, seed=7).masks(0, 9, (5, 7)))


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("most", [1, 7, 50])
def test_the_map_does_not_depend_on_the_batch(monkeypatch, most, centred):
    model = LinearClassifier.random((5, 7, 2), seed=1)
    image = np.random.default_rng(0).random((1, 5, 7, 2), dtype=np.float32)
    explainer = RISE(samples=65, cells=2, centred=centred)
    (expected,) = explainer.explain(model, image, targets=1)
    monkeypatch.setattr(rise, "capacity", lambda shape: most)
    (found,) = explainer.explain(model, image, targets=1)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6)
    np.testing.assert_allclose(found.errors, expected.errors, atol=1e-6)


def test_every_mask_costs_one_prediction_and_one_more():
    predicted = []

    def watching(batch):
        predicted.append(len(batch))
        return softmax(LinearClassifier.random((5, 7, 1)).logits(batch))

    model = FunctionClassifier(watching, classes=("a", "b"))
    (found,) = RISE(samples=64, cells=2).explain(model, np.ones((1, 5, 7, 1)), "b")
    assert found.diagnostics["model_calls"] == 65
    assert sum(predicted) == 65 + 3 * 2  # is it a function of one image? once, three batches of two
    assert found.diagnostics["samples"] == 64


def test_progress_knows_from_the_start_how_many_masks_there_are():
    told = []
    model = LinearClassifier.random((5, 7, 1), seed=1)
    xaimri.explain(model, np.ones((5, 7)), RISE(samples=96), progress=lambda *now: told.append(now))
    assert {total for _, total in told} == {96}
    assert [done for done, _ in told] == [32, 64, 96]


def test_the_engine_that_ran_the_masks_is_told():
    class Fast(LinearClassifier):
        engine = "fast"

    class Slow(LinearClassifier):
        def accelerated(self, images, shape, /):
            return Fast(self.weights) if (images, shape) == (96, (5, 7, 1)) else self

    model = Slow(LinearClassifier.random((5, 7, 1), seed=1).weights)
    image = np.ones((1, 5, 7, 1), np.float32)
    assert RISE(samples=96).explain(model, image)[0].diagnostics["engine"] == "fast"
    assert "engine" not in RISE(samples=97).explain(model, image)[0].diagnostics


@pytest.mark.parametrize("centred", [False, True])
def test_of_a_score_that_no_mask_changes_the_masks_themselves_are_not_drawn(centred):
    model = FunctionClassifier(lambda x: np.full((len(x), 2), [0.2, 0.8]), classes=("a", "b"))
    image = np.ones((1, 5, 7, 1))
    (found,) = RISE(samples=64, cells=2, keep=0.3, centred=centred).explain(model, image, "b")
    assert not found.values.any()
    assert not found.errors.any()
    assert found.diagnostics["mean_score"] == pytest.approx(0.8, abs=1e-6)


def test_the_errors_of_a_large_score_survive_the_running_sums():
    """A score of 10,000 that varies by one: the shift keeps squares from cancelling."""
    shape = (5, 7, 1)
    near, far = (
        LinearClassifier(np.stack([np.zeros(shape), np.full(shape, 0.01)]), bias=[0.0, bias])
        for bias in (0.0, 1e4)
    )
    image = np.ones((1, *shape), np.float32)
    explainer = RISE(samples=64, cells=2, centred=True)
    a, b = (explainer.explain(model, image, 1, of="logit")[0] for model in (near, far))
    np.testing.assert_allclose(a.values, b.values, atol=2e-3)
    np.testing.assert_allclose(a.errors, b.errors, atol=2e-4)


def test_the_mean_that_stands_behind_the_mask_is_that_of_the_whole_image():
    model = LinearClassifier.random((5, 7, 2), seed=1)
    image = np.random.default_rng(0).random((1, 5, 7, 2), dtype=np.float32)
    flat = np.broadcast_to(image.mean(axis=(1, 2)), (5, 7, 2)).astype(np.float32)
    (found,) = RISE(samples=40, cells=2, absent="mean").explain(model, image, 0)
    (expected,) = RISE(samples=40, cells=2, absent=flat).explain(model, image, 0)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6)


def test_the_prediction_of_the_image_itself_is_explained():
    """Most masks hide so much that the class changes; the target does not."""
    weights = np.zeros((2, 5, 7, 1))
    weights[1] = 0.1
    model = LinearClassifier(weights, bias=[3.0, 0.0])
    (found,) = RISE(samples=40, cells=2).explain(model, np.ones((1, 5, 7, 1)))
    assert found.target == 1
    assert found.diagnostics["mean_score"] < 0.5


# Until it is settled.


def test_auto_stops_where_the_error_is_small_enough():
    model = LinearClassifier(np.stack([np.zeros((5, 7, 1)), np.full((5, 7, 1), 0.1)]))
    rule = Auto(by="error", tolerance=0.3, floor=50, ceiling=4000)
    (found,) = RISE(samples=rule, cells=1, centred=True).explain(model, np.ones((1, 5, 7, 1)), 1)
    samples = found.diagnostics["samples"]
    assert samples in list(rule.checkpoints())[:-1]
    assert "not_converged" not in {c.name for c in found.caveats}
    assert 1.96 * np.linalg.norm(found.errors) <= 0.3 * np.linalg.norm(found.values)
    (fixed,) = RISE(samples=samples, cells=1, centred=True).explain(model, np.ones((1, 5, 7, 1)), 1)
    np.testing.assert_allclose(found.values, fixed.values, atol=1e-6)
    before = [n for n in rule.checkpoints() if n < samples]
    if before:
        (early,) = RISE(samples=before[-1], cells=1, centred=True).explain(model, np.ones((1, 5, 7, 1)), 1)
        assert 1.96 * np.linalg.norm(early.errors) > 0.3 * np.linalg.norm(early.values)


def test_auto_says_so_where_the_ceiling_comes_first():
    model = LinearClassifier.random((5, 7, 1), seed=1)
    image = np.random.default_rng(0).random((1, 5, 7, 1))
    rule = Auto(by="error", tolerance=1e-3, floor=40, ceiling=77)
    (found,) = RISE(samples=rule, cells=3).explain(model, image)
    assert found.diagnostics["samples"] == 77
    (caveat,) = [c for c in found.caveats if c.name == "not_converged"]
    assert "After 77 samples the relative error is not settled" in caveat.text
    (fixed,) = RISE(samples=77, cells=3).explain(model, image)
    assert "not_converged" not in {c.name for c in fixed.caveats}
    np.testing.assert_allclose(found.values, fixed.values, atol=1e-6)


def test_auto_by_name_looks_at_the_error():
    assert RISE(samples="auto") == RISE(samples=Auto(by="error"))
    assert RISE.from_record(RISE(samples="auto").record()) == RISE(samples="auto")
    with pytest.raises(InvalidInput, match=r'no regions to order: use Auto\(by="error"\)'):
        RISE(samples=Auto())


@pytest.mark.parametrize(
    "given",
    [
        {"samples": 1},
        {"samples": "many"},
        {"cells": 0},
        {"cells": 2.5},
        {"keep": 0.0},
        {"keep": 1.0},
        {"keep": float("nan")},
        {"absent": "black"},
        {"seed": -1},
        {"centred": 1},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_named(given):
    with pytest.raises((InvalidInput, TypeError), match=next(iter(given))):
        RISE(**given)
