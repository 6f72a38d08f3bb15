"""What metrics read from explanations: one or several, order, shares of parts, masks; and the catalogue."""

import inspect
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xaimri import FunctionClassifier, LinearClassifier, Occlusion, Saliency, metrics
from xaimri.errors import InvalidInput
from xaimri.explanation import Regions
from xaimri.judging import METRICS, Metric
from xaimri.judging.catalogue import BETTER, as_metric
from xaimri.metrics.parts import parts_of
from xaimri.metrics.reading import filled, fitting, masks, ranking, shares, top

SHAPE = (5, 6, 8, 2)  # no two axes of one length


def mapped(shape=SHAPE, values=None, seed=0, **more):
    """An explanation of a random image that has these values, and its model."""
    model = LinearClassifier.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1)
    return replace(own, **({} if values is None else {"values": np.asarray(values, float)}), **more), model


@pytest.mark.parametrize("shape", [(6, 9, 1), SHAPE])
def test_one_explanation_gives_a_number_and_a_list_gives_an_array(shape):
    one, model = mapped(shape)
    other = replace(one, values=-one.values)
    region = np.zeros(shape[:-1], bool)
    region[1:3, 2:] = True
    given = {"classifier": model, "region": region}
    for name, metric in METRICS.items():
        if metric.of_explainer:
            continue
        options = {need: given[need] for need in metric.needs if need in given}
        alone, both = metric.function(one, **options), metric.function([one, other], **options)
        curve = name in ("deletion", "insertion")
        assert isinstance(alone, metrics.Curve if curve else float), name
        assert isinstance(both, tuple if curve else np.ndarray), name
        assert len(both) == 2
        lazily = metric.function((each for each in (one, other)), **options)
        assert np.array_equal(np.array(lazily, float), np.array(both, float), equal_nan=True), name
        assert float(both[0]) == float(alone), name
        apart = float(metric.function(other, **options))
        assert float(both[1]) == apart or np.isnan(apart), name


@pytest.mark.parametrize("nothing", [[], None, 3, [None], ["saliency"]])
def test_no_explanation_is_one_sentence(nothing):
    with pytest.raises(InvalidInput, match="give an explanation, or a list of at least one"):
        metrics.entropy(nothing)


def test_images_of_other_shapes_are_refused():
    one, model = mapped((6, 9, 1))
    other, _ = mapped((5, 9, 1))
    assert fitting([one], model) == (6, 9, 1)
    assert fitting([one], FunctionClassifier(lambda x: x[:, 0, 0], classes=("a", "b"))) == (6, 9, 1)
    with pytest.raises(InvalidInput, match="the explained images have different shapes"):
        metrics.deletion([one, other], model)
    for metric in (metrics.deletion, metrics.road, metrics.infidelity, metrics.average_drop):
        with pytest.raises(InvalidInput, match=r"has the shape \(5, 9, 1\), and the classifier takes \(6, 9"):
            metric(other, model)


class Open(LinearClassifier):
    """Takes any height."""

    @property
    def input_shape(self):
        return (None, *super().input_shape[1:])


def test_an_open_axis_takes_any_length_and_a_fixed_one_only_its_own():
    model = Open(np.ones((2, 6, 9, 1)))
    assert fitting([mapped((5, 9, 1))[0]], model) == (5, 9, 1)
    for shape in [(6, 8, 1), (6, 9, 2), (6, 2, 9, 1)]:
        with pytest.raises(InvalidInput, match="the classifier takes"):
            fitting([mapped(shape)[0]], model)


def test_values_that_are_not_finite_count_as_nothing():
    own, _ = mapped((2, 3, 1), [[np.nan, np.inf, -np.inf], [1, -2, 3]])
    assert filled(own).tolist() == [[0, 0, 0], [1, -2, 3]]
    assert filled(own).dtype == np.float64


def some(labels):
    """Whether there is a part at all."""
    return labels.max() >= 0


@settings(max_examples=40, deadline=None)
@given(arrays(int, SHAPE[:-1], elements=st.integers(-1, 5)).filter(some), st.integers(0, 99))
def test_shares_of_a_pixel_map_are_sums_over_the_parts(labels, seed):
    own, _ = mapped(values=np.random.default_rng(seed).normal(size=SHAPE[:-1]))
    found = shares(own, labels)
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
    padded = np.append(shares(own, regions), np.zeros(4))[:4]
    np.testing.assert_allclose(padded, np.where(there, values, 0), atol=1e-12)
    everywhere = np.where(parts < 0, 5, parts)
    assert shares(own, everywhere).sum() == pytest.approx(values[there].sum(), abs=1e-9)
    for part in range(everywhere.max() + 1):
        within = [np.mean(everywhere[regions == r] == part) if there[r] else 0 for r in range(4)]
        assert shares(own, everywhere)[part] == pytest.approx(np.nan_to_num(values) @ within, abs=1e-9)


def test_regions_of_a_method_add_up_to_what_it_gave_them():
    labels = np.arange(54).reshape(6, 9) // 20
    own, model = mapped((6, 9, 1))
    (found,) = Occlusion(regions=labels).explain(model, own.image[None], 1)
    assert np.ptp(found.regions.values) > 0
    assert shares(found, labels).tolist() == pytest.approx(found.regions.values.tolist(), abs=1e-12)
    assert shares(found, np.zeros((6, 9), int))[0] == pytest.approx(found.regions.values.sum())


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


def test_parts_are_numbered_without_gaps():
    image = np.zeros((2, 3, 1), np.float32)
    assert parts_of(image, None).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert parts_of(image, np.array([[7, 7, 2], [-1, 2, 9]])).tolist() == [[1, 1, 0], [-1, 0, 2]]
    assert parts_of(image, np.array([[7, 7, 2], [3, 2, 9]])).tolist() == [[2, 2, 0], [1, 0, 3]]


def test_masks_are_one_for_all_or_one_each():
    one, _ = mapped((3, 4, 1))
    mask = np.eye(3, 4, dtype=bool)
    other = ~mask
    for several, expected in [
        (mask, [mask, mask]),
        ([mask, other], [mask, other]),
        (np.stack([mask, other]), [mask, other]),
    ]:
        assert np.array_equal(masks([one, one], several), expected)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([np.ones((3, 4), bool)] * 3, "3 masks were given as `within` for 2 explanations"),
        (np.ones((4, 3), bool), r"`within` must be a mask of True and False of the map's shape \(3, 4\)"),
        (np.ones((3, 4)), "`within` must be a mask of True and False .* got float64"),
        (np.zeros((3, 4), bool), "`within` has no pixel"),
    ],
)
def test_masks_that_do_not_fit_are_one_sentence(given, sentence):
    own, _ = mapped((3, 4, 1))
    with pytest.raises(InvalidInput, match=sentence):
        masks([own, own], given, "within")


def test_every_metric_says_a_perfect_map_is_no_worse_than_its_inverse():
    """The direction in the catalogue is the metric's own: on a linear model whose answer lies in the mask."""
    shape = (10, 12, 1)
    region = np.zeros(shape[:-1], bool)
    region[2:5, 3:7] = True
    weights = np.zeros((2, *shape))
    weights[1] = np.where(region, 0.4, -0.001)[..., None]
    model = LinearClassifier(weights, bias=[0, -2])
    image = np.where(region, 1, 0.2)[None, ..., None].astype(np.float32)
    (own,) = Saliency(signed=True).explain(model, image, 1)
    perfect, inverted = (replace(own, values=sign * own.values.astype(float)) for sign in (1, -1))
    given = {"classifier": model, "region": region}
    blind = {"sparseness", "entropy"}  # to the sign
    told = 0
    for name, metric in METRICS.items():
        if metric.of_explainer or name in blind:
            continue
        options = {need: given[need] for need in metric.needs if need in given}
        if "absent" in inspect.signature(metric.function).parameters:
            options["absent"] = 0.0
        good, bad = (float(metric.function(each, **options)) for each in (perfect, inverted))
        assert good > bad if metric.better == "higher" else good < bad, name
        told += 1
    assert told == 16


def test_the_catalogue_names_its_functions():
    for name, metric in METRICS.items():
        assert metric.name == name == metric.function.__name__
        assert metric.function is getattr(metrics, name)
        assert as_metric(name) is metric
        assert as_metric(metric.function) == metric
        assert BETTER[name] == metric.better
    assert as_metric(partial(metrics.label_randomisation, control=None)).better == "lower"
    assert METRICS["relevance_mass"].needs == ("region", "within")
    assert METRICS["randomisation"].of_explainer
    assert METRICS["randomisation"].needs == ("explainer", "classifier", "image", "target")
    assert not METRICS["road"].of_explainer


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: as_metric("deletoin"), "there is no metric 'deletoin': use 'deletion'"),
        (lambda: as_metric(lambda explanation: 0.0), "it isn't known which way '?<lambda>'? is better"),
        (lambda: Metric("own", metrics.repeatability, "higher"), "'own' needs `other`: bind it"),
    ],
)
def test_a_metric_that_is_not_known_is_one_sentence(call, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        call()
