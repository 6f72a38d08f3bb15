"""Data sets from the loaders of Keras and ``tf.data``, whose labels count in an order of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.data.epoch import Loaded, Loader, chances, class_names, epoch, is_shuffled
from xaimri.data.folder import SUBJECT, identifier
from xaimri.errors import InvalidInput
from xaimri.kinds import Anything


@check_arguments(loader=Anything(), subject=SUBJECT)
def read_loader(
    loader: Loader,
    *,
    classes: Sequence[str] | None = None,
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None = None,
    axes: int = 3,
) -> Dataset:
    """Read one epoch of a data loader of Keras or ``tf.data``: images as it gives them, with their labels.

    Images and labels come out of the same pass, so they belong together also where the loader shuffles.
    Everything is held in memory: of 1,000 images of 224 x 224 in colour, 0.6 GB.

    Parameters
    ----------
    loader
        What ``image_dataset_from_directory`` or ``ImageDataGenerator.flow_from_directory`` returns, any
        ``tf.data.Dataset`` of (image, label), batched or not, or any ``keras.utils.PyDataset``. Labels are
        class indices, one number for each class of which one is 1, or 0 and 1.
    classes
        Names in the order in which the labels count, where the loader has none of its own; by default
        ``class_0``, ...
    subject
        Who was scanned, by the name of the file, as of :func:`read_folder`. A shuffled ``tf.data.Dataset``
        doesn't tell which file is which.
    axes
        Of one image with its channels: 3, or 4 for volumes.

    Returns
    -------
    Dataset
        In the loader's order. Ids are the files' names where they are known, else positions. ``notes`` says
        what an ``ImageDataGenerator`` changes by chance.

    Raises
    ------
    InvalidInput
        If the loader has no end, no image or no labels, labels are shares of several classes, or names don't
        fit.

    Examples
    --------
    >>> class Batches:  # as a keras.utils.PyDataset
    ...     class_names = ["healthy", "tumour"]
    ...
    ...     def __len__(self):
    ...         return 2
    ...
    ...     def __getitem__(self, number):
    ...         return np.full((3, 8, 8, 1), number), np.array([number, 0, 1])
    ...
    ...     def on_epoch_end(self):
    ...         pass
    >>> dataset = read_loader(Batches())
    >>> dataset.classes, dataset.labels
    (('healthy', 'tumour'), array([0, 0, 1, 1, 0, 1]))
    """
    names = _names(loader, classes)
    loaded = [Loaded(np.array(one.image), one.label, one.name) for one in epoch(loader, axes)]
    labels, count = indices_of(loaded)
    known = names or tuple(f"class_{i}" for i in range(max(count, 2)))
    if not (labels.min() >= 0 and count <= len(known)):
        raise InvalidInput(
            f"the loader's labels go from {labels.min()} to {count - 1}, and there are {len(known)} names of "
            "classes: pass `classes=` in the order in which the labels count."
        )
    if subject is not None and any(one.name is None for one in loaded):
        raise InvalidInput(
            "the loader does not tell the files of its images, so `subject` has no name to look at: make it "
            "with shuffle=False, or read the folder by `read_folder`."
        )
    identify = identifier(subject)
    cases: list[Case] = []
    met: Counter[str] = Counter()
    for number, (one, label) in enumerate(zip(loaded, labels.tolist(), strict=True)):
        name = one.name or str(number)
        met[name] += 1
        person, position = identify(Path(name))
        own = name if met[name] == 1 else f"{name} ({met[name]})"
        cases.append(Case(own, label, person, one.image, slice=position))
    return Dataset(known, tuple(cases), notes=chances(loader))


def labels_of(loader: Loader) -> tuple[Int[Array, " cases"], tuple[str, ...] | None]:
    """Return the labels of a loader in its own order, and the names of its classes if it has some.

    Raises
    ------
    InvalidInput
        If it may give another order each time, so that no one knows which image a label is of.
    """
    refuse_shuffled(loader, "labels")
    loaded = [Loaded(np.empty(0), one.label, one.name) for one in epoch(loader)]
    return indices_of(loaded)[0], class_names(loader)


def refuse_shuffled(loader: Loader, what: str) -> None:
    """See that a loader gives its images in the same order each time.

    Raises
    ------
    InvalidInput
        If it may not; ``what`` is what would not belong to its images.
    """
    if is_shuffled(loader):
        raise InvalidInput(
            f"the loader shuffles, so {what} would not belong to its images: make it with shuffle=False, or "
            "read images and labels at once by xaimri.data.read_loader."
        )


def indices_of(loaded: Sequence[Loaded]) -> tuple[Int[Array, " cases"], int]:
    """Return labels in any form as class indices, and how many classes there are at least.

    Examples
    --------
    >>> image = np.zeros((2, 2))
    >>> indices_of([Loaded(image, np.array([0.0, 1.0, 0.0]), None), Loaded(image, np.array([1, 0, 0]), None)])
    (array([1, 0]), 3)
    """
    if not loaded:
        raise InvalidInput("the loader gives no image: give one that has some.")
    if any(one.label is None for one in loaded):
        raise InvalidInput(
            'the loader gives no labels: make it with them, as by label_mode="int" or class_mode="sparse".'
        )
    try:
        given = np.array([np.asarray(one.label) for one in loaded])
    except ValueError:
        given = np.empty((0,), object)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.dtype.kind not in "biuf" or given.ndim > 2 or not (given == np.round(given)).all():
        raise InvalidInput(
            "the loader's labels must be class indices or one number for each class, of which one is 1; "
            "these are shares, text or images: leave label smoothing and mixing out."
        )
    if given.ndim == 1:
        labels = given.astype(np.int64)
        return labels, int(labels.max()) + 1
    if not (((given == 0) | (given == 1)).all() and (given.sum(axis=1) == 1).all()):
        raise InvalidInput(
            "some image of the loader is of no class, or of several: give one class each, as an index."
        )
    return given.argmax(axis=1), given.shape[1]


def _names(loader: Loader, classes: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the names of the classes: the loader's own, of which the caller's may be no others."""
    own, given = class_names(loader), None if classes is None else tuple(classes)
    if own is not None and given is not None and own != given:
        raise InvalidInput(
            f"the loader counts its labels in the order {', '.join(map(repr, own))}: leave `classes` out."
        )
    return own if given is None else given
