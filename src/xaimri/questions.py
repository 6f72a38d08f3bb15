"""What is asked: each image with the class that is to be explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

from xaimri.errors import InvalidInput
from xaimri.images.intake import Intake
from xaimri.sources import Named, Source, Sources, is_folder, is_single, name_images
from xaimri.targets import Target, each_target, is_listed, resolve_targets

Inputs: TypeAlias = Sequence[Mapping[str, Any]] | None
"""The network's other inputs, where each image has its own."""


@dataclass(frozen=True, eq=False)
class Question:
    """One image and the class to explain; ``inputs`` are the image's own values of the network's others."""

    image: Named
    target: Target = None
    inputs: object = None


def ask(
    images: Sources,
    intake: Intake,
    classes: Sequence[str],
    target: Target | Sequence[Target] = None,
    inputs: Inputs = None,
) -> Iterable[Question]:
    """Return each image with its class: one for all, one each, or several of one image.

    Raises
    ------
    InvalidInput
        If a class is unknown, or there are not as many targets or inputs as images: before an image is read,
        where the number of images is known.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.ones((4, 5))
    >>> [question.target for question in ask(image, Intake(), ("no", "yes"), ["yes", "no"])]
    ['yes', 'no']
    """
    listed = is_listed(target)
    each: Sequence[Target] = list(target) if listed else [target]  # type: ignore[arg-type,list-item]
    if not each:
        raise InvalidInput("the list of targets is empty: give at least one class, or None.")
    if classes:
        for one in each:
            resolve_targets(one, tuple(classes), 1)
    named = name_images(images, intake)
    if listed and is_single(images, intake):
        named = [Named(str(number), images, again=number > 0) for number in range(len(each))]
    if not isinstance(named, Sequence):
        return _pair(named, each if listed else repeat(target), inputs)  # type: ignore[arg-type]
    each = each_target(target, len(named))
    if inputs is not None and len(inputs) != len(named):
        raise InvalidInput(f"{len(inputs)} `inputs` were given for {len(named)} images: give one each.")
    own: Iterable[object] = repeat(None) if inputs is None else inputs
    return [Question(*one) for one in zip(named, each, own, strict=False)]


def each_inputs(inputs: object) -> Inputs:
    """Return the other inputs of every image, where they are given one by one: as a list of mappings."""
    if isinstance(inputs, list | tuple) and all(isinstance(one, Mapping) for one in inputs):
        return list(inputs)
    return None


def require_one(image: Source, target: object, intake: Intake, classes: Sequence[str]) -> None:
    """See that this is one image, and one class of those there are.

    Raises
    ------
    InvalidInput
        If there could be several; the sentence names ``explain_all``.
    """
    if not is_single(image, intake):
        what = "a folder" if is_folder(image) else f"a {type(image).__name__}"
        raise InvalidInput(
            f"one image is explained here, and {what} can hold several: use `explain_all`, which gives an "
            "explanation of each."
        )
    if is_listed(target):
        raise InvalidInput(
            "one class is explained here, and `target` is a list: use `explain_all`, which gives an "
            "explanation for each."
        )
    if classes:
        resolve_targets(target, tuple(classes), 1)  # type: ignore[arg-type]


def _pair(named: Iterable[Named], targets: Iterable[Target], inputs: Inputs) -> Iterator[Question]:
    """Yield the questions of a stream, and see that targets and inputs last as long as it does."""
    each, own = iter(targets), iter(repeat(None) if inputs is None else inputs)
    count = 0
    for count, image in enumerate(named, start=1):
        try:
            yield Question(image, next(each), next(own))
        except StopIteration:
            raise InvalidInput(
                f"there are more images than targets or inputs: the {count}. has none."
            ) from None
    if not count:
        raise InvalidInput("the list of images is empty: give at least one image.")
    left = next(each, _NONE) if isinstance(targets, Sequence) else _NONE
    if left is not _NONE or (inputs is not None and next(own, _NONE) is not _NONE):
        raise InvalidInput(f"there are more targets or inputs than the {count} images: give one each.")


_NONE = object()
