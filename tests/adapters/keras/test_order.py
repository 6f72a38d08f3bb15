"""Networks that take an image with its axes elsewhere: it reaches them as in training, its map lies on it."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.objective import Objective

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier

pytestmark = pytest.mark.tensorflow

H, W, D = 14, 22, 6
GAIN = 40
BLOB = (slice(3, 6), slice(15, 18))
FIRST = {"data_format": "channels_first"}


def spot(*front):
    """Zeros with a bright blob, ``(*front, H, W)``; in the second slice of a volume."""
    made = np.zeros((*front, H, W), np.float32)
    made[(1, *BLOB) if front else BLOB] = 1
    return made


def scored(image, *body, rank=2, **how):
    """A network that tells how bright the image is: p of its second class is known in closed form."""
    convolution = getattr(layers, f"Conv{rank}D")(
        2, 3, padding="same", use_bias=False, kernel_initializer="zeros", activation="relu", **how
    )
    head = layers.Dense(2, "softmax", kernel_initializer="zeros")
    x = image
    for layer in body:
        x = layer(x)
    pooled = getattr(layers, f"GlobalAveragePooling{rank}D")(**how)(convolution(x))
    model = keras.Model(image, head(pooled))
    kernel = np.zeros(convolution.kernel.shape, np.float32)
    kernel[..., 0] = 1 / kernel[..., 0].size
    convolution.set_weights([kernel])
    gain = GAIN * (D if rank == 3 else 1)
    head.set_weights([np.float32([[-gain, gain], [0, 0]]), np.float32([1, -1])])
    return model


def plane(channels, *body, **how):
    return scored(keras.Input((channels, H, W)), *body, **how)


def opened(shape, *body, rank=2, **how):
    return scored(keras.Input(shape), *body, rank=rank, **how)


def own():
    """Subclassed, and moves the axes by operations of TensorFlow in a function of its own."""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = opened((H, W, 3))

        @tf.function
        def call(self, x):
            return self.inner(tf.transpose(x / 1.0, (0, 2, 3, 1)))

    return Own()


def called_once(model):
    model(np.zeros((1, 3, H, W), np.float32))
    return model


def within(model):
    image = keras.Input((3, H, W))
    return keras.Model(image, model(image))


grey, volume = spot(), spot(D)
colour, coloured = np.stack([grey] * 3), np.stack([volume] * 3)
"""Channels first."""

PLANES = {
    "permuted": (lambda: plane(3, layers.Permute((2, 3, 1))), colour),
    "one channel": (lambda: plane(1, layers.Permute((2, 3, 1))), grey[None]),
    "one channel, reshaped": (lambda: plane(1, layers.Reshape((H, W, 1))), grey[None]),
    "scaled before": (
        lambda: plane(3, layers.Rescaling(2.0), layers.Permute((2, 3, 1)), layers.Rescaling(0.5)),
        colour,
    ),
    "normalised before": (
        lambda: plane(3, layers.BatchNormalization(axis=1, epsilon=1e-9), layers.Permute((2, 3, 1))),
        colour,
    ),
    "padded before": (
        lambda: plane(3, layers.ZeroPadding2D(0, **FIRST), layers.Permute((2, 3, 1))),
        colour,
    ),
    "moved by a function": (lambda: plane(3, layers.Lambda(lambda x: keras.ops.moveaxis(x, 1, -1))), colour),
    "in two steps": (lambda: plane(3, layers.Permute((3, 2, 1)), layers.Permute((2, 1, 3))), colour),
    "channels first": (lambda: plane(3, **FIRST), colour),
    "channels first, pooled": (lambda: plane(3, layers.AveragePooling2D(1, **FIRST), **FIRST), colour),
    "subclassed": (lambda: within(own()), colour),
    "subclassed, of no stated shape": (lambda: called_once(own()), colour),
    "channels in the middle": (lambda: opened((H, 3, W), layers.Permute((1, 3, 2))), colour),
    "columns before rows": (lambda: opened((3, W, H), layers.Permute((3, 2, 1))), colour.transpose(0, 2, 1)),
    "columns before rows, channels last": (lambda: opened((W, H, 5), layers.Permute((2, 1, 3))), grey.T),
    "no channels": (lambda: opened((H, W), layers.Reshape((H, W, 1))), grey),
    "no channels, repeated": (
        lambda: opened((H, W), layers.Lambda(lambda x: keras.ops.stack([x] * 3, -1))),
        grey,
    ),
    "no channels, indexed": (lambda: opened((H, W), layers.Lambda(lambda x: x[..., None])), grey),
    "any size": (lambda: opened((3, None, None), layers.Permute((2, 3, 1))), colour),
}
VOLUMES = {
    "permuted": (lambda: opened((3, D, H, W), layers.Permute((2, 3, 4, 1)), rank=3), coloured),
    "channels first": (lambda: opened((3, D, H, W), rank=3, **FIRST), coloured),
    "no channels": (lambda: opened((D, H, W), layers.Reshape((D, H, W, 1)), rank=3), volume),
    "no channels, expanded": (
        lambda: opened((D, H, W), layers.Lambda(lambda x: keras.ops.expand_dims(x, -1)), rank=3),
        volume,
    ),
}


def answer(image):
    """What a network says of an image, in closed form; its blob lies off the border."""
    return 1 / (1 + np.exp(-2 * (GAIN * image.sum() / (H * W) - 1)))


def centre(values):
    return [(values * axis).sum() / values.sum() for axis in np.indices(values.shape)]


@pytest.mark.parametrize(("make", "image"), PLANES.values(), ids=PLANES)
def test_a_plane_reaches_the_network_as_it_was_trained_and_the_map_lies_on_it(make, image):
    model = make()
    given = image if image.ndim == 2 else np.moveaxis(image, 0, -1)
    found = xaimri.explain(model, given, "hirescam", target=1)
    assert found.probabilities[1] == pytest.approx(answer(grey), abs=1e-5)
    assert not found.diagnostics["grid"]["assumed"]
    turned = given.shape[0] == W
    assert found.values.shape == ((W, H) if turned else (H, W))
    values = found.values.T if turned else found.values
    assert centre(values) == pytest.approx((4, 16), abs=1e-3)


@pytest.mark.parametrize(("make", "image"), VOLUMES.values(), ids=VOLUMES)
def test_a_volume_reaches_the_network_as_it_was_trained_and_the_map_lies_on_it(make, image):
    model = make()
    given = image if image.ndim == 3 else np.moveaxis(image, 0, -1)
    found = xaimri.explain(model, given, "hirescam", target=1)
    assert found.probabilities[1] == pytest.approx(answer(grey), abs=1e-5)
    assert not found.diagnostics["grid"]["assumed"]
    assert centre(found.values) == pytest.approx((1, 4, 16), abs=1e-3)


@pytest.mark.parametrize("how", [{}, {"layout": "channels_first"}], ids=["recognised", "said"])
def test_an_array_in_the_network_s_own_order_is_taken_as_it_is(how):
    model = PLANES["permuted"][0]()
    opened_model = xaimri.open_model(model, **how)
    right = np.asarray(model(colour[None]))
    np.testing.assert_allclose(opened_model.predict(colour), right, atol=1e-5)
    np.testing.assert_allclose(opened_model.predict(colour[None]), right, atol=1e-5)
    for method, settings in (("saliency", {}), ("occlusion", {"absent": 0.0})):
        found = opened_model.explain(colour, method, target=1, **settings)
        assert found.values.shape == (H, W)
        assert found.image.shape == (H, W, 3)
    assert np.unravel_index(found.values.argmax(), (H, W)) in set(zip(*np.nonzero(grey), strict=True))


def test_the_gradient_lies_on_the_user_s_grid():
    """Of the logit by a pixel of the mean: the gain over the number of values, less at the border."""
    classifier = KerasClassifier(PLANES["permuted"][0]())
    assert classifier.input_shape == (H, W, 3)
    found = classifier.gradient(np.ones((2, H, W, 3), np.float32), Objective((1, 1)))
    inner = found.values[:, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, GAIN / (H * W * 3), rtol=1e-4)


def test_an_array_that_can_be_read_both_ways_is_asked_about():
    model = opened((3, H, 3), layers.Permute((2, 3, 1)))
    image = np.random.default_rng(0).random((3, H, 3)).astype(np.float32)
    with pytest.raises(
        UnusableImage, match=r'first or last.*layout="channels_first" or layout="channels_last"'
    ):
        xaimri.explain(model, image)
    said = xaimri.explain(model, image, layout="channels_first")
    np.testing.assert_allclose(said.probabilities, np.asarray(model(image[None]))[0], atol=1e-5)


def test_where_nothing_tells_the_sentence_s_ways_out_work():
    model = keras.Sequential([keras.Input((3, H, W)), layers.Flatten(), layers.Dense(2, "softmax")])
    with pytest.raises(InvalidInput, match="nothing in it tells") as caught:
        xaimri.open_model(model)
    code = [
        part.split(", model])")[0] + ", model])" for part in str(caught.value).split("keras.Sequential")[1:]
    ]
    channels, slices = (eval(f"keras.Sequential{part}", {"keras": keras, "model": model}) for part in code)
    right = np.asarray(model(colour[None]))
    np.testing.assert_allclose(
        xaimri.open_model(channels).predict(np.moveaxis(colour, 0, -1)), right, atol=1e-6
    )
    np.testing.assert_allclose(xaimri.open_model(slices).predict(colour), right, atol=1e-6)


@pytest.mark.parametrize("make", [PLANES["permuted"][0], VOLUMES["no channels"][0]])
def test_training_says_what_to_put_before_the_network(make):
    from xaimri.training import train

    model = make()
    data = Dataset(("a", "b"), tuple(Case(str(i), i, None, grey) for i in range(2)))
    with pytest.raises(InvalidInput, match="trained on as") as caught:
        train(model, (data, data), epochs=1)
    code = str(caught.value).split(": train ")[1].rstrip(".")
    wrapped = eval(code, {"keras": keras, "model": model})
    assert (
        KerasClassifier(wrapped).input_shape == wrapped.input_shape[1:] == KerasClassifier(model).input_shape
    )


def test_a_reshape_that_mixes_the_axes_tells_nothing():
    """(3, 12, 12) read as (12, 12, 3) is no image whose channels come first."""
    model = keras.Sequential(
        [keras.Input((3, 12, 12)), layers.Reshape((12, 12, 3)), layers.Conv2D(2, 3), layers.Flatten()]
    )
    with pytest.raises(InvalidInput, match="nothing in it tells"):
        xaimri.open_model(model)


def test_a_grey_image_flattened_at_once_is_one_without_channels():
    model = keras.Sequential([keras.Input((H, W)), layers.Flatten(), layers.Dense(3, "softmax")])
    found = xaimri.explain(model, grey, "saliency")
    np.testing.assert_allclose(found.probabilities, np.asarray(model(grey[None]))[0], atol=1e-6)
    assert found.values.shape == (H, W)


def test_a_row_of_measurements_is_no_image():
    model = keras.Sequential(
        [keras.Input((30, 5)), layers.Conv1D(4, 3), layers.GlobalMaxPooling1D(), layers.Dense(2, "softmax")]
    )
    with pytest.raises(InvalidInput, match="is no image"):
        xaimri.open_model(model)


@pytest.mark.parametrize(
    ("shape", "scaled"),
    [((H, W, 3), False), ((4, 6, 1), True), ((9, 8, 5), False), ((3, 9, 5), False)],
    ids=str,
)
def test_an_ordinary_network_is_not_traced_to_be_opened(shape, scaled, monkeypatch):
    model = opened(shape, *([layers.Rescaling(1.0)] if scaled else []))
    monkeypatch.setattr(type(model), "__call__", lambda *_, **__: pytest.fail("called"))
    assert KerasClassifier(model).input_shape == shape


def test_a_saved_network_of_tensorflow_is_read_in_the_same_way(tmp_path):
    model = PLANES["permuted"][0]()
    model.export(tmp_path / "saved", verbose=False)
    found = xaimri.open_model(tmp_path / "saved")
    assert found.classifier.input_shape == (H, W, 3)
    np.testing.assert_allclose(found.predict(colour), np.asarray(model(colour[None])), atol=1e-5)
