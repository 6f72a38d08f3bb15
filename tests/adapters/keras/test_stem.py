"""What the first batch norm gets from an image, held against what it got in training."""

import threading

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.caveats import Reason

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras import stem

pytestmark = pytest.mark.tensorflow

SHAPE = (20, 22, 1)
RANDOM = np.random.default_rng(0)
SCANS = RANDOM.random((30, *SHAPE)).astype(np.float32) ** 2 * 255
SCANS[:, :3] = SCANS[:, -4:] = 0  # background
UNIT = SCANS / 127.5 - 1


def trained(images, *first, momentum=0.0, after=()):
    """A network whose first batch norm has the statistics of these images."""
    keras.utils.set_random_seed(0)
    norm = layers.BatchNormalization(momentum=momentum, name="norm")
    conv = layers.Conv2D(6, 3, use_bias=False)
    rest = [layers.ReLU(), layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")]
    model = keras.Sequential([keras.Input(SHAPE), *first, conv, norm, *after, *rest])
    model(images, training=True)
    return model


def ranges(model, image, method="gradcam", **options):
    found = xaimri.explain(model, image, method, target=1, **options)
    return [caveat.text for caveat in found.caveats if caveat.reason is Reason.INPUT_RANGE]


def test_a_range_that_the_network_was_not_trained_on_is_told_with_its_size():
    model = trained(UNIT)
    for image in UNIT[:3]:
        assert ranges(model, image) == []
    conv, norm = model.layers[:2]
    got = np.asarray(conv(SCANS[:1])).reshape(-1, 6).astype(np.float64)
    size = np.sqrt(
        ((got - np.asarray(norm.moving_mean)) ** 2).mean(axis=0) / (np.asarray(norm.moving_variance) + 1e-3)
    )
    (told,) = ranges(model, SCANS[0])
    assert "The image's values lie in 0..25" in told
    assert f"`norm`, gets {np.median(size):.3g} times as large" in told
    assert np.median(size) > 100


@pytest.mark.parametrize("method", ["saliency", "occlusion", xaimri.LIME(samples=20, regions=4)])
def test_every_method_says_so(method):
    model = trained(UNIT)
    assert len(ranges(model, SCANS[0], method)) == 1
    assert ranges(model, UNIT[0], method) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x: x, False),
        (lambda x: x / 255, True),
        (lambda x: x / 127.5 - 1, True),
        (lambda x: x * 257, True),
        (lambda x: x * 16, True),
        (lambda x: x * 0.2, False),
        (lambda x: x * 4, False),
        (lambda x: 255 - x, False),
        (lambda x: x[::-1], False),
        (lambda x: 255 * RANDOM.random(x.shape), False),
        (lambda x: 200.0 * (np.arange(x.size).reshape(x.shape) == 200), False),
        (lambda x: x * 0 + 7, False),  # said by constant_image
    ],
)
def test_a_network_that_was_trained_on_bytes(change, told):
    image = change(SCANS[0]).astype(np.float32)
    assert bool(ranges(trained(SCANS), image)) == told


def test_each_image_of_a_list_is_asked_about():
    model, mixed = trained(SCANS), [SCANS[0], SCANS[1] / 255, SCANS[2], SCANS[3] * 257]
    found = xaimri.explain_all(model, mixed, target=1)
    said = [any(c.reason is Reason.INPUT_RANGE for c in each.caveats) for each in found]
    assert said == [False, True, False, True]


def test_what_is_prepared_is_asked_about_as_the_network_gets_it():
    model = trained(UNIT)
    for preprocess in (lambda x: x / 127.5 - 1, lambda x: np.asarray(x) / 127.5 - 1):
        assert ranges(model, SCANS[0], preprocess=preprocess) == []
        assert len(ranges(model, UNIT[0] * 3e4, preprocess=preprocess)) == 1
    inside = trained(SCANS, layers.Rescaling(1 / 127.5, offset=-1))
    assert ranges(inside, SCANS[0]) == []
    assert len(ranges(inside, SCANS[0] / 255)) == 1  # told once, by the scaling itself


def test_statistics_that_were_never_trained_tell_nothing():
    keras.utils.set_random_seed(0)
    last = layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")
    fresh = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(4, 3), layers.BatchNormalization(), *last])
    for image in (SCANS[0], UNIT[0], SCANS[0] * 257):
        assert ranges(fresh, image) == []


@pytest.mark.parametrize("steps", [2, 20])
def test_averages_that_lag_are_no_other_range(steps):
    model = trained(SCANS, momentum=0.99)
    for _ in range(steps):
        model(SCANS, training=True)
    assert ranges(model, SCANS[0]) == []


def test_the_first_is_found_wherever_it_stands():
    """On the pixels themselves, in a nested network, on one of two ways, with channels in front."""
    norm = layers.BatchNormalization(momentum=0.0, name="own")
    pixels = trained(SCANS, norm)
    nested = keras.Sequential([keras.Input(SHAPE), trained(SCANS)])
    image = keras.Input(SHAPE)
    ways = [layers.BatchNormalization(momentum=0.0)(layers.Conv2D(3, 3)(image)) for _ in range(2)]
    both = keras.Model(image, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(layers.Add()(ways))))
    both(SCANS, training=True)
    turned = keras.Sequential(
        [keras.Input(SHAPE), layers.Permute((3, 1, 2)), layers.BatchNormalization(axis=1, momentum=0.0)]
    )
    turned.add(layers.Permute((2, 3, 1)))
    for layer in (layers.Conv2D(3, 3), layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")):
        turned.add(layer)
    turned(SCANS, training=True)
    for model in (pixels, nested, both, turned):
        assert ranges(model, SCANS[0]) == []
        assert len(ranges(model, SCANS[0] * 257)) == 1


def test_a_network_is_run_up_to_there_once_for_every_range_and_left_as_it_is(monkeypatch):
    model = xaimri.open_model(trained(SCANS))
    runs, run = [], stem._run
    monkeypatch.setattr(stem, "_run", lambda *given: runs.append(given[-1]) or run(*given))
    for image in (SCANS[0], SCANS[0], SCANS[0][::-1], SCANS[0]):
        model.explain(image, target=1)
    assert runs == [1]
    model.explain_all([SCANS[0], SCANS[0] / 255, SCANS[0] / 254], target=1)
    assert runs == [1, 1]
    assert all("call" not in vars(layer) for layer in model.classifier.model.layers)


def test_threads_that_run_the_network_meanwhile_run_on():
    model, failed = trained(SCANS), []

    def predict():
        try:
            for _ in range(20):
                model(SCANS[:2], training=False)
        except BaseException as failure:
            failed.append(failure)

    thread = threading.Thread(target=predict)
    thread.start()
    for scale in range(1, 40):
        stem.stem_doubts(model, SCANS[:1] * scale, lambda images: images)
    thread.join()
    assert failed == []


def test_statistics_that_change_are_read_anew():
    model = trained(UNIT)
    assert len(ranges(model, SCANS[0])) == 1
    model(SCANS, training=True)
    assert ranges(model, SCANS[0]) == []
    assert len(ranges(model, UNIT[0])) == 1


def test_a_compiled_call_is_opened_and_works_as_before():
    inner = trained(SCANS)

    class Compiled(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = inner

        @tf.function
        def call(self, x):
            return self.inner(x, training=False)

    for given in (SCANS[0], SCANS[0] / 255):
        model = Compiled()
        assert bool(ranges(model, given)) == (given.max() < 2)
        np.testing.assert_allclose(model(SCANS[:3]), inner(SCANS[:3]), atol=1e-6)


def test_of_a_batch_norm_that_never_runs_nothing_is_told():
    beside = layers.BatchNormalization()
    model = keras.Sequential(
        [keras.Input(SHAPE), layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")]
    )
    model.spare = beside
    beside.build((None, *SHAPE))
    beside.moving_mean.assign([5.0])
    assert ranges(model, SCANS[0] * 257, "saliency") == []


@pytest.mark.real
@pytest.mark.slow
def test_networks_that_were_trained_on_real_slices_take_them(real):
    from PIL import Image

    network = keras.models.load_model(real / "models" / "xception_dementia.keras", compile=False)
    files = sorted((real / "data" / "alzheimer").rglob("*.jpg"))[::200]
    slices = np.stack([np.asarray(Image.open(file).convert("L"), np.float32) for file in files])[..., None]
    assert len(slices) > 30
    assert not any(stem.stem_doubts(network, slices, lambda images: images))
    assert all(stem.stem_doubts(network, slices / 255, lambda images: images))
