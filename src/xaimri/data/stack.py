"""All images of a data set, stacked into one array as a model takes them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Images
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.failure import Failure
from xaimri.grid import Fit
from xaimri.images.acquisition import Acquisition, Place, unturned
from xaimri.images.channels import Layout
from xaimri.images.intake import Intake
from xaimri.images.ranges import SHARE, Ranges
from xaimri.images.window import WindowSource, as_window
from xaimri.kinds import Anything, Several
from xaimri.rules import WholeNumber

READING = check_arguments(
    window=Anything(), space=Several(WholeNumber(1, most=10**5)), channels=WholeNumber(1, most=10**4)
)
"""What reading holds its arguments to."""


@dataclass(frozen=True, eq=False, repr=False)
class Stack:
    """The cases that could be read, with their images, and why the others could not.

    Attributes
    ----------
    cases
        Those that could be read, in their order.
    images
        float32 ``(cases, *space, channels)``, one for each.
    failures
        One for each case that is left out.
    acquisition
        Spacing and orientation of those that know them; None where none does.
    """

    cases: Dataset
    images: Images
    failures: tuple[Failure, ...] = ()
    acquisition: Acquisition | None = None

    def __repr__(self) -> str:
        return f"<Stack: {len(self.cases)} images, {len(self.failures)} that can't be read>"


@READING
def stack_images(
    dataset: Dataset,
    space: Sequence[int],
    channels: int = 1,
    fit: Fit = "stretch",
    window: WindowSource | None = None,
    layout: Layout | None = None,
) -> Stack:
    """Read every case that can be read as `load_images` does, and collect the others.

    Parameters
    ----------
    dataset, space, channels, fit, window, layout
        As of `load_images`.

    Returns
    -------
    Stack

    Raises
    ------
    InvalidInput
        As of `load_images`.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> pixels = np.full((4, 6), 9, np.uint8), np.zeros((0, 6))
    >>> cases = [Case(f"{i}", 0, None, image) for i, image in enumerate(pixels)]
    >>> stack = stack_images(Dataset(("a",), tuple(cases)), (2, 3))
    >>> stack.images.shape, stack.failures[0].name
    ((1, 2, 3, 1), '1')
    """
    if len(space) not in (2, 3):
        raise InvalidInput(f"`space` must have 2 axes or 3, got {shown(tuple(space))}.")
    shape = (*space, channels)
    intake = Intake(shape, fit, None if window is None else as_window(window), layout)
    images = np.empty((len(dataset), *shape), np.float32)
    seen, read, failures, places = Ranges(), list[int](), list[Failure](), list[Place]()
    for place, case in enumerate(dataset):
        taken = intake.attempt(case.id, case.source)
        if isinstance(taken, Failure):
            failures.append(taken)
            continue
        images[len(read)] = taken.fitted
        read.append(place)
        places.append(Place(taken.spacing, taken.affine, taken.scan, taken.contrasts))
        seen.note(case.id, taken.image, taken.outside)
    seen.check()
    if seen.missed >= SHARE * seen.images > 0:
        warnings.warn(f"{seen.told} are next to black or white through the window.", stacklevel=2)
    named = [(dataset[number].id, lies) for number, lies in zip(read, places, strict=True)]
    for told in unturned(named) if len(space) == 3 else ():
        warnings.warn(told, stacklevel=2)
    return Stack(dataset.take(read), images[: len(read)], tuple(failures), Acquisition.of(places))


@READING
def load_images(
    dataset: Dataset,
    space: Sequence[int],
    channels: int = 1,
    fit: Fit = "stretch",
    window: WindowSource | None = None,
    layout: Layout | None = None,
) -> Images:
    """Read every case and bring it to a model's input, as `xaimri.explain` does: the same bytes.

    Parameters
    ----------
    dataset
        Cases whose ``source`` is a file or an array.
    space
        Spatial shape of the model's input, 2 or 3 axes.
    channels
        Channels of the model's input.
    fit, window, layout
        As of :func:`xaimri.open_model`.

    Returns
    -------
    Images
        float32 ``(cases, *space, channels)``, intensities as stored or as the window spreads them.

    Raises
    ------
    UnusableImage
        If an image cannot be read; the sentence names it. `stack_images` leaves such out.
    InvalidInput
        If another argument is wrong, most images are next to black or white through the window, or, without
        one, images of 0 to 1 stand beside others of 0 to 255.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> dataset = Dataset(("a",), (Case("x", 0, None, np.full((4, 6), 9, np.uint8)),))
    >>> load_images(dataset, (2, 3)).shape
    (1, 2, 3, 1)
    """
    stack = stack_images(dataset, space, channels, fit, window, layout)
    for failure in stack.failures:
        raise UnusableImage(f"case `{failure.name}` cannot be read: {failure.sentence}")
    return stack.images
