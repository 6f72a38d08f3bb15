"""What is asked: each image with the class that is to be explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

from xaimri.data.epoch import is_loader
from xaimri.data.loader import refuse_shuffled
from xaimri.errors import InvalidInput
from xaimri.images.intake import Intake
from xaimri.images.series import is_series
from xaimri.sources import Named, Source, Sources, check_one, is_folder, is_single, name_images
from xaimri.targets import Target, each_target, is_listed, resolve_against, resolve_targets

Inputs: TypeAlias = Sequence[Mapping[str, Any]] | None
"""The network's other inputs, where each image has its own."""


@dataclass(frozen=True, eq=False)
class Question:
    """One image and the class to explain, against another where there is one.

    ``inputs`` are the image's own values of the network's others.
    """

    image: Named
    target: Target = None
    inputs: object = None
    against: Target = None


def ask(
    images: Sources,
    intake: Intake,
    classes: Sequence[str],
    target: Target | Sequence[Target] = None,
    inputs: Inputs = None,
    against: Target | Sequence[Target] = None,
) -> Iterable[Question]:
    """Return each image with its class: one for all, one each, or several of one image.

    So it is with the class that they are held against; where one of the two is a list, the other stands
    beside each of it.

    Raises
    ------
    InvalidInput
        If a class is unknown or held against itself, or there are not as many targets or inputs as images:
        before an image is read, where the number of images is known.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.ones((4, 5))
    >>> [question.target for question in ask(image, Intake(), ("no", "yes"), ["yes", "no"])]
    ['yes', 'no']
    """
    listed = is_listed(target) or is_listed(against)
    if is_loader(images) and (listed or inputs is not None):
        refuse_shuffled(images, "targets or inputs")
    pairs = _pairs(target, against)
    if classes:
        indices = resolve_targets([one for one, _ in pairs], tuple(classes), len(pairs))
        others = None if against is None else [other for _, other in pairs]
        resolve_against(others, indices, tuple(classes))
    named = name_images(images, intake)
    if listed and is_single(images, intake):
        named = [Named(str(number), images, again=number > 0) for number in range(len(pairs))]
    if not isinstance(named, Sequence):
        return _pair(named, pairs if listed else repeat(pairs[0]), inputs)
    each = zip(each_target(target, len(named)), each_target(against, len(named), "against"), strict=True)
    if inputs is not None and len(inputs) != len(named):
        raise InvalidInput(f"{len(inputs)} `inputs` were given for {len(named)} images: give one each.")
    own: Iterable[object] = repeat(None) if inputs is None else inputs
    return [
        Question(image, one, its, other) for image, (one, other), its in zip(named, each, own, strict=False)
    ]


def _pairs(
    target: Target | Sequence[Target], against: Target | Sequence[Target]
) -> list[tuple[Target, Target]]:
    """Return every target with the class that it is held against: a single pair where neither is a list."""
    lists = [list(one) for one in (target, against) if is_listed(one)]
    if [] in lists:
        raise InvalidInput("the list of targets is empty: give at least one class, or None.")
    count = max(map(len, lists), default=1)
    return list(zip(each_target(target, count), each_target(against, count, "against"), strict=True))


def each_inputs(inputs: object) -> Inputs:
    """Return the other inputs of every image, where they are given one by one: as a list of mappings."""
    if isinstance(inputs, list | tuple) and all(isinstance(one, Mapping) for one in inputs):
        return list(inputs)
    return None


def require_one(
    image: Source, target: object, intake: Intake, classes: Sequence[str], against: object = None
) -> None:
    """See that this is one image, and one class of those there are, against one other at most.

    Raises
    ------
    InvalidInput
        If there could be several; the sentence names ``explain_all``.
    """
    single = is_single(image, intake)
    if not single and is_series(image):
        raise InvalidInput(
            "one image is explained here, and these DICOM slices are several to a model of slices: pass "
            'slices="all" or "brain" for one map of their volume, or give the files to `explain_all` for a '
            "map of each."
        )
    if not single:
        what = "a folder" if is_folder(image) else f"a {type(image).__name__}"
        raise InvalidInput(
            f"one image is explained here, and {what} can hold several: use `explain_all`, which gives an "
            "explanation of each."
        )
    check_one(image, intake)
    for name, given in (("target", target), ("against", against)):
        if is_listed(given):
            raise InvalidInput(
                f"one class is explained here, and `{name}` is a list: use `explain_all`, which gives an "
                "explanation for each."
            )
    if classes:
        index = resolve_targets(target, tuple(classes), 1)  # type: ignore[arg-type]
        resolve_against(against, index, tuple(classes))  # type: ignore[arg-type]


def _pair(
    named: Iterable[Named], pairs: Iterable[tuple[Target, Target]], inputs: Inputs
) -> Iterator[Question]:
    """Yield the questions of a stream, and see that targets and inputs last as long as it does."""
    each, own = iter(pairs), iter(repeat(None) if inputs is None else inputs)
    count = 0
    for count, image in enumerate(named, start=1):
        try:
            (one, other), its = next(each), next(own)
            yield Question(image, one, its, other)
        except StopIteration:
            raise InvalidInput(
                f"there are more images than targets or inputs: the {count}. has none."
            ) from None
    if not count:
        raise InvalidInput("the list of images is empty: give at least one image.")
    left = next(each, _NONE) if isinstance(pairs, Sequence) else _NONE
    if left is not _NONE or (inputs is not None and next(own, _NONE) is not _NONE):
        raise InvalidInput(f"there are more targets or inputs than the {count} images: give one each.")


_NONE = object()
