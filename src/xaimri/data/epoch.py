"""One epoch of a loader of Keras or ``tf.data``: each image with its label, and its name where it is known.

No framework is loaded here: loaders are known by what they offer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeGuard, cast, runtime_checkable

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, first_line, shown


@runtime_checkable
class Stream(Protocol):
    """What is used of a ``tf.data.Dataset``."""

    @property
    def element_spec(self) -> Any:
        """What it gives, by shapes."""
        ...

    def cardinality(self) -> Any:
        """Return how many elements it has; -1 where it has no end."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


@runtime_checkable
class Numbered(Protocol):
    """What is used of a ``keras.utils.PyDataset``: batches by their numbers, and an end of the epoch."""

    def __getitem__(self, number: int, /) -> Any: ...

    def on_epoch_end(self) -> Any:
        """Do what belongs between two epochs; it is not called here."""
        ...


Loader: TypeAlias = Stream | Numbered
"""A ``tf.data.Dataset``, or a ``keras.utils.PyDataset`` (``Sequence``), as the iterators of
``ImageDataGenerator`` are: of images, or of (image, label)."""

RANDOM = {
    "rotation_range": 0, "width_shift_range": 0, "height_shift_range": 0, "shear_range": 0,
    "channel_shift_range": 0, "horizontal_flip": False, "vertical_flip": False, "brightness_range": None,
}  # fmt: skip
"""What an ``ImageDataGenerator`` changes by chance, and the values by which it doesn't; zoom is a pair."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """One image of a loader, as it is given to the network.

    Attributes
    ----------
    image
        ``(*space)`` or ``(*space, channels)``.
    label
        As the loader gives it: a number, or one for each class; None where there is none.
    name
        Its file, as the loader calls it; None where that is not known.
    """

    image: Array
    label: object
    name: str | None


def is_loader(data: object) -> TypeGuard[Loader]:
    """Tell whether this is a data loader of Keras or ``tf.data``."""
    return isinstance(data, Stream | Numbered)


def epoch(loader: Loader, axes: int = 3) -> Iterator[Loaded]:
    """Yield the images of one epoch in the loader's own order, each with its own label.

    Parameters
    ----------
    loader
        As of `Loader`. A ``tf.data.Dataset`` may be batched or not.
    axes
        Of one image with its channels: 3 or 4.

    Raises
    ------
    InvalidInput
        If the loader has no end, gives something else than images and labels, or fails.
    """
    batches = _stream(loader, axes) if isinstance(loader, Stream) else _sequence(loader)
    for images, labels, names in batches:
        if labels is not None and len(labels) != len(images):
            raise InvalidInput(
                f"the loader gives {len(labels)} labels beside {len(images)} images: give one that yields "
                "(images, labels)."
            )
        for number, image in enumerate(images):
            yield Loaded(image, None if labels is None else labels[number], names[number] if names else None)


def class_names(loader: Loader) -> tuple[str, ...] | None:
    """Return the names of a loader's classes in the order of its labels; None where it has none.

    These are ``class_names`` of ``image_dataset_from_directory``, and ``class_indices`` of an
    ``ImageDataGenerator``'s iterators. A ``tf.data.Dataset`` loses them by ``map`` or ``prefetch``.
    """
    names = getattr(loader, "class_names", None)
    indices = getattr(loader, "class_indices", None)
    if names is None and isinstance(indices, dict) and indices:
        names = sorted(indices, key=lambda name: indices[name])
    return tuple(map(str, names)) if isinstance(names, list | tuple) and names else None


def is_shuffled(loader: Loader) -> bool:
    """Tell whether a loader may give its images in another order the next time."""
    return _has_shuffle(loader) if isinstance(loader, Stream) else bool(getattr(loader, "shuffle", False))


def chances(loader: Loader) -> tuple[str, ...]:
    """Say what an ``ImageDataGenerator``, or batches of our own, change by chance.

    What a ``tf.data.Dataset`` or another ``PyDataset`` does inside is not seen.
    """
    made_by = getattr(loader, "image_data_generator", None)
    some = [name for name, none in RANDOM.items() if _differs(getattr(made_by, name, none), none)]
    zoom = getattr(made_by, "zoom_range", (1, 1))
    if any(_differs(end, 1) for end in np.ravel(zoom)):
        some.append("zoom_range")
    some += getattr(loader, "chances", ())
    if not some:
        return ()
    return (f"The loader changes its images by chance ({', '.join(some)}): each is one draw, not the file.",)


_Batch: TypeAlias = tuple[Sequence[Array] | Array, Array | None, Sequence[str] | None]


def _stream(loader: Stream, axes: int) -> Iterator[_Batch]:
    """Yield the elements of a ``tf.data.Dataset`` as batches."""
    if int(loader.cardinality()) == -1:
        raise InvalidInput(
            "the tf.data.Dataset has no end, as after `.repeat()`: give it as it was before that, or take "
            "one epoch, as by `.take(batches)`."
        )
    names, taken = _file_names(loader), 0
    spec = loader.element_spec
    first = spec[0] if isinstance(spec, list | tuple) and spec else spec
    unknown = _leading(first) is None
    for element in _guarded(iter(loader)):
        images, labels = _parts(element)
        if not _is_batch(images, labels, axes, unknown):
            images, labels = images[None], None if labels is None else labels[None]
        yield images, labels, names[taken : taken + len(images)] or None
        taken += len(images)


def _sequence(loader: Any) -> Iterator[_Batch]:
    """Yield the batches of a ``PyDataset`` by their numbers: iterators of Keras have no end of their own."""
    try:
        count = len(loader)
    except (TypeError, ValueError, NotImplementedError):
        count = None
    if count is None:
        raise InvalidInput(
            f"the {type(loader).__name__} does not say how many batches an epoch has: define `__len__`."
        )
    files, size = getattr(loader, "filenames", None), getattr(loader, "batch_size", None)
    for number, element in enumerate(_guarded(_numbered(loader, count))):
        images, labels = _parts(element)
        order = getattr(loader, "index_array", None)
        names = None
        if files is not None and order is not None and size:
            names = [str(files[i]) for i in order[number * size : (number + 1) * size]]
        yield images, labels, names if names and len(names) == len(images) else None


def _numbered(loader: Any, count: int) -> Iterator[object]:
    """Yield the batches; NumPy's own generator, which iterators of Keras seed anew, is left as it was."""
    for number in range(count):
        state = np.random.get_state() if getattr(loader, "seed", None) is not None else None  # noqa: NPY002
        try:
            element = loader[number]
        finally:
            if state is not None:
                np.random.set_state(state)  # noqa: NPY002
        yield element


def _guarded(elements: Iterator[object]) -> Iterator[object]:
    """Yield what a loader gives, and say in one sentence where it fails."""
    count = 0
    while True:
        try:
            element = next(elements)
        except StopIteration:
            return
        except InvalidInput:
            raise
        except Exception as error:  # whatever a loader raises, as of a file that it can't read
            raise InvalidInput(
                f"the loader fails after {count} batches ({first_line(error, 120)}): mend that, or give the "
                "folder itself, where a file that can't be read doesn't stop the rest."
            ) from error
        yield element
        count += 1


def _parts(element: object) -> tuple[Array, Array | None]:
    """Take images and labels out of what a loader gives at once: images, (images, labels[, weights])."""
    images, *rest = element if isinstance(element, list | tuple) and element else (element,)
    if isinstance(images, dict | list | tuple):
        raise InvalidInput(
            "the loader gives several inputs at once: give one of (images, labels), as by `.map`, and the "
            "network's other inputs as `inputs=`."
        )
    pixels = _array(images)
    if pixels.ndim < 2 or pixels.dtype.kind not in "fiub":
        raise InvalidInput(f"the loader gives no images, but {shown(images)}: give one of (images, labels).")
    labels = rest[0] if rest else None
    several = labels is None or isinstance(labels, dict | list | tuple)
    return pixels, None if several else _array(labels)


def _array(values: object) -> Array:
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"the loader gives no array, but {shown(values)}.") from None
    return array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16


def _is_batch(images: Array, labels: Array | None, axes: int, unknown: bool) -> bool:
    """Tell whether an element is a batch: by its labels, its axes, and whether its first length is open."""
    if (labels is not None and labels.ndim == 0) or images.ndim < axes:
        return False
    if images.ndim > axes:
        return True
    if images.shape[-1] in (1, 3, 4) or labels is None:
        return images.shape[-1] not in (1, 3, 4) and unknown
    return len(labels) == len(images) and (unknown or labels.ndim > 1 or not _is_one_hot(labels))


def _is_one_hot(labels: Array) -> bool:
    return bool(np.count_nonzero(labels) == 1 and np.max(labels) == 1)


def _leading(spec: object) -> int | None:
    """Return the length of the first axis, as a ``tf.TensorSpec`` tells it; None where it is open."""
    shape = getattr(spec, "shape", None)
    known = shape is not None and getattr(shape, "rank", None)
    return cast("Any", shape)[0] if known else None


def _file_names(loader: object) -> list[str]:
    """Return the files of ``image_dataset_from_directory``, below their folder; none where it shuffles.

    Its ``file_paths`` are not in the order of the images then.
    """
    paths = getattr(loader, "file_paths", None)
    if not isinstance(paths, list | tuple) or not paths or _has_shuffle(loader):
        return []
    files = [os.fsdecode(path) for path in paths]
    root = os.path.commonpath([os.path.dirname(os.path.dirname(file)) for file in files])  # noqa: PTH120
    return [os.path.relpath(file, root or ".") for file in files]


def _has_shuffle(loader: object) -> bool:
    """Tell whether a ``tf.data.Dataset`` is shuffled, as far as it tells what it is made of."""
    if "shuffle" in type(loader).__name__.lower():
        return True
    inputs = getattr(loader, "_inputs", None)
    made_of: Iterable[object] = inputs() if callable(inputs) else ()
    return any(map(_has_shuffle, made_of))


def _differs(value: object, none: object) -> bool:
    return value is not None and not np.array_equal(np.asarray(value), np.asarray(none))
