"""Every classifier of images that KerasHub has: what it predicts, and the map that it opens."""

import inspect
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

import tasks
import xaimri
from frameworks import on_first_use

with on_first_use():
    import keras_hub

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow, tasks.MISSING]


@pytest.mark.parametrize("name", tasks.KINDS)
def test_a_task_is_explained_as_it_predicts(name):
    kind = tasks.KINDS[name]
    with quiet():
        task = tasks.made(name, tasks.preprocessor(image_size=tasks.SHAPE[:2]))
    image = tasks.photograph(70, 90)
    check(task, image, kind)
    task.preprocessor = None
    check(task, tasks.photograph(*tasks.SHAPE[:2]) / 100, kind)


@contextmanager
def quiet():
    """Leave out what Keras says of Swin's masks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*was passed an input with a mask")
        yield


def check(task, image, kind):
    with quiet():
        own = tasks.said(task, image)
        opened = xaimri.open_model(task)
        assert np.abs(opened.predict(image)[0] - own).max() < 1e-6
        assert 0.001 < own.max() < 0.999
        found = opened.explain(image)
    assert np.abs(found.probabilities - own).max() < 1e-6
    assert found.values.shape == image.shape[:2]
    assert found.diagnostics["layer"].rsplit("/", 1)[-1].startswith(kind.layer)
    assert tuple(found.diagnostics["cells"]) == kind.cells
    assert "assumed_geometry" not in {caveat.name for caveat in found.caveats}


def test_no_classifier_of_kerashub_is_forgotten():
    classes = {
        name.removesuffix("ImageClassifier")
        for name, each in vars(keras_hub.models).items()
        if inspect.isclass(each) and issubclass(each, keras_hub.models.ImageClassifier)
    }
    assert classes - {""} == {name.split(",")[0] for name in tasks.KINDS}
