"""Spacing, orientation and contrasts of a training's images, and whether another one differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.caveats import Caveat, Reason
from xaimri.errors import InvalidInput
from xaimri.images.picture import Picture

Range: TypeAlias = tuple[float, float]
"""The least and the most."""

NEAR = 0.05
"""Share by which a spacing may differ from that of the training without a word."""

SLANT = 0.1
"""By how much less the cosines of an oblique image may sum to in the training's orientation."""

LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))
"""Where an axis of the scanner points to, and where from: right, front and up, as of nibabel."""

WORDS = {"R": "right", "L": "left", "A": "front", "P": "back", "S": "top", "I": "bottom"}
"""What the letters stand for, of the patient."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where an image lies, without its pixels; the fields as of `xaimri.images.Picture`."""

    spacing: tuple[float, ...] | None
    affine: Float[Array, "4 4"] | None = None
    scan: Mapping[str, Any] | None = None
    contrasts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Acquisition:
    """How a set of images was acquired: how large and how turned their pixels are, and which contrasts.

    Attributes
    ----------
    spacing
        The least and the largest edge of a pixel along every spatial axis, mm.
    anisotropy
        The least and the largest ratio of an image's longest edge to its shortest.
    orientations
        Where the spatial axes point, one letter each, such as ``"RAS"`` (right, front, top; of a slice two);
        every kind that is there, sorted. Empty where no image has an affine.
    contrasts
        What the channels are, in order, where the images are `xaimri.images.Contrasts`.

    Examples
    --------
    >>> from xaimri.images import Picture
    >>> pixels = np.zeros((4, 5, 6))
    >>> thick = Picture(pixels, spacing=(1.0, 1.0, 5.0))
    >>> known = Acquisition.of([Picture(pixels, spacing=(1.0, 1.0, 1.1)), Picture(pixels)])
    >>> known.describe()
    '1 x 1 x 1.1 mm'
    >>> [caveat.name for caveat in known.differences(thick)]
    ['other_spacing']
    """

    spacing: tuple[Range, ...]
    anisotropy: Range
    orientations: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ()

    @classmethod
    def of(cls, images: Iterable[Place | Picture]) -> Acquisition | None:
        """Gather what the images know of themselves; None where they know nothing.

        Raises
        ------
        InvalidInput
            If their channels are different contrasts.
        """
        listed = list(images)
        contrasts = sorted({image.contrasts for image in listed})
        if len(contrasts) > 1:
            told = "; ".join(", ".join(names) or "one image" for names in contrasts)
            raise InvalidInput(f"the images are of different contrasts ({told}): give the same in one order.")
        channels = contrasts[0] if contrasts else ()
        known = [(image.spacing, image.affine) for image in listed if image.spacing is not None]
        if not known or len({len(spacing) for spacing, _ in known}) > 1:
            return cls((), (1.0, 1.0), (), channels) if channels else None
        edges = np.array([spacing for spacing, _ in known], np.float64)
        ratios = edges.max(axis=1) / edges.min(axis=1)
        turned = {axes_of(affine, edges.shape[1]) for _, affine in known if affine is not None}
        return cls(
            tuple(zip(edges.min(axis=0).tolist(), edges.max(axis=0).tolist(), strict=True)),
            (float(ratios.min()), float(ratios.max())),
            tuple(sorted(letters for letters in turned if letters is not None)),
            channels,
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Acquisition:
        """Return what was recorded."""
        low, high = map(float, record["anisotropy"])
        spacing = tuple((float(least), float(most)) for least, most in record["spacing"])
        return cls(spacing, (low, high), tuple(record["orientations"]), tuple(record["contrasts"]))

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            "spacing": [list(edges) for edges in self.spacing],
            "anisotropy": list(self.anisotropy),
            "orientations": list(self.orientations),
            "contrasts": list(self.contrasts),
        }

    def describe(self) -> str:
        """Say the spacing in words, as ranges where it differs by more than a few percent."""
        return " x ".join(map(_between, self.spacing)) + " mm"

    def differences(self, image: Place | Picture) -> Iterator[Caveat]:
        """Say where an image lies otherwise than these: nothing where it knows nothing of that."""
        own = image.spacing
        if own is not None and len(own) == len(self.spacing):
            ratio = max(own) / min(own)
            alike = all(map(_within, own, self.spacing)) and _within(ratio, self.anisotropy)
            if not alike:
                given = " x ".join(f"{edge:.3g}" for edge in own) + " mm"
                yield Reason.OTHER_SPACING.caveat(trained=self.describe(), given=given)
        if not self.orientations:
            return
        trained = " or ".join(map(worded, self.orientations))
        if image.affine is None:
            if image.scan is not None:
                yield Reason.OTHER_ORIENTATION.caveat(known=trained)
            return
        axes = len(self.spacing)
        if not any(_is_turned(image.affine, letters) for letters in self.orientations):
            own_axes = axes_of(image.affine, axes) or ""
            yield Reason.OTHER_ORIENTATION.caveat(trained=trained, given=worded(own_axes))


def unturned(images: Sequence[tuple[str, Place | Picture]]) -> tuple[str, ...]:
    """Say which volumes of a set are read as they are stored, beside others that were turned."""
    bare = [name for name, image in images if image.scan is not None and image.affine is None]
    if not bare or not any(image.affine is not None for _, image in images):
        return ()
    return (
        f"{len(bare)} of {len(images)} scans, such as `{bare[0]}`, don't say how they lie and are read as "
        "they are stored, beside others that were turned: set their affines.",
    )


def axes_of(affine: Float[Array, "4 4"], axes: int = 3) -> str | None:
    """Return where the first axes of an image point, one letter for each; None where an affine is flat.

    Examples
    --------
    >>> axes_of(np.diag([-1.0, -1.0, 2.0, 1.0])), axes_of(np.eye(4)[[2, 0, 1, 3]], 2)
    ('LPS', 'AS')
    """
    cosines = _cosines(affine, axes)
    if cosines is None:
        return None
    chosen = max(
        permutations(range(3), axes), key=lambda rows: sum(abs(cosines[r, i]) for i, r in enumerate(rows))
    )
    return "".join(LETTERS[row][int(cosines[row, axis] < 0)] for axis, row in enumerate(chosen))


def worded(letters: str) -> str:
    """Say where axes point.

    Examples
    --------
    >>> worded("RAS")
    'right, front and top'
    """
    words = [WORDS[letter] for letter in letters]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _is_turned(affine: Float[Array, "4 4"], letters: str) -> bool:
    """Tell whether an image is turned so, or lies so near between that it may as well be."""
    cosines = _cosines(affine, len(letters))
    own = axes_of(affine, len(letters))
    if cosines is None or own is None:
        return True
    return _sum(cosines, letters) >= _sum(cosines, own) - SLANT


def _sum(cosines: Float[Array, "3 axes"], letters: str) -> float:
    """Return the sum of the cosines between an image's axes and the directions that letters name."""
    places = {
        letter: (row, 1 - 2 * sign) for row, pair in enumerate(LETTERS) for sign, letter in enumerate(pair)
    }
    return sum(places[letter][1] * float(cosines[places[letter][0], i]) for i, letter in enumerate(letters))


def _cosines(affine: Float[Array, "4 4"], axes: int) -> Float[Array, "3 axes"] | None:
    ways = np.asarray(affine, np.float64)[:3, :axes]
    lengths = np.linalg.norm(ways, axis=0)
    return ways / lengths if (lengths > 0).all() else None


def _within(value: float, known: Sequence[float]) -> bool:
    return known[0] * (1 - NEAR) <= value <= known[1] * (1 + NEAR)


def _between(known: Sequence[float]) -> str:
    low, high = known
    return f"{low:.3g}" if high <= low * (1 + NEAR) else f"{low:.3g} to {high:.3g}"
