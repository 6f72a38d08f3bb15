"""One phase of a training: compiled steps over batches, statistics of batch norms, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import recall_score

from xaimri.arrays import Array, Images
from xaimri.errors import InvalidInput
from xaimri.training.augment import Augmentation
from xaimri.training.recipe import Recipe

SETTLED = 512
"""Training images, drawn once, from which the batch norms' statistics are estimated after an epoch."""


@dataclass(frozen=True)
class Part:
    """Images of one part of a split, as the network takes them, with their labels."""

    images: Images
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Score:
    """How a network did on a part: mean weighted cross-entropy, and shares in [0, 1]."""

    loss: float
    accuracy: float
    balanced_accuracy: float

    @classmethod
    def of(cls, losses: Array, predicted: Array, labels: Array) -> Score:
        """Gather the cases of an epoch; the balanced accuracy is over the classes present."""
        balanced = recall_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
        return cls(float(losses.mean()), float((predicted == labels).mean()), float(balanced))


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
    """

    def __init__(self, model: keras.Model, training: Part, recipe: Recipe) -> None:
        self.model, self.training, self.recipe = model, training, recipe
        self.optimizer = _optimizer(model)
        self.optimizer.build(model.trainable_variables)
        self._weights = tf.constant(recipe.class_weights, tf.float32)
        self._norms = [
            layer
            for layer in model._flatten_layers(include_self=False)
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        ]
        draw = np.random.default_rng([recipe.seed, 2])
        self._settling = np.sort(draw.permutation(len(training))[:SETTLED])
        self._step = tf.function(self._learn, reduce_retracing=True)
        self._infer = tf.function(self._judge, reduce_retracing=True)
        self._measure = tf.function(self._statistics, reduce_retracing=True)

    def epoch(self, number: int, rate: float, tick: Callable[[], object] | None = None) -> Score:
        """Go through the training part once, in an order of its own; ``tick`` is called per batch."""
        self.optimizer.learning_rate = rate
        order = np.random.default_rng([self.recipe.seed, 0, number]).permutation(len(self.training))
        losses, predicted = [], []
        for images, labels in self._batches(self.training, order, self.recipe.augment, number):
            loss, answer = self._step(images, labels)
            losses.append(loss.numpy())
            predicted.append(answer.numpy())
            if tick is not None:
                tick()
        self.settle()
        losses_, labels_ = np.concatenate(losses), self.training.labels[order]
        if not np.isfinite(losses_).all():
            raise InvalidInput(
                f"the loss was no longer finite in epoch {number}: lower `learning_rate`, now {rate:g}."
            )
        return Score.of(losses_, np.concatenate(predicted), labels_)

    def evaluate(self, part: Part) -> Score:
        """Score a part, in its order, without dropout or augmentation."""
        results = [self._infer(x, y) for x, y in self._batches(part, np.arange(len(part)))]
        losses, predicted = (np.concatenate([r[i].numpy() for r in results]) for i in (0, 1))
        return Score.of(losses, predicted, part.labels)

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

    def _learn(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of the optimizer; losses and predictions of the batch, before it."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            losses, predicted = self._losses(images, labels, training=True)
            total = tf.reduce_mean(losses)
            if self.model.losses:
                total += tf.add_n([tf.cast(loss, total.dtype) for loss in self.model.losses])
            scaled = self.optimizer.scale_loss(total)
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        return losses, predicted

    def _judge(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._losses(images, labels, training=False)

    def _losses(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        # Keras finds the logits behind the softmax, so that certainty does not stop the gradient
        outputs = self.model(images, training=training)
        losses = keras.ops.sparse_categorical_crossentropy(labels, outputs)
        weighted = tf.cast(losses, tf.float32) * tf.gather(self._weights, labels)
        return weighted, tf.argmax(outputs, axis=-1)

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
        self, part: Part, order: Array, augment: Augmentation | None = None, number: int = 0
    ) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Batches of nearly equal size, prepared while the network works on those before."""
        count = -(-len(order) // self.recipe.batch)
        bounds = np.linspace(0, len(order), count + 1).astype(np.int64)
        seed = np.random.SeedSequence([self.recipe.seed, 1, number]).generate_state(1).view(np.int32)[0]
        with tf.device("cpu:0"):
            images, labels = tf.constant(part.images), tf.constant(part.labels)
            rows, edges = tf.constant(order), tf.constant(bounds)

        def gathered(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            chosen = rows[edges[index] : edges[index + 1]]
            batch = tf.gather(images, chosen)
            if augment is not None:
                batch = augment(batch, tf.stack([tf.cast(seed, tf.int64), index]))
            return batch, tf.gather(labels, chosen)

        pipeline = tf.data.Dataset.range(count).map(gathered, num_parallel_calls=2, deterministic=True)
        yield from pipeline.prefetch(2)


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


def _optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    adam = keras.optimizers.Adam()
    if model.dtype_policy.name == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(adam)
    return adam
