"""Eight threads on one network, which is trained, and whose compiled functions are forgotten, beside them."""

import sys
import threading
import time

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import clear_cache

pytestmark = pytest.mark.tensorflow

IMAGES = np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 1)).astype(np.float32)
CALLS = {
    "gradcam": {},
    "layercam": {},
    "saliency": {},
    "smoothgrad": {"seed": 0, "copies": 4},
    "lime": {"seed": 0, "samples": 40, "regions": 8},
    "shap": {"seed": 0, "samples": 40, "regions": 8, "engine": "openvino"},
    "rise": {"seed": 0, "samples": 40},
    "occlusion": {},
}


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=1.0),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("warm", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_nothing_races(warm):
    model, seconds, errors, found = network(), 4 if warm else 8, [], []
    explain = {
        name: (lambda n=name, o=options: xaimri.explain(model, IMAGES[0], n, **o))
        for name, options in CALLS.items()
    }
    right = {name: call() for name, call in explain.items()} if warm else {}
    if not warm:
        clear_cache()
    end, interval = time.monotonic() + seconds, sys.getswitchinterval()

    def repeat(call):
        try:
            call()
            while time.monotonic() < end and not errors:
                call()
        except Exception as error:
            errors.append(error)

    def ask(name):
        found.append((name, explain[name]()))

    def forget():
        time.sleep(0.3)
        clear_cache()

    def learn():
        model.fit(IMAGES, np.arange(8) % 2, batch_size=4, verbose=0)

    tasks = [*(lambda n=name: ask(n) for name in CALLS), forget, learn]
    threads = [threading.Thread(target=repeat, args=(task,)) for task in tasks]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    right = right or {name: call() for name, call in explain.items()}
    for name, each in found:
        # SHAP converts the network, and who comes later may be answered by that: equal in single precision
        np.testing.assert_allclose(each.values, right[name].values, rtol=1e-3, atol=1e-5, err_msg=name)
        assert each.caveats == right[name].caveats, name


def test_slices_explained_by_two_threads_are_those_of_one(monkeypatch):
    model = network()
    volume = np.random.default_rng(1).uniform(0, 255, (16, 18, 150)).astype(np.float32)
    opened = xaimri.open_model(model, slices="all")
    scan = xaimri.images.Picture(volume, affine=np.eye(4))
    assert opened.classifier.shareable
    two = [opened.explain(scan, "gradcam", target=target) for target in (None, 1, None, 1)]
    monkeypatch.setattr(type(opened.classifier), "shareable", False)
    one = [opened.explain(scan, "gradcam", target=target) for target in (None, 1)]
    for found, expected in zip(two, one * 2, strict=True):
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert found.caveats == expected.caveats


def test_a_model_with_code_of_the_users_is_asked_by_one_thread():
    assert not xaimri.open_model(network(), preprocess=lambda batch: batch / 2).classifier.shareable
