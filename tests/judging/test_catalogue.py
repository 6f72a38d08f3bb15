"""What the catalogue says of the metrics: names, directions, and what each is given."""

import inspect
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from masked import model_of, phantoms
from xaimri import LinearClassifier, Saliency, evaluate_explanations, metrics
from xaimri.errors import InvalidInput
from xaimri.images.foreground import foreground
from xaimri.judging import CONTROLS, METRICS, Metric, as_metric


@pytest.fixture(scope="module")
def cases():
    return phantoms(7)


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
    given = {"classifier": model, "region": region, "within": None}
    blind = {"sparseness", "entropy", "mask_effect"}  # to the sign, or to the map
    told = 0
    for name, metric in METRICS.items():
        if metric.measures == "explainer" or name in blind:
            continue
        needs = [given[need] for need in metric.needs]
        black = "absent" in inspect.signature(metric.function).parameters
        function = partial(metric.function, absent=0.0) if black else metric.function
        good, bad = (float(function(each, *needs)) for each in (perfect, inverted))
        assert good > bad if metric.better == "higher" else good < bad, name
        told += 1
    assert told == 16


def test_the_catalogue_names_its_functions():
    for name, metric in METRICS.items():
        assert metric.name == name == metric.function.__name__
        assert metric.function is getattr(metrics, name)
        assert as_metric(name) is metric
        assert as_metric(metric.function) == metric
    for name, metric in CONTROLS.items():
        assert metric.name == name == metric.function.__name__
        bound = partial(metric.function, **{"other" if name == "repeatability" else "control": None})
        assert as_metric(bound) == replace(metric, function=bound)
    assert METRICS["relevance_mass"].needs == ("region", "within")
    assert METRICS["randomisation"].measures == "explainer"
    assert METRICS["road"].measures == "maps"


@pytest.mark.slow
def test_what_a_metric_measures_and_needs_is_in_its_fields_whatever_its_parameters_are_called(cases):
    """The same function under other names of its parameters gives the same numbers."""
    given = []

    def one(explanations, classifier, region, within):
        given.append((explanations, region, within))
        return metrics.relevance_mass(explanations, region, within) + metrics.road(explanations, classifier)

    def other(region, explainer, classifier, image, /):
        return metrics.relevance_mass(region, classifier, image) + metrics.road(region, explainer)

    needs = ("classifier", "region", "within")
    both = [Metric("one", one, "higher", needs), Metric("other", other, "higher", needs)]
    found = evaluate_explanations(["saliency"], model_of(), cases, both)
    assert np.array_equal(found.values("saliency", "one"), found.values("saliency", "other"))
    ((maps, regions, objects),) = given
    for each, region, whole, case in zip(maps, regions, objects, cases, strict=True):
        assert np.array_equal(region, case.mask)
        assert np.array_equal(whole, foreground(each.image))


def test_a_metric_of_an_explainer_is_given_what_it_says_in_its_order(cases):
    def alone(a, b, c, d):
        assert isinstance(a, Saliency)
        assert b.shape == cases[0].mask.shape
        assert isinstance(c, int)
        assert d.shape == (*cases[0].mask.shape, 1)
        return float(b.sum())

    own = Metric("alone", alone, "lower", ("region", "target", "image"), "explainer")
    found = evaluate_explanations(["saliency"], model_of(), cases, [own])
    assert found.values("saliency", "alone").tolist() == [float(case.mask.sum()) for case in cases]


def test_a_need_that_is_bound_is_not_given_again(cases):
    whole = as_metric(partial(metrics.relevance_mass, within=None))
    assert whole.needs == ("region",)
    found = evaluate_explanations(["saliency"], model_of(), cases, [whole])
    maps = Saliency().explain(model_of(), np.stack([c.source[..., None] for c in cases]).astype(np.float32))
    by_hand = metrics.relevance_mass(maps, [case.mask for case in cases])
    assert np.array_equal(found.values("saliency", "relevance_mass"), by_hand)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: as_metric("deletoin"), r"the metric 'deletoin' is not known: did you mean 'deletion'\?"),
        (lambda: as_metric("repeatability"), "'repeatability' needs `other`: bind it"),
        (lambda: as_metric(lambda explanation: 0.0), "'<lambda>' is no metric of this library"),
        (lambda: as_metric(metrics.repeatability), "'repeatability' needs `other`: bind it"),
        (
            lambda: as_metric(partial(metrics.iou, region=np.ones((2, 3), bool))),
            "'iou' can't be given `within` with what stands before it bound",
        ),
        (
            lambda: as_metric(Metric("own", lambda maps, region: maps, "higher")),
            "'own' needs `region`: bind it, .* or say in `needs`",
        ),
        (
            lambda: as_metric(Metric("own", lambda maps: maps, "higher", ("region",))),
            "'own' can't be called with maps, region, one after the other",
        ),
        (
            lambda: Metric("own", len, "higher", ("image",)),
            "`needs` must hold some of classifier, region",
        ),
        (lambda: Metric("own", len, "higher", ("region",) * 2), "each once, got 'region'"),
    ],
)
def test_a_metric_that_is_not_known_is_one_sentence(call, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        call()
