"""What a network was compiled with: the optimizer, the loss and the metrics that its training uses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import keras
import tensorflow as tf

from xaimri.arrays import Images
from xaimri.errors import InvalidInput
from xaimri.training.compiled_metrics import check_labels, check_names

RATES = (1e-3, 1e-4)
"""Of head and unfrozen network, where the network is not compiled."""


def check_compiled(model: keras.Model) -> None:
    """Refuse a network whose own way of training `train` would pass over.

    Raises
    ------
    InvalidInput
        If it trains by a step of its own, has no loss or several, takes logits, averages its weights, or a
        metric takes labels of another form than the loss.
    """
    base = keras.Model
    own = [
        name
        for name in ("train_step", "compute_loss")
        if getattr(type(model), name) is not getattr(base, name)
    ]
    if "train_step" in own or (own and model.loss is None):
        raise InvalidInput(
            f"`{model.name}` has a {own[0]} of its own, which `train` does not run: call its own `fit` on "
            "`xaimri.training.batches`."
        )
    if not model.compiled:
        return
    if model.optimizer is None:
        raise InvalidInput(f"`{model.name}` is compiled without an optimizer: compile it with one.")
    loss = _loss(model)
    if loss is None:
        raise InvalidInput(
            f"`{model.name}` is compiled without a loss: compile it with one, such as "
            "`sparse_categorical_crossentropy`."
        )
    if isinstance(loss, keras.losses.Loss) and loss.get_config().get("from_logits"):
        raise InvalidInput(
            f"`{model.name}` ends in probabilities and is compiled with a loss of logits: compile it with "
            "from_logits=False."
        )
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if optimizer.use_ema and not optimizer.ema_overwrite_frequency:
        raise InvalidInput(
            "the compiled optimizer averages weights for the end of a training, and `train` keeps those of "
            "the best epoch: compile with use_ema=False, or give ema_overwrite_frequency=."
        )
    check_names(model)
    check_labels(model, takes_one_hot(model))


def rates_of(
    model: keras.Model, learning_rate: float | tuple[float, float] | None, schedule: str
) -> tuple[float, float] | None:
    """Return the learning rates of both phases: those of the call, else of the compiled optimizer.

    None leaves them to the compiled optimizer, which has a schedule of its own.

    Raises
    ------
    InvalidInput
        If both the call and the compiled optimizer have a schedule.
    """
    own = _own_rate(model.optimizer) if model.compiled else RATES[0]
    if own is None and (learning_rate is not None or schedule != "constant"):
        raise InvalidInput(
            "the compiled optimizer has a schedule of its own: leave `learning_rate` and `schedule` out, or "
            "compile with a number as learning_rate."
        )
    if learning_rate is None:
        return RATES if not model.compiled else None if own is None else (own, own)
    return learning_rate if isinstance(learning_rate, tuple) else (learning_rate, learning_rate)


def optimizer_of(model: keras.Model) -> keras.optimizers.Optimizer:
    """Return a new optimizer: with the settings of the compiled one, or Adam."""
    if model.compiled:
        return type(model.optimizer).from_config(model.optimizer.get_config())
    adam = keras.optimizers.Adam()
    if model.dtype_policy.name == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(adam)
    return adam


@contextmanager
def lent_optimizer(model: keras.Model) -> Iterator[None]:
    """Give the model an optimizer that callbacks find; afterwards it has its own again, or none."""
    had, before = hasattr(model, "optimizer"), getattr(model, "optimizer", None)
    model.optimizer = optimizer_of(model)
    try:
        yield
    finally:
        if had:
            model.optimizer = before
        else:
            del model.optimizer


def record_of(model: keras.Model) -> dict[str, Any] | None:
    """Return optimizer and loss as JSON types; None where the network is not compiled."""
    if not model.compiled:
        return None
    loss, serialize = _loss(model), keras.saving.serialize_keras_object
    named = f"{loss.__module__}.{loss.__qualname__}" if isinstance(loss, FunctionType) else serialize(loss)
    kept = {"optimizer": serialize(model.optimizer), "loss": named}
    record: dict[str, Any] = _unnamed(json.loads(json.dumps(kept, default=str)))
    return record


class Loss:
    """The compiled loss and metrics of a network, over labels in the form that the loss takes.

    Parameters
    ----------
    model
        Compiled, with a loss.
    images
        A few, by which the metrics are built.

    Raises
    ------
    InvalidInput
        If the loss takes neither integer labels nor one-hot ones, or no less both.
    """

    def __init__(self, model: keras.Model, images: Images) -> None:
        self.model, self.number = model, model.output_shape[-1]
        self.one_hot = takes_one_hot(model)
        outputs = model(images[:2], training=False)
        given = tf.zeros(len(outputs), tf.int64), outputs, tf.ones(len(outputs))
        self(*given)
        self.measure(*given)
        model.reset_metrics()

    def __call__(self, labels: tf.Tensor, outputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Loss of a batch, with what layers add to it."""
        return self.model.compute_loss(y=self._form(labels), y_pred=outputs, sample_weight=weights)

    def measure(self, labels: tf.Tensor, outputs: tf.Tensor, weights: tf.Tensor) -> dict[str, tf.Tensor]:
        """Update the compiled metrics, and return them."""
        found = self.model.compute_metrics(None, self._form(labels), outputs, weights)
        return {name: value for name, value in found.items() if name != "loss"}

    def _form(self, labels: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(labels, self.number) if self.one_hot else labels


def takes_one_hot(model: keras.Model) -> bool:
    """Whether the compiled loss takes one-hot labels: Keras' own say it by their name, others are tried."""
    if model.loss is None:
        return False
    loss, number = _loss(model), model.output_shape[-1]
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    known = keras.losses.get(loss) if isinstance(loss, str) else loss
    if "sparse" in name.lower():
        return False
    home = type(known) if isinstance(known, keras.losses.Loss) else known
    if str(getattr(home, "__module__", "")).startswith("keras."):
        return True
    outputs = tf.fill((number + 1, number), 1 / number)  # of other lengths, so that nothing fits by chance
    labels = tf.range(number + 1) % number
    forms = {False: labels, True: tf.one_hot(labels, number)}
    fits = [one_hot for one_hot, form in forms.items() if _takes(known, form, outputs)]
    if len(fits) != 1:
        taken = "both integer labels and one-hot ones" if fits else "neither integer labels nor one-hot ones"
        raise InvalidInput(
            f"the compiled loss `{name}` takes {taken}: compile with a loss of one value for each image, "
            "`sparse` in its name if it takes integers."
        )
    return fits[0]


def _takes(loss: Any, labels: tf.Tensor, outputs: tf.Tensor) -> bool:
    """Whether a loss gives one value, or one for each image."""
    try:
        found = (loss.call if isinstance(loss, keras.losses.Loss) else loss)(labels, outputs)
        return tuple(found.shape) in ((), (len(labels),))
    except Exception:  # a loss of somebody else raises what it likes
        return False


def _loss(model: keras.Model) -> Any:
    """Return the one loss of a network with one output."""
    loss = model.loss
    while isinstance(loss, list | tuple | Mapping) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, Mapping) else loss))
    if isinstance(loss, list | tuple | Mapping):
        raise InvalidInput(
            f"`{model.name}` has one output, and is compiled with {len(loss)} losses: give one."
        )
    return loss


def _own_rate(optimizer: keras.optimizers.Optimizer) -> float | None:
    """Return an optimizer's learning rate; None where that is a schedule."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = inner.get_config().get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else None


def _unnamed(config: Any) -> Any:
    """Leave names out, which Keras numbers within a process."""
    if isinstance(config, Mapping):
        return {key: _unnamed(value) for key, value in config.items() if key != "name"}
    return [_unnamed(each) for each in config] if isinstance(config, list) else config
