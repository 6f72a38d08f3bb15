"""Weights that have changed places: as if the network itself had them, which keeps its own."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest

import networks
import zoo
from frameworks import on_first_use
from xaimri import GradCAM, InvalidInput, Saliency
from xaimri.classifier import Randomisable
from xaimri.metrics import randomisation
from xaimri.objective import Objective

with on_first_use():
    import keras

    from xaimri.adapters.keras import KerasClassifier, clear_cache, programs
    from xaimri.adapters.keras.shadows import shuffle

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("name", zoo.ZOO)
def test_the_copy_scores_as_the_network_would_with_these_weights(name):
    specimen = zoo.make(name)
    model, given = specimen.model, specimen.images(3)
    classifier = KerasClassifier(model, **specimen.options)
    own = classifier.logits(given)  # builds what was not built
    kept = [np.array(w) for w in model.get_weights()]
    names = classifier.layers[: max(1, len(classifier.layers) // 2)]
    copy = classifier.randomised(names, 3)
    found = copy.logits(given)
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True))
    assert np.array_equal(classifier.logits(given), own)
    values = shuffle(model, names, 3).drawn
    try:
        for variable, drawn in values:
            assert np.array_equal(np.sort(np.ravel(variable)), np.sort(np.ravel(drawn)))
            variable.assign(drawn)
        clear_cache()
        expected = KerasClassifier(model, **specimen.options).logits(given)
    finally:
        model.set_weights(kept)
    np.testing.assert_allclose(found, expected, atol=specimen.tolerance, rtol=1e-4)
    assert np.abs(found - own).max() > 0


@pytest.mark.parametrize("name", ["flat", "nested", "subclassed", "one backbone called twice"])
def test_every_weight_belongs_to_one_layer_and_the_output_comes_first(name):
    specimen = zoo.make(name)
    classifier = KerasClassifier(specimen.model, **specimen.options)
    classifier.logits(specimen.images(1))
    drawn = [id(v) for v, _ in shuffle(specimen.model, classifier.layers, 0).drawn]
    assert len(drawn) == len(set(drawn)) == len(specimen.model.weights)
    assert isinstance(classifier, Randomisable)


def test_layers_are_listed_from_the_output_down():
    assert KerasClassifier(networks.small()).layers == ("head", "last", "first")


def test_a_layer_is_drawn_alike_whichever_others_are_and_by_its_seed():
    model, given = networks.small(), networks.noise((20, 28, 3))
    classifier = KerasClassifier(model)
    alone = {v.path: np.array(d) for v, d in shuffle(model, ["last"], 5).drawn}
    among = {v.path: np.array(d) for v, d in shuffle(model, ["head", "last"], 5).drawn}
    assert all(np.array_equal(among[path], drawn) for path, drawn in alone.items())
    a, b, c = (classifier.randomised(classifier.layers, seed).logits(given) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.allclose(a, c)


def test_gradients_and_maps_are_those_of_the_copy():
    model, given = networks.small(), networks.noise((20, 28, 3))
    classifier = KerasClassifier(model)
    copy = classifier.randomised(["last"], 0)
    kept = model.get_weights()
    gradient, maps = copy.gradient(given, Objective((0, 1))), copy.feature_maps(given, Objective((0, 1)))
    try:
        for variable, drawn in shuffle(model, ["last"], 0).drawn:
            variable.assign(drawn)
        other, objective = KerasClassifier(model), Objective((0, 1))
        expected = other.gradient(given, objective).values
        np.testing.assert_allclose(gradient.values, expected, atol=1e-6)
        expected = other.feature_maps(given, objective).gradients
        np.testing.assert_allclose(maps.gradients, expected, atol=1e-6)
    finally:
        model.set_weights(kept)


def test_no_layers_leave_the_network_as_it_is_and_unknown_ones_are_named():
    model, given = networks.small(), networks.noise((20, 28, 3))
    classifier = KerasClassifier(model)
    assert np.array_equal(classifier.randomised([], 0).logits(given), classifier.logits(given))
    with pytest.raises(InvalidInput, match=r"no layer 'tail' with weights: it has 'first', 'last', 'head'"):
        classifier.randomised(["tail"], 0)


@pytest.mark.parametrize("method", [GradCAM(), Saliency()])
def test_a_cascade_goes_down_to_the_image_and_independent_layers_stand_alone(method):
    classifier, (image,) = KerasClassifier(networks.small()), networks.noise((20, 28, 3), count=1)
    down = randomisation(method, classifier, image, steps=None)
    alone = randomisation(method, classifier, image, steps=None, order="independent")
    assert down.layers == alone.layers == ("head", "last", "first")
    assert np.array_equal(down.explanations[0].values, alone.explanations[0].values)
    assert not np.array_equal(down.explanations[2].values, alone.explanations[2].values)
    (whole,) = method.explain(classifier.randomised(classifier.layers, 0), image[None], down.own.target)
    assert np.array_equal(whole.values, down.explanations[2].values)
    assert float(down) == down.similarities[2]


def test_it_runs_in_tensorflow_whatever_engine_was_asked_for():
    classifier = KerasClassifier(networks.small(), engine="openvino")
    copy = classifier.randomised(["head"], 0)
    assert copy.accelerated(10_000, (20, 28, 3)) is copy
    keras.backend.clear_session()


def test_a_whole_cascade_is_traced_once(monkeypatch):
    seen, traced = [], programs._trace

    def counted(model, ports, preprocess, request, shadows):
        seen.append((request.purpose, shadows is not None))
        return traced(model, ports, preprocess, request, shadows)

    monkeypatch.setattr(programs, "_trace", counted)
    clear_cache()
    classifier, images = KerasClassifier(networks.small()), networks.noise((20, 28, 3), count=3)
    for image in images:
        randomisation(GradCAM(), classifier, image, steps=None)
    assert seen == [("maps", False), ("maps", True)]


def test_copies_that_are_asked_in_turn_or_at_once_answer_for_themselves():
    classifier, given = KerasClassifier(networks.small()), networks.noise((20, 28, 3))
    copies = [classifier.randomised(classifier.layers[: 1 + n % 3], n) for n in range(6)]
    first = [copy.logits(given) for copy in copies]
    assert all(np.abs(a - b).max() > 0 for a, b in combinations(first, 2))
    with ThreadPoolExecutor(6) as pool:
        again = list(pool.map(lambda n: copies[n % 6].logits(given), range(60)))
    assert all(np.array_equal(first[n % 6], found) for n, found in enumerate(again))


def test_a_copy_stays_what_it_was_when_the_network_is_trained_on():
    model, given = networks.small(), networks.noise((20, 28, 3), count=4)
    copy = KerasClassifier(model).randomised(["head"], 0)
    before = copy.logits(given)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(given, np.array([0, 1, 0, 1]), verbose=0)
    model.get_layer("first").set_weights([w * 2 for w in model.get_layer("first").get_weights()])
    KerasClassifier(model).randomised(["last"], 0).logits(given)  # takes over what the copies share
    assert np.array_equal(copy.logits(given), before)
