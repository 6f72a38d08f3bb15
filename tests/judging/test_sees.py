"""The metrics themselves, on a network that was trained: each prefers a right map to those it claims to see.

The network learns to tell phantoms with severe atrophy from those without; expected gradients against healthy
brains tell what it goes by. Metrics that claim nothing of a mutation are not asked.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from xaimri import ExpectedGradients, evaluate_explanations
from xaimri.data import Dataset, phantom
from xaimri.judging import METRICS, MUTATIONS, Mutant
from xaimri.judging.catalogue import as_metric

pytestmark = pytest.mark.tensorflow

SIZE = (40, 40)
HIDING = ("deletion", "insertion", "infidelity", "sensitivity_n", "faithfulness_correlation",
          "completeness_gap", "average_drop")  # fmt: skip
CLAIMS = [(name, mutation) for name, metric in METRICS.items() for mutation in metric.sees]


def images_of(cases):
    return np.stack([case.source for case in cases]).astype(np.float32)[..., None]


@pytest.fixture(scope="module")
def cases():
    """Phantoms of both stages: those to learn from, and held-out ones with atrophy."""
    made = phantom.make(subjects=300, slices=4, size=SIZE, seed=0)
    kept = [replace(case, label=case.label // 3) for case in made if case.label in (0, 3)]
    both = Dataset(("no atrophy", "severe atrophy"), tuple(kept))
    known = both.take(range(480))
    return known, both.take([n for n in range(480, len(both)) if both[n].label == 1])


@pytest.fixture(scope="module")
def found(cases):
    """Everything that is claimed, measured once."""
    import keras

    known, severe = cases
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 1)),
            keras.layers.Rescaling(1 / 255),
            *(keras.layers.Conv2D(n, 3, 2, "same", activation="relu") for n in (8, 16, 32)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images_of(known), known.labels, epochs=40, verbose=0)
    accuracy = (model.predict(images_of(severe), verbose=0).argmax(axis=1) == 1).mean()
    assert accuracy > 0.8, "the network learned too little to be explained"
    healthy = images_of(known)[known.labels == 0]
    method = ExpectedGradients(references=healthy, samples=50)
    settings = {name: {"absent": healthy.mean(axis=0)} for name in HIDING}
    settings |= {"road": {"fractions": (0.1, 0.3)}, "mover_similarity": {"cells": 8}}  # as good, and faster
    asked = [
        as_metric(partial(metric.function, **settings.get(name, {})))
        for name, metric in METRICS.items()
        if metric.sees
    ]
    explainers = {"true": method, **{mutation: Mutant(method, mutation) for mutation in MUTATIONS}}
    return evaluate_explanations(explainers, model, severe, asked, target="label")


@pytest.mark.parametrize(("metric", "mutation"), CLAIMS, ids=[" / ".join(claim) for claim in CLAIMS])
def test_a_right_map_beats_what_the_metric_claims_to_see(found, metric, mutation):
    difference = found.difference("true", mutation, metric)
    assert difference.certain or metric == "pointing_game"  # one pixel a case: 60 cases tell its sign
    assert (difference.estimate.value > 0) == (METRICS[metric].better == "higher")


def test_what_a_metric_cannot_see_leaves_it_as_it_is(found):
    blind = [("sparseness", "negated"), ("entropy", "negated"), ("completeness_gap", "shifted")]
    for metric, mutation in blind:
        apart = found.values("true", metric) - found.values(mutation, metric)
        assert np.abs(apart).max() < 1e-4
