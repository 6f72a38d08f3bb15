"""Names of the array shapes that pass between the parts of the library.

``*space`` stands for the spatial axes: ``height width`` for a slice, ``depth height width`` for a
volume. Channels come last, always.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

if TYPE_CHECKING:
    Array: TypeAlias = npt.NDArray[Any]
else:
    Array = np.ndarray

Images: TypeAlias = Float[Array, "batch *space channels"]
"""A batch of images as the model takes them (float32)."""

Image: TypeAlias = Float[Array, "*space channels"]
"""One image, channels last."""

Fitted: TypeAlias = Float[Array, "*grid channels"]
"""One image on a model's grid, whose shape may be another than its own."""

Maps: TypeAlias = Float[Array, "batch *space"]
"""A batch of attribution maps: one signed value per pixel."""

Map: TypeAlias = Float[Array, "*space"]
"""One attribution map."""

Cells: TypeAlias = Float[Array, "batch *cells features"]
"""A batch of feature maps of an inner layer."""

Features: TypeAlias = Float[Array, "batch features"]
"""The input of a classifier's last dense layer: one row per image."""

Scores: TypeAlias = Float[Array, "batch classes"]
"""One number per image and class: logits or probabilities."""

Labels: TypeAlias = Int[Array, "*space"]
"""A label image: regions are numbered from 0, and -1 lies in no region."""

Mask: TypeAlias = Bool[Array, "*space"]
"""True inside."""

Coalitions: TypeAlias = Bool[Array, "samples regions"]
"""One row per perturbed image: True where the region is shown, False where it is hidden."""


def frozen(array: Array) -> Array:
    """Return a read-only copy; an array that already is one comes back as it is."""
    if array.flags.writeable or not array.flags.owndata:
        array = array.copy()
        array.flags.writeable = False
    return array


class Stored:
    """A read-only array that can be a setting: compared and hashed by its content.

    Parameters
    ----------
    array
        Copied; any shape and type but object arrays.

    Examples
    --------
    >>> a, b = Stored(np.arange(6).reshape(2, 3)), Stored(np.arange(6).reshape(2, 3))
    >>> a == b, hash(a) == hash(b)
    (True, True)
    >>> a
    Stored(shape=(2, 3), dtype=int64, sha256=3b4f22b7)
    """

    __slots__ = ("array", "sha256")

    array: Array
    sha256: str

    def __init__(self, array: npt.ArrayLike) -> None:
        kept = np.array(array, order="C")
        kept.flags.writeable = False
        digest = hashlib.sha256(f"{kept.dtype.str}{kept.shape}".encode())
        digest.update(kept.tobytes())
        object.__setattr__(self, "array", kept)
        object.__setattr__(self, "sha256", digest.hexdigest())

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Stored arrays are read-only; make a new Stored instead of setting `{name}`.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stored) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __reduce__(self) -> tuple[type[Stored], tuple[Array]]:
        return Stored, (self.array,)

    def __repr__(self) -> str:
        return f"Stored(shape={self.array.shape}, dtype={self.array.dtype}, sha256={self.sha256[:8]})"
