"""Batches of a part for Keras' own ``fit``: the same that `xaimri.training.train` goes through."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf

from xaimri.arrays import Array, Images
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput, shown
from xaimri.grid import Fit
from xaimri.images.channels import Layout
from xaimri.images.window import WindowSource, as_window
from xaimri.rules import WholeNumber
from xaimri.training.augment import Augmentation
from xaimri.training.compiled import takes_one_hot
from xaimri.training.compiled_metrics import check_labels
from xaimri.training.part import Part
from xaimri.training.parts import check_parts, read_part
from xaimri.training.pipeline import augmentation_seed, bounds_of, order_of_epoch
from xaimri.training.recipe import Weighting, class_weights_of


@dataclass(frozen=True)
class Order:
    """How many images come at once, by which seed, and changed how; a seed of None keeps all as it is."""

    batch: int
    seed: int | None = None
    augment: Augmentation | None = None


class BatchedPart(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """What :func:`batches` returns. ``fit`` counts ``epoch`` up; set it where ``initial_epoch`` is given.

    Attributes
    ----------
    part
        Images as the network takes them, with their labels, and the spacing and orientation of these as
        ``part.acquisition``, which `xaimri.training.save` takes.
    notes
        Sentences on cases that could not be read.
    """

    def __init__(
        self,
        part: Part,
        model: keras.Model,
        order: Order,
        weights: tuple[float, ...] | None,
        notes: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.part, self.model, self.order, self.notes, self.epoch = part, model, order, notes, 0
        self._weights = None if weights is None else np.array(weights, np.float32)
        self._bounds = bounds_of(len(part), order.batch)
        self._asked: tuple[object, bool | None] = None, None

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> tuple[Images, Array] | tuple[Images, Array, Array]:
        """Return images, labels in the form that the compiled loss takes, and weights if there are some."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        seed, cases = self.order.seed, len(self.part)
        order = np.arange(cases) if seed is None else order_of_epoch(seed, self.epoch + 1, cases)
        rows = order[self._bounds[index] : self._bounds[index + 1]]
        images, labels = self.part.images[rows], self.part.labels[rows]
        if self.order.augment is not None and seed is not None:
            drawn = tf.constant([augmentation_seed(seed, self.epoch + 1), index], tf.int64)
            with tf.device("cpu:0"):
                images = self.order.augment(tf.constant(images), drawn).numpy()
        number = self.model.output_shape[-1]
        given = np.eye(number, dtype=np.float32)[labels] if self._one_hot else labels
        return (images, given) if self._weights is None else (images, given, self._weights[labels])

    @property
    def epoch(self) -> int:
        """The epoch that comes, or is gone through, from 0 as Keras counts."""
        return self._epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        self._epoch, self._begun = WholeNumber(0).convert(number, "epoch"), False

    def on_epoch_begin(self) -> None:
        """Begin an epoch."""
        self._begun = True

    def on_epoch_end(self) -> None:
        """Go on to the next epoch: another order, other changes. Keras also calls it before the first."""
        if self._begun or not hasattr(keras.utils.PyDataset, "on_epoch_begin"):
            self.epoch += 1

    @property
    def chances(self) -> tuple[str, ...]:
        """What is changed by chance."""
        augment = self.order.augment
        return () if augment is None else tuple(name for name, most in asdict(augment).items() if most)

    @property
    def _one_hot(self) -> bool:
        """Ask the network once for each time that it is compiled."""
        compiled = getattr(self.model, "_compile_config", None)
        asked, one_hot = self._asked
        if one_hot is None or asked is not compiled:
            one_hot = takes_one_hot(self.model)
            if self.model.compiled:
                check_labels(self.model, one_hot)
            self._asked = compiled, one_hot
        return one_hot


def batches(
    part: Dataset,
    model: keras.Model,
    *,
    training: bool = True,
    batch: int = 32,
    augment: bool | Augmentation = True,
    class_weights: Weighting = "balanced",
    seed: int = 0,
    fit: Fit = "stretch",
    window: WindowSource | None = None,
    layout: Layout | None = None,
) -> BatchedPart:
    """Read a part of a split, and return it as batches for the ``fit`` of Keras.

    An epoch goes through the images in an order of its own, each changed anew; both follow from the seed
    and the epoch's number, as in :func:`xaimri.training.train`. Cases that can't be read are left out, with
    a warning.

    Parameters
    ----------
    part
        The cases.
    model
        Says how large images are, how many channels they have, and, once it is compiled, whether its loss
        takes integer labels or one-hot ones.
    training
        False keeps order and images as they are and gives no weights: for ``validation_data`` and
        ``evaluate``.
    batch, augment, class_weights, seed, fit, window, layout
        As of :func:`xaimri.training.train`; the weights of classes are those of the images.

    Returns
    -------
    BatchedPart
        A ``keras.utils.PyDataset`` of (images, labels, weights); of (images, labels) without weights.

    Raises
    ------
    InvalidInput
        If the part and the network don't fit, or no case of the part or of a class can be read.

    Notes
    -----
    ``fit`` of Keras goes through the batches in an order that Python's own generator draws, unless it is
    given ``shuffle=False``: the images are shuffled here. Whether an image stands in two parts is not looked
    for; see :func:`xaimri.data.copies_between`.

    Examples
    --------
    >>> import keras
    >>> from xaimri.data import phantom, split
    >>> from xaimri.training import batches
    >>> data = phantom.make(subjects=12, slices=1, size=(32, 32))
    >>> parts = split(data, validation=0.25, test=0.25, seed=0)
    >>> layers = [keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(4, "softmax")]
    >>> model = keras.Sequential(layers)
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> given, held_out = batches(parts.train, model), batches(parts.validation, model, training=False)
    >>> history = model.fit(given, validation_data=held_out, epochs=2, shuffle=False, verbose=0).history
    >>> sorted(history)
    ['loss', 'val_loss']
    """
    if not isinstance(part, Dataset):
        raise InvalidInput(
            f"`part` must be one part of a split, as `parts.train`, got {shown(part)}: a loader is read by "
            "xaimri.data.read_loader first."
        )
    if not len(part):
        raise InvalidInput("the part is empty: split so that it holds at least one case.")
    check_parts(model, part, part)
    seen = None if window is None else as_window(window)
    read, _, notes = read_part(model, part, "cases", fit, seen, layout)
    if notes:
        warnings.warn(" ".join(notes), stacklevel=2)
    size = WholeNumber(1).convert(batch, "batch")
    if not training:
        return BatchedPart(read, model, Order(size), None, notes)
    weights = class_weights_of(read.labels, part.classes, class_weights)
    changed = Augmentation() if augment is True else (augment or None)
    changed = changed and changed.along(read.images.ndim - 2)
    order = Order(size, WholeNumber(0).convert(seed, "seed"), changed)
    return BatchedPart(read, model, order, None if class_weights is None else weights, notes)
