"""The trained network beside the checkout: our loading, fitting and scoring give the figures it came with."""

import json

import numpy as np
import pytest

pytestmark = [pytest.mark.tensorflow, pytest.mark.real]


@pytest.fixture(scope="module")
def network(real):
    import keras

    return keras.models.load_model(real / "models" / "resnet50_stages.keras")


@pytest.fixture(scope="module")
def held_out(real):
    from xaimri.data import alzheimer

    dataset = alzheimer.load(real / "data" / "alzheimer")
    named = set(json.loads((real / "models" / "test_subjects.json").read_text())["test_subjects"])
    return dataset.take([i for i, case in enumerate(dataset) if case.subject in named])


def test_held_out_figures_are_those_that_the_network_was_delivered_with(network, held_out):
    from xaimri import open_model
    from xaimri.evaluation import classification

    assert len(held_out) == 41 * 32
    probabilities = open_model(network, classes=held_out.classes, fit="pad").predict(held_out)
    report = classification.evaluate(probabilities, held_out)
    assert report.slice.accuracy.value == pytest.approx(0.473, abs=0.004)
    assert report.slice.balanced_accuracy.value == pytest.approx(0.383, abs=0.004)
    assert report.subject.accuracy.value == pytest.approx(0.488, abs=0.001)


def test_a_real_slice_is_explained_on_its_own_grid(network, held_out):
    import xaimri

    case = held_out[5]
    made = xaimri.compare(
        network, case.source, ["gradcam", xaimri.LIME(samples=64)], classes=held_out.classes, fit="pad"
    )
    for explanation in made:
        assert explanation.values.shape == (208, 176)
        assert np.isfinite(explanation.values).all()
    assert made[0].diagnostics["layer"] == "resnet50/conv5_block3_out"
    black = np.asarray(made[1].image)[..., 0] < 2
    assert np.abs(made[1].values[black]).sum() < 0.1 * np.abs(made[1].values).sum()
