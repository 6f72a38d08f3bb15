"""Networks in other processes: told after a fork, right after a spawn."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri import forked

with on_first_use():
    import keras
    from keras import layers

pytestmark = pytest.mark.tensorflow

IMAGES = [np.random.default_rng(n).random((12, 12), dtype=np.float32) * 255 for n in range(2)]
OPTIONS = {"gradcam": {}, "lime": {"samples": 20, "seed": 0, "regions": 4}}

SECONDS = 300
"""Longest wait for a process: what waits for ever is ended, and fails."""

FORKS = """
import os, numpy as np, xaimri
import keras
def told(work):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0, work
        return
    try:
        {child}
    except BaseException as error:
        print(type(error).__name__, error, flush=True)
        os._exit(1)
    os._exit(0)
scan = np.random.default_rng(0).random((12, 12))
def build():
    layers = keras.layers
    image = keras.Input((12, 12, 1))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(image))
    return keras.Model(image, layers.Dense(2, "softmax")(pooled))
{works}
print("told")
"""

REFUSED = """
        try:
            work()
        except xaimri.MissingCapability as refused:
            assert str(refused) == xaimri.forked.FORKED
        else:
            os._exit(2)
"""

AFTER_IT_RAN = """
import pickle
from xaimri.training import build_resnet50, train
network = build()
model = xaimri.open_model(network, engine="openvino")
model.explain_all([scan] * 4, xaimri.LIME(samples=200, regions=4))  # as OpenVINO runs it from then on
pickled = pickle.dumps(model)
network.save("network.keras")
xaimri.training.save("bundle", network, ["a", "b"])
told(lambda: xaimri.explain(network, scan))
told(lambda: model.explain(scan, xaimri.LIME(samples=200, regions=4)))
told(lambda: xaimri.explain("network.keras", scan))
told(lambda: xaimri.training.load("bundle"))
told(lambda: pickle.loads(pickled))
told(lambda: build_resnet50(["a", "b"], size=(32, 32), weights=None))
"""


def ran(tmp_path, **parts):
    script = FORKS.format(**parts)
    begun = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], stdout=-1, stderr=-1, cwd=tmp_path, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, errors = begun.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(begun.pid, signal.SIGKILL)
        pytest.fail("a process waits for ever")
    assert said.strip().endswith("told"), (said, errors[-2000:])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")
def test_a_fork_after_tensorflow_ran_gets_one_sentence(tmp_path):
    ran(tmp_path, child=REFUSED.strip(), works=AFTER_IT_RAN)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")
def test_a_fork_before_tensorflow_ran_works_and_so_does_one_that_needs_none(tmp_path):
    early = "told(lambda: xaimri.explain(build(), scan))"
    plain = "build()\ntold(lambda: xaimri.explain(xaimri.LinearClassifier.random((12, 12, 1)), scan, 'lime'))"
    ran(tmp_path, child="work()", works=f"{early}\n{plain}")


def network():
    keras.utils.set_random_seed(0)
    ends = layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")
    return keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), *ends])


def test_spawned_workers_give_the_same_maps():
    model = xaimri.open_model(network(), engine="tensorflow")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for method, options in OPTIONS.items():
            explain = partial(model.explain, method=method, **options)
            for image, found in zip(IMAGES, pool.map_async(explain, IMAGES).get(SECONDS), strict=True):
                assert found.caveats == explain(image).caveats
                np.testing.assert_array_equal(found.values, explain(image).values)


def test_joblib_gives_the_same_maps():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    model = network()
    (found,) = joblib.Parallel(2, timeout=SECONDS)([joblib.delayed(xaimri.explain)(model, IMAGES[0])])
    np.testing.assert_array_equal(found.values, xaimri.explain(model, IMAGES[0]).values)


def test_a_pickled_network_is_not_opened_where_it_would_wait(monkeypatch):
    pickled = pickle.dumps(xaimri.open_model(network()))
    monkeypatch.setattr(forked, "_threads_lost", True)
    with pytest.raises(xaimri.MissingCapability, match="spawn"):
        pickle.loads(pickled)
