"""A network that was compiled is trained by its own optimizer and loss, as Keras does it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from frameworks import on_first_use
from trainable import DATA, QUIET, SHAPE, TRAIN, VALIDATION, network, same, untimed, weights
from xaimri.errors import InvalidInput

with on_first_use():
    import keras
    import tensorflow as tf

    from xaimri.training import train

pytestmark = pytest.mark.tensorflow

ALL = {"progress": False, "batch": 64, "augment": False}
"""Every image in one batch, so that a step's value does not hang on the order."""


def linear(optimizer=None, loss=None, classes=3, activation="softmax", kind=None, **compiled):
    inputs = keras.Input((*SHAPE, 1))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    outputs = keras.layers.Dense(
        classes, activation, name="out", kernel_regularizer=keras.regularizers.L2(1e-3)
    )(x)
    model = (kind or keras.Model)(inputs, outputs)
    model.layers[-1].kernel.assign(np.random.default_rng(0).normal(0, 0.1, (120, classes)))
    if optimizer is not None:
        model.compile(optimizer, loss, **compiled)
    return model


def arrays(dataset):
    return np.stack([case.source for case in dataset])[..., None].astype(np.float32), dataset.labels


def squared(true, predicted):
    return keras.ops.mean((true - predicted) ** 2, axis=-1)


def likelihood(true, predicted):
    """Of integer labels: their number of axes is one."""
    assert len(true.shape) == 1
    return -keras.ops.log(keras.ops.take_along_axis(predicted, true[:, None], 1))[:, 0]


def twice(true, predicted):
    return 2 * keras.ops.sparse_categorical_crossentropy(true, predicted)


def settings():
    """Optimizer, loss, and whether that takes one-hot labels."""
    optimizers, losses = keras.optimizers, keras.losses
    decay = optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.3)
    return [
        (lambda: optimizers.SGD(0.3, momentum=0.9), "sparse_categorical_crossentropy", False),
        (lambda: optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=0.01), "categorical_crossentropy", True),
        (lambda: optimizers.SGD(decay), losses.CategoricalCrossentropy(label_smoothing=0.3), True),
        (lambda: optimizers.RMSprop(0.01), [losses.CategoricalFocalCrossentropy()], True),
        (lambda: optimizers.Adam(0.01), squared, True),
        (lambda: optimizers.Adam(0.01), likelihood, False),
        (lambda: optimizers.Adam(0.01), {"out": twice}, False),
        (lambda: optimizers.SGD(0.01), losses.SparseCategoricalCrossentropy(reduction="sum"), False),
    ]


def test_steps_are_those_of_keras_itself():
    """Three steps on one batch, with weights of the classes, weight decay and regularisation."""
    (images, labels), weight = arrays(TRAIN), {"dark": 1.0, "grey": 2.0, "bright": 0.5}
    each = np.array([1.0, 2.0, 0.5], np.float32)[labels]
    for make, loss, one_hot in settings():
        theirs, ours = linear(make(), loss), linear(make(), loss, run_eagerly=loss is squared)
        given = np.eye(3, dtype=np.float32)[labels] if one_hot else labels
        before = [float(theirs.train_on_batch(images, given, sample_weight=each)) for _ in range(3)]
        optimizer = ours.optimizer
        result = train(ours, (TRAIN, TRAIN.take([])), epochs=3, class_weights=weight, **ALL)
        for one, other in zip(weights(theirs), weights(ours), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)
        assert result.history["loss"][0] == pytest.approx(before[0], rel=1e-4)
        assert ours.optimizer is optimizer
        assert int(optimizer.iterations) == 0
        assert json.loads(json.dumps(result.record()))["recipe"]["compiled"]["optimizer"]


def test_compiled_metrics_are_logged_and_can_be_monitored():
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model = linear("adam", "categorical_crossentropy", metrics=metrics)
    seen = []
    watching = [
        keras.callbacks.EarlyStopping("val_auc", patience=3),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_auc"])),
    ]
    result = train(model, DATA, epochs=2, callbacks=watching, **QUIET)
    assert list(result.history["val_auc"]) == seen
    images, labels = arrays(VALIDATION)
    told = model.evaluate(images, np.eye(3)[labels], verbose=0, return_dict=True)
    assert result.history["val_auc"][result.best_epoch - 1] == pytest.approx(told["auc"], abs=1e-6)
    assert result.history["val_accuracy"][result.best_epoch - 1] == pytest.approx(told["accuracy"])


def test_the_rate_is_that_of_the_call_else_of_the_compiled_optimizer():
    for given, epochs, rates in (
        (None, (1, 1), (0.25, 0.25)),
        (0.5, (1, 1), (0.5, 0.5)),
        ((0.5, 0.125), (1, 1), (0.5, 0.125)),
    ):
        model, seen = network(), []
        model.compile(keras.optimizers.SGD(0.25), "sparse_categorical_crossentropy")
        watching = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_, model=model, seen=seen: seen.append(float(model.optimizer.learning_rate))
        )
        result = train(model, DATA, epochs=epochs, learning_rate=given, callbacks=[watching], **ALL)
        assert tuple(seen) == rates == result.recipe.learning_rate
        assert float(model.optimizer.learning_rate) == 0.25


def test_a_compiled_network_resumes_bit_for_bit(tmp_path):
    def compiled(seed=0, decay=0.1):
        schedule = keras.optimizers.schedules.CosineDecay(0.05, 9)
        model = linear(keras.optimizers.AdamW(schedule, weight_decay=decay), "categorical_crossentropy")
        model.layers[-1].kernel.assign(model.layers[-1].kernel + seed)
        return model

    whole = compiled()
    expected = train(whole, DATA, epochs=4, **QUIET)

    def stop(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    stopping = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    with pytest.raises(KeyboardInterrupt):
        train(compiled(), DATA, epochs=4, folder=tmp_path, callbacks=[stopping], **QUIET)
    model = compiled(seed=1)
    result = train(model, DATA, epochs=4, folder=tmp_path, **QUIET)
    assert result.resumed == 1
    assert untimed(result) == untimed(expected)
    assert same(weights(model), weights(whole))
    with pytest.raises(InvalidInput, match="another configuration: `recipe`"):
        train(compiled(decay=0.2), DATA, epochs=4, folder=tmp_path, **QUIET)


def test_what_can_not_be_honoured_is_said():
    class Own(keras.Model):
        def train_step(self, data):
            return {}

    class Losing(keras.Model):
        def compute_loss(self, *given, **named):
            return 0.0

    def ignorant(true, predicted):
        return keras.ops.mean(predicted, axis=-1)

    losses, optimizers = keras.losses, keras.optimizers
    decay = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    own = "the compiled optimizer has a schedule of its own: leave `learning_rate` and `schedule` out"
    for model, settings, sentence in (
        (linear(kind=Own), {}, "has a train_step of its own"),
        (linear(kind=Losing), {}, "has a compute_loss of its own"),
        (linear("adam", ["mse", "mae"]), {}, "is compiled with 2 losses"),
        (linear("adam", losses.CategoricalCrossentropy(from_logits=True)), {}, "from_logits=False"),
        (linear(optimizers.Adam(use_ema=True), "mse"), {}, "averages weights"),
        (linear(optimizers.Adam(decay), "mse"), {"learning_rate": 0.1}, own),
        (linear(optimizers.Adam(decay), "mse"), {"schedule": "cosine"}, own),
        (linear("adam", ignorant), {}, "`ignorant` takes both integer labels and one-hot ones"),
        (linear("adam", lambda true, predicted: tf.zeros((7, 7))), {}, "takes neither integer labels nor"),
    ):
        before = weights(model)
        with pytest.raises(InvalidInput, match=sentence):
            train(model, DATA, epochs=1, **QUIET, **settings)
        assert same(before, weights(model))
