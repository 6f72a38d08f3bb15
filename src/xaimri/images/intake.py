"""From whatever holds an image to what a model is given, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from xaimri.arrays import Fitted, Image
from xaimri.caveats import Caveat, Reason
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.failure import Failure
from xaimri.grid import Fit, Grid, check_fit
from xaimri.images.acquisition import Acquisition
from xaimri.images.channels import Layout, check_layout
from xaimri.images.contrasts import Contrasts
from xaimri.images.files import holds_volume
from xaimri.images.picture import Picture
from xaimri.images.read import read_picture
from xaimri.images.slices import Slices
from xaimri.images.taken import Taken
from xaimri.images.window import Window

FITTED: Mapping[Fit, str] = {"pad": "padded", "stretch": "stretched"}
"""What an image is after it was brought to a size."""


@runtime_checkable
class Resize(Protocol):
    """A model's own way of bringing an image of any size to its input; equal ones do the same."""

    def __call__(self, image: Image, /) -> Fitted:
        """Return an image at the model's size."""
        ...

    def grid(self, space: tuple[int, ...], /) -> Grid:
        """Return where the model's pixels lie on an image of this size."""
        ...

    def describe(self) -> str:
        """Say it in a word, such as ``"cropped"``."""
        ...


@dataclass(frozen=True)
class Intake:
    """How images are brought to a model: read, windowed, fitted.

    Parameters
    ----------
    shape
        ``(*space, channels)`` that the model takes, None where any size does; empty where it doesn't say.
    fit, window, layout
        As of :func:`xaimri.explain`.
    resize
        The model's own way to its size, in the place of ``fit``; None where it has none.
    first
        Whether the model takes its channels first itself, as of `read_picture`.
    trained, trained_fit
        The window and the fit of the model's training, where ``window`` and ``fit`` stand in their places.
    acquisition
        Spacing and orientation of the images that the model was trained on; None where they are not known.
    slices
        Which slices of a volume a model of slices is given; None where it is given single slices.

    Examples
    --------
    >>> taken = Intake((4, 6, 1)).take(np.ones((8, 12), np.uint8))
    >>> taken.image.shape, taken.fitted.shape
    ((8, 12, 1), (4, 6, 1))
    """

    shape: tuple[int | None, ...] = ()
    fit: Fit = "stretch"
    window: Window | None = None
    layout: Layout | None = None
    resize: Resize | None = None
    first: bool = False
    trained: Window | None = None
    trained_fit: Fit | None = None
    acquisition: Acquisition | None = None
    slices: Slices | None = None

    def __post_init__(self) -> None:
        check_fit(self.fit)
        check_layout(self.layout)
        if self.shape and len(self.shape) not in (3, 4):
            raise InvalidInput(
                f"the network's input {self.shape} is no image: pass a function of images (batch, *space, "
                "channels) that brings them into that form and calls it."
            )
        if self.slices is not None and len(self.shape) == 4:
            raise InvalidInput(
                "`slices` gives a volume to a network of slices, and this one takes volumes: leave it out."
            )

    @property
    def volumes(self) -> bool:
        """Whether volumes are taken, for all that is known: whole, or slice by slice."""
        return self.slices is not None or len(self.shape) == 4

    @property
    def joins(self) -> bool:
        """Whether DICOM slices, in a folder or a list, are one image: also where the model says nothing."""
        return self.volumes or not self.shape

    def describe(self) -> list[str]:
        """Say how images are brought to the model, in a few words each."""
        if not self.shape:
            words = ["images of any size"]
        else:
            size = " x ".join("any" if n is None else str(n) for n in self.shape)
            how = FITTED[self.fit] if self.resize is None else self.resize.describe()
            words = [f"images {size}", how]
        if self.slices is not None:
            words.append(self.slices.describe())
        if self.window is not None:
            words.append(f"window {self.window.describe()}")
        return words if self.layout is None else [*words, self.layout.replace("_", " ")]

    def take(self, source: object) -> Taken:
        """Read one image and bring it to the model's grid.

        Raises
        ------
        UnusableImage
            If it can't be read, or can't be brought there.
        """
        channels = self.shape[-1] if self.shape else None
        picture = read_picture(source, self._rank(source), channels, layout=self.layout, first=self.first)
        return self.with_header(picture)._brought(picture)

    def with_header(self, picture: Picture) -> Intake:
        """Return the same with the window of this picture's own header, where that is asked for.

        Raises
        ------
        UnusableImage
            If there is none.
        InvalidInput
            If the picture is of several contrasts, each of which has its own.
        """
        if self.window is None or not self.window.header:
            return self
        if len(picture.contrasts) > 1:
            raise InvalidInput(
                "several contrasts have several windows in their headers: give limits for each, such as "
                "xaimri.Window((0, 0), (4000, 900))."
            )
        return replace(self, window=self.window.of_header(picture.scan))

    def _brought(self, picture: Picture) -> Taken:
        """Bring a picture to the model's grid."""
        image = picture.pixels
        self._check_contrasts(picture.contrasts)
        window = None if self.window is None else self.window.resolved(image)
        seen = image if window is None else window.apply(image)
        own = image.shape[:-1]
        if self.resize is None:
            grid = Grid.fitted(own, self._space(own), self.fit)
            fitted = np.moveaxis(grid.sample(np.moveaxis(seen, -1, 0)), 0, -1)
        else:
            grid, fitted = self.resize.grid(own), self.resize(seen)
        lies = picture.spacing, picture.affine, picture.scan, picture.contrasts
        return Taken(image, np.ascontiguousarray(fitted), grid, window, *lies, tuple(self._odd(picture)))

    def _check_contrasts(self, names: tuple[str, ...]) -> None:
        """See that contrasts are those of the training, and have percentiles of their own."""
        trained = () if self.acquisition is None else self.acquisition.contrasts
        if names and trained and names != trained:
            raise UnusableImage(
                f"the network was trained on the contrasts {', '.join(trained)}, in this order, and the "
                f"image has {', '.join(names)}: give the same, by these names."
            )
        if (
            len(names) > 1
            and self.window is not None
            and self.window.percentile
            and not self.window.by_channel
        ):
            raise InvalidInput(
                f"percentiles of {len(names)} contrasts together mix their scales: take those of each, as by "
                f"xaimri.Window({(1,) * len(names)}, {(99,) * len(names)}, percentile=True)."
            )

    def _odd(self, picture: Picture) -> Iterator[Caveat]:
        """Say what is odd about how this image is brought to the model."""
        image = picture.pixels
        yield from marks(picture.scan)
        if self.acquisition is not None:
            yield from self.acquisition.differences(picture)
        if self.window is not None:
            yield from self._beside(image, self.window)
        own = image.shape[:-1]
        if self.trained_fit is not None and self.resize is None:
            fits = [Grid.fitted(own, self._space(own), fit) for fit in (self.fit, self.trained_fit)]
            if fits[0] != fits[1]:
                yield Reason.OTHER_FIT.caveat(trained=FITTED[self.trained_fit], given=FITTED[self.fit])

    def _beside(self, image: Image, window: Window) -> Iterator[Caveat]:
        """Say whether the window is another than the training's, and whether it misses the image."""
        if self.trained is not None and self.trained != window:
            yield Reason.OTHER_WINDOW.caveat(trained=self.trained.describe(), given=window.describe())
        yield from self.missed(image)

    def missed(self, image: Image) -> tuple[Caveat, ...]:
        """Say that next to nothing of an image is seen through the window, where that is so."""
        window = self.window
        if window is None or window.percentile or window.header:
            return ()
        words = window.describe()
        for low, high, part in window.parts(image):
            missed = Window(low, high).misses(part)
            if missed == "below":
                return (Reason.OUTSIDE_WINDOW.caveat(high=float(part.max()), window=words),)
            if missed == "above":
                share = (part > high).sum() / (part > low).sum()
                return (Reason.OUTSIDE_WINDOW.caveat(percent=100 * float(share), window=words),)
        return ()

    def attempt(self, name: str, source: object) -> Taken | Failure:
        """Read one image as `take` does, or say why it can't be used: so that others beside it go on.

        Examples
        --------
        >>> print(Intake((4, 6, 1)).attempt("scan", np.zeros((0, 6))))
        the image is empty, of shape (0, 6): pass one with at least one pixel.
        """
        try:
            return self.take(source)
        except UnusableImage as fault:
            return Failure(name, "read", str(fault))

    def _rank(self, source: object) -> int:
        """Return how many spatial axes the model takes; where it doesn't say, what the array suggests."""
        if self.shape:
            return len(self.shape) - 1
        if isinstance(source, Contrasts):
            return max(self._rank(each) for each in source.sources.values())
        if holds_volume(source):
            return 3
        if isinstance(source, Picture):
            return self._rank(source.pixels) if source.spacing is None else len(source.spacing)
        if isinstance(source, np.ndarray) and source.ndim > 2:
            sides = (source.shape[0], source.shape[-1])
            some = sides[0] in (1, 3) if self.layout == "channels_first" else sides[-1] in (1, 3, 4)
            return source.ndim - 1 if some else source.ndim
        return 2

    def ends(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the axes of an array that may hold its channels: the last, the first, or either."""
        if self.layout == "channels_first":
            return shape[:1]
        return shape[:1] + shape[-1:] if self.first and self.layout is None else shape[-1:]

    def _space(self, own: tuple[int, ...]) -> tuple[int, ...]:
        if not self.shape:
            return own
        return tuple(n if wanted is None else wanted for wanted, n in zip(self.shape[:-1], own, strict=False))


def marks(scan: Mapping[str, Any] | None) -> Iterator[Caveat]:
    """Say what a DICOM file tells of the patient in it; nothing where it tells nothing."""
    marks = scan or {}
    if marks.get("burned_in"):
        yield Reason.BURNED_IN.caveat()
    if marks.get("identity_removed") is False:
        yield Reason.IDENTITY_KEPT.caveat()
