"""One phase of a training: compiled steps over batches, statistics of batch norms, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.training.augment import Augmentation
from xaimri.training.compiled import Loss, optimizer_of
from xaimri.training.part import Part, Score, Tally
from xaimri.training.pipeline import augmentation_seed, order_of_epoch, pipeline
from xaimri.training.recipe import Recipe

SETTLED = 512
"""Training images, drawn once, from which the batch norms' statistics are estimated after an epoch."""

Answer: TypeAlias = tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]
"""Losses and predictions of the images of a batch, and what the compiled metrics say by now."""


class Loop:
    """Trains what is unfrozen of a model, an epoch at a time.

    Nothing random is left to global generators: the order of the cases, the augmentation and the
    settling images follow from the recipe's seed and the epoch's number.

    Parameters
    ----------
    model
        Its trainable flags are read now, and must not change while this loop is used.
    training
        The part to learn from.
    recipe
        The settings.
    callbacks
        Told of every batch.
    """

    def __init__(
        self,
        model: keras.Model,
        training: Part,
        recipe: Recipe,
        callbacks: keras.callbacks.CallbackList | None = None,
    ) -> None:
        self.model, self.training, self.recipe = model, training, recipe
        self.callbacks = keras.callbacks.CallbackList() if callbacks is None else callbacks
        self.optimizer = optimizer_of(model)
        self.loss = Loss(model, training.images) if model.compiled and model.loss is not None else None
        self.optimizer.build(model.trainable_variables)
        self._weights = tf.constant(recipe.class_weights, tf.float32)
        self._norms = [
            layer
            for layer in model._flatten_layers(include_self=False)
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        ]
        draw = np.random.default_rng([recipe.seed, 2])
        self._settling = np.sort(draw.permutation(len(training))[:SETTLED])
        self._step, self._infer = self._learn, self._judge
        if not (model.compiled and model.run_eagerly):
            self._step = tf.function(self._learn, reduce_retracing=True)
            self._infer = tf.function(self._judge, reduce_retracing=True)
        self._measure = tf.function(self._statistics, reduce_retracing=True)

    def epoch(self, number: int, tick: Callable[[], object] | None = None) -> Score:
        """Go through the training part once, in an order of its own; ``tick`` is called per batch."""
        seed, hooks, tally = self.recipe.seed, self.callbacks, self._tally()
        order = order_of_epoch(seed, number, len(self.training))
        augment = self.recipe.augment
        batches = self._batches(self.training, order, augment, augmentation_seed(seed, number))
        for index, (images, labels) in enumerate(batches):
            hooks.on_train_batch_begin(index)
            tally.add(labels, self._step(images, labels))
            hooks.on_train_batch_end(index, tally.logs())
            if tick is not None:
                tick()
            if getattr(self.model, "stop_training", False):
                break
        self.settle()
        score = tally.score()
        if not np.isfinite(score.loss):
            rate = float(self.optimizer.learning_rate)
            raise InvalidInput(
                f"the loss was no longer finite in epoch {number}: lower `learning_rate`, now {rate:g}."
            )
        return score

    def evaluate(self, part: Part) -> Score:
        """Score a part, in its order, without dropout or augmentation."""
        hooks, tally = self.callbacks, self._tally()
        hooks.on_test_begin()
        for index, (images, labels) in enumerate(self._batches(part, np.arange(len(part)))):
            hooks.on_test_batch_begin(index)
            tally.add(labels, self._infer(images, labels))
            hooks.on_test_batch_end(index, tally.logs())
        score = tally.score()
        hooks.on_test_end(score.logs())
        return score

    def settle(self) -> None:
        """Estimate the moving statistics of unfrozen batch norms anew, over training images.

        In a short training the moving averages lag behind the weights: with Keras' momentum of 0.99,
        a tenth of the initial value is left after 230 steps. What inference needs is the mean over
        batches and the whole variance (that within batches plus that of their means) under the
        present weights (Wu & Johnson 2021, arXiv:2105.07576, section 3).
        """
        if not self._norms:
            return
        batches = list(self._batches(self.training, self._settling))
        measured = [[v.numpy() for v in self._measured(images)] for images, _ in batches]
        share = np.array([len(labels) for _, labels in batches], np.float64)
        share /= share.sum()
        for i, norm in enumerate(self._norms):
            means = np.stack([m[2 * i] for m in measured]).astype(np.float64)
            variances = np.stack([m[2 * i + 1] for m in measured]).astype(np.float64)
            mean = share @ means
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(share @ (variances + (means - mean) ** 2))

    def _tally(self) -> Tally:
        """Begin to count; compiled metrics begin as well."""
        if self.loss is not None:
            self.model.reset_metrics()
        return Tally()

    def _learn(self, images: tf.Tensor, labels: tf.Tensor) -> Answer:
        """One step of the optimizer; losses, predictions and metrics of the batch, before it."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            total, answer = self._answer(images, labels, training=True)
            scaled = self.optimizer.scale_loss(total)
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        return answer

    def _judge(self, images: tf.Tensor, labels: tf.Tensor) -> Answer:
        return self._answer(images, labels, training=False)[1]

    def _answer(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, Answer]:
        """Return what is made small, and what is told of each image."""
        outputs = self.model(images, training=training)
        weights, predicted = tf.gather(self._weights, labels), tf.argmax(outputs, axis=-1)
        if self.loss is not None:
            total = self.loss(labels, outputs, weights)
            each = tf.fill(tf.shape(labels), tf.cast(total, tf.float32))  # it says no more of a batch
            return total, (each, predicted, self.loss.measure(labels, outputs, weights))
        # Keras finds the logits behind the softmax, so that certainty does not stop the gradient
        losses = keras.ops.sparse_categorical_crossentropy(labels, outputs)
        losses = tf.cast(losses, tf.float32) * weights
        total = tf.reduce_mean(losses)
        if self.model.losses:
            total += tf.add_n([tf.cast(loss, total.dtype) for loss in self.model.losses])
        return total, (losses, predicted, {})

    def _measured(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Means and variances of the batch in every unfrozen batch norm."""
        momenta = [norm.momentum for norm in self._norms]
        try:  # only the trace reads the momentum: at 0 the moving statistics are the batch's own
            for norm in self._norms:
                norm.momentum = 0.0
            measured: list[tf.Tensor] = self._measure(images)
        finally:
            for norm, momentum in zip(self._norms, momenta, strict=True):
                norm.momentum = momentum
        return measured

    def _statistics(self, images: tf.Tensor) -> list[tf.Tensor]:
        self.model(images, training=True)
        return [tf.identity(v.value) for n in self._norms for v in (n.moving_mean, n.moving_variance)]

    def _batches(
        self, part: Part, order: Array, augment: Augmentation | None = None, seed: int = 0
    ) -> Iterable[tuple[tf.Tensor, tf.Tensor]]:
        batches: Iterable[tuple[tf.Tensor, tf.Tensor]] = pipeline(
            part, order, self.recipe.batch, augment, seed
        )
        return batches


def dropout_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the model's own random generators, such as those of dropout."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]


def arrays_of(variables: Sequence[keras.Variable]) -> list[Array]:
    """Copy the values of variables."""
    return [np.array(v.value) for v in variables]


def assign(variables: Sequence[keras.Variable], values: Sequence[Array]) -> None:
    """Write values back into variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
