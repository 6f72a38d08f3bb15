"""The images that a caller names: one or many, in whatever they come, each with a name of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from numbers import Number
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xaimri.data.case import Case
from xaimri.data.epoch import chances, epoch, is_loader
from xaimri.data.listing import images_below, list_images
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.failure import Failure
from xaimri.images.files import is_scan
from xaimri.images.intake import Intake
from xaimri.images.picture import Picture
from xaimri.images.scan import TakenScan
from xaimri.images.series import is_series
from xaimri.images.taken import Taken
from xaimri.regular_file import quoted

Source: TypeAlias = object
"""Whatever holds one image: a path, the bytes of a file, an open file, a PIL image, an array, an image of
nibabel, a data set of pydicom, a DICOM series (a folder or a list of data sets), a
:class:`~xaimri.data.Case`."""

Sources: TypeAlias = object
"""Whatever holds several images: a folder, a list, a mapping by name, a :class:`~xaimri.data.Dataset`, a
generator, an array with a batch axis, a loader of Keras or ``tf.data``; or one image."""


@dataclass(frozen=True, eq=False)
class Named:
    """An image, not read yet, and what it is called: its path below its folder, else its position."""

    name: str
    source: Source
    again: bool = False
    """Whether it is the image before once more, for another class."""


def name_images(images: Sources, intake: Intake) -> Iterable[Named]:
    """Return every image with a name that no other has; where their number is known, as a sequence.

    A folder's images are called by their paths relative to it, cases by their ids, entries of a mapping by
    their keys, a loader's by their files where it tells them, all else by position.

    Raises
    ------
    InvalidInput
        If there is no image.

    Examples
    --------
    >>> [image.name for image in name_images([np.ones((4, 5)), np.ones((6, 7))], Intake())]
    ['0', '1']
    """
    if is_folder(images) and not is_single(images, intake):
        folder = Path(os.fsdecode(images))  # type: ignore[arg-type]
        files = images_below(folder, series=intake.joins)
        if not files:
            raise InvalidInput(f"the folder `{folder}` holds no image: {remedy(folder)}.")
        above = len(folder.parts)
        return [Named(printable("/".join(file.parts[above:])), file) for file in files]
    if is_loader(images):
        loaded = enumerate(epoch(images, len(intake.shape) or 3))
        return _unique((number if one.name is None else one.name, one.image) for number, one in loaded)
    if is_single(images, intake):
        check_one(images, intake)
        own = images.id if isinstance(images, Case) else "0"
        return [Named(printable(_folder_name(images)) if is_folder(images) else own, images)]
    pairs = images.items() if isinstance(images, Mapping) else enumerate(images)  # type: ignore[arg-type]
    unique = _unique(pairs)
    if not isinstance(images, Sized):
        return unique
    listed = list(unique)
    if not listed:
        raise InvalidInput("the list of images is empty: give at least one image.")
    return listed


def oddities(images: Sources, intake: Intake) -> tuple[str, ...]:
    """Say which files of a folder are passed over, and what a loader changes by chance."""
    if is_folder(images):
        if is_single(images, intake):
            return ()
        folder = Path(os.fsdecode(images))  # type: ignore[arg-type]
        return list_images(folder, named=False, series=intake.joins).told()
    return chances(images) if is_loader(images) else ()


def remedy(*folders: Path) -> str:
    """Say what to do where no image was found in folders."""
    if any(map(is_series, folders)):
        return (
            'its DICOM slices are not called `.dcm`: pass slices="all" for one map of their volume, or name '
            "the files one by one"
        )
    return "name image files, or a folder that holds some, e.g. PNG, JPEG or NIfTI"


def is_folder(images: object) -> bool:
    """Tell whether this is the path of a folder."""
    return isinstance(images, str | os.PathLike) and os.path.isdir(images)  # noqa: PTH112 - any name will do


def is_single(images: object, intake: Intake) -> bool:
    """Tell whether this is one image rather than several.

    DICOM slices, in a folder or a list, are one to a model that takes volumes, and to one that doesn't say.
    """
    if isinstance(images, str | os.PathLike | list | tuple) and is_series(images):
        return intake.joins
    if isinstance(images, str | os.PathLike):
        return not is_folder(images)
    if is_scan(images):
        return True
    if is_loader(images):
        return False
    if isinstance(images, bytes | bytearray | memoryview | Case | Taken | TakenScan):
        return True
    if isinstance(images, Picture) or hasattr(images, "getbands") or hasattr(images, "read"):
        return True
    if hasattr(images, "__array__"):
        array = np.asanyarray(images)
        return array.dtype.kind not in "OUS" and not _is_batch(array.shape, intake)
    if isinstance(images, Sequence):
        return _is_numbers(images)
    return not isinstance(images, Iterable)


def take(source: Source, intake: Intake) -> Taken | TakenScan:
    """Bring one image to a model's grid, or cut a volume into slices; what was taken before is itself.

    Raises
    ------
    UnusableImage
        If it can't be read, or not be brought there.
    """
    if isinstance(source, Taken | TakenScan):
        return source
    own = source.source if isinstance(source, Case) else source
    return intake.take(own) if intake.slices is None else TakenScan.of(own, intake.slices, intake)


def attempt(image: Named, intake: Intake) -> Taken | TakenScan | Failure:
    """Bring one image to a model's grid as `take` does, or say why it can't be brought there."""
    try:
        return take(image.source, intake)
    except UnusableImage as fault:
        return Failure(image.name, "read", str(fault))


def check_one(image: object, intake: Intake) -> None:
    """Refuse what can be no image, and an array that could be one volume or several images.

    Raises
    ------
    InvalidInput
        With what to give instead.
    """
    if is_scan(image):
        return
    shape = np.shape(np.asanyarray(image)) if hasattr(image, "__array__") else None
    if isinstance(image, str | os.PathLike) and not os.path.exists(image):  # noqa: PTH110 - any name will do
        raise InvalidInput(
            f"there is no file or folder {quoted(os.fspath(image))}: check the path "
            f"(from {quoted(Path.cwd())})."
        )
    if image is None or isinstance(image, Number) or shape == ():
        raise InvalidInput(
            f"a {type(image).__name__} is no image: give a path, an array, a list of them, or a folder."
        )
    if not intake.shape and shape and not intake.volumes and _several(shape, intake):
        raise InvalidInput(
            f"an array of shape {shape} could be several images or one volume, and the model does not say "
            "which it takes: give `list(array)` to `explain_all` for several, or "
            "`xaimri.images.Picture(array)` for one volume."
        )


def _several(shape: tuple[int, ...], intake: Intake) -> bool:
    """Tell whether an array can hold several images, where the model does not say what it takes."""
    channels = shape[0 if intake.layout == "channels_first" else -1]
    return len(shape) > 3 or (len(shape) == 3 and channels not in (1, 3, 4))


def _is_batch(shape: tuple[int, ...], intake: Intake) -> bool:
    """Tell whether an array holds several images of those that a model takes."""
    if intake.slices is not None:
        channels = {1, 3, 4, *intake.shape[-1:]} & {*intake.ends(shape)}
        return len(shape) == 5 or (len(shape) == 4 and not channels)
    return bool(intake.shape) and len(shape) == len(intake.shape) + 1


def _folder_name(folder: object) -> str:
    """Return the name of a folder, however its path is written."""
    return Path(os.path.abspath(os.fsdecode(folder))).name  # type: ignore[arg-type]  # noqa: PTH100


def _unique(pairs: Iterable[tuple[object, Source]]) -> Iterator[Named]:
    names: set[str] = set()
    for key, source in pairs:
        wanted = printable(source.id if isinstance(source, Case) else str(key))
        name, number = wanted, 1
        while name in names:
            number += 1
            name = f"{wanted} ({number})"
        names.add(name)
        yield Named(name, source)


def printable(name: str) -> str:
    """Return a file's name as text that can be written; bytes that are no UTF-8 stand as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_numbers(nested: Sequence[object]) -> bool:
    """Tell whether a nested list holds numbers: an array by another name."""
    first: object = nested
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, Number | np.number | np.bool_)
