"""An atlas: a label image, what its regions are called, and where it lies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Labels, Stored, frozen
from xaimri.atlas.names import matched, names_of
from xaimri.atlas.nearest import nearest, shares_within
from xaimri.atlas.source import label_image
from xaimri.atlas.way import lattice, on_image, space_of, way
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.grid import Grid
from xaimri.images.picture import Picture
from xaimri.kinds import Anything

AtlasLike: TypeAlias = object
"""Whatever holds an atlas: an `Atlas`, the path or the bytes of a NIfTI file, an image of nibabel, a
`Picture`, or an array of whole numbers."""

Names: TypeAlias = Mapping[int, str] | str | os.PathLike[str]
"""Names of an atlas' regions: by label, or a table in a text file."""


@dataclass(frozen=True, eq=False, repr=False)
class Atlas:
    """A label image of named regions; :meth:`read` makes one.

    Attributes
    ----------
    labels
        ``(*space)``: a whole number for each voxel, 0 in no region; of a NIfTI file in canonical orientation.
    affine
        From indices to mm; None of an array.
    names
        By label; a region that has none is called by its number.
    sha256
        Of the file as it is; of an array, of its content.
    file
        Name of the file, without its folder; None of an array.
    same_space
        Whether the caller says that millimetres of the atlas are those of the scan.
    notes
        Sentences on names and labels that don't match.

    Examples
    --------
    >>> atlas = Atlas.read(np.array([[0, 7], [2, 2]]), names={2: "left", 7: "right"})
    >>> atlas
    <Atlas: 2 regions, 2 x 2, no affine>
    >>> atlas.numbers.tolist(), atlas.names[7]
    ([2, 7], 'right')
    """

    labels: Labels
    affine: Float[Array, "4 4"] | None
    names: Mapping[int, str]
    sha256: str
    file: str | None = None
    same_space: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", frozen(self.labels))
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "names": dict(self.names)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @classmethod
    @check_arguments(source=Anything(), names=Anything(), affine_to_scan=Anything())
    def read(
        cls,
        source: AtlasLike,
        names: Names | None = None,
        *,
        same_space: bool = False,
        affine_to_scan: npt.ArrayLike | None = None,
    ) -> Atlas:
        """Read an atlas; of what is one already, only what is given here is changed.

        Parameters
        ----------
        source
            A NIfTI file (its path or bytes), an image of nibabel, a `xaimri.images.Picture` with its affine,
            or an array of whole numbers, which lies on the image of its shape. 0 is no region.
        names
            By label, or a text file with a label and a name in each line; see `xaimri.atlas.names.names_of`.
        same_space
            True states that atlas and scan are in one space, such as both in that of the MNI template: the
            atlas is then brought to the scan's grid by the affines of both. Nothing is registered here.
        affine_to_scan
            ``(4, 4)``: takes a point of the atlas, in mm, to the same point of the scan, in mm. It states the
            same of an atlas that another program registered to the scan.

        Raises
        ------
        InvalidInput
            If it is no label image (fractions, several volumes, nothing but 0, no affine), or the names are
            those of another atlas.
        """
        atlas = source if isinstance(source, cls) else cls(*label_image(source))
        if names is not None:
            atlas = atlas._named(names_of(names))
        if affine_to_scan is not None:
            atlas = atlas._moved(affine_to_scan)
        return replace(atlas, same_space=True) if same_space else atlas

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atlas) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        sides = " x ".join(map(str, self.labels.shape))
        where = "no affine" if self.affine is None else "in the scan's space" if self.same_space else "placed"
        return f"<Atlas: {len(self.numbers)} regions, {sides}, {where}>"

    @cached_property
    def numbers(self) -> Int[Array, " regions"]:
        """The labels that occur, in order, without 0."""
        found = np.unique(self.labels)
        return frozen(found[found != 0].astype(np.int64))

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        place = None if self.affine is None else self.affine.tobytes()
        return self.stored.sha256, place, tuple(self.names.items()), self.sha256, self.same_space

    @cached_property
    def stored(self) -> Stored:
        """The labels as an array that is known by its content."""
        return Stored(self.labels)

    @check_arguments()
    def name_of(self, label: int) -> str:
        """Return what a region is called: its name, or else its number."""
        return self.names.get(label) or str(label)

    @check_arguments(affine=Anything())
    def on(
        self,
        space: tuple[int, ...],
        affine: Float[Array, "4 4"] | None = None,
        grid: Grid | None = None,
    ) -> Labels:
        """Return the label of the nearest voxel for every pixel of an image; 0 in no region.

        Parameters
        ----------
        space
            Shape of the image, 2 or 3 axes.
        affine
            From the image's indices to mm; None where it has none.
        grid
            Where the pixels that are wanted lie on the image, as those of a model's input do; None takes its
            own pixels.

        Returns
        -------
        Labels
            ``(*space)``, or ``grid.cells``.

        Raises
        ------
        InvalidInput
            If atlas and image have not one grid, and nobody says that they are in one space.
        UnusableImage
            If it isn't known where the image lies, or no region lies on it.

        Examples
        --------
        >>> atlas = Atlas.read(np.array([[0, 7], [2, 2]]))
        >>> atlas.on((2, 2)).tolist()
        [[0, 7], [2, 2]]
        """
        space = tuple(space)
        matrix = self._way(space, affine)
        if grid is not None and grid.space != space:
            raise InvalidInput(f"`grid` lies on an image of {grid.space}, and this one is of {space}.")
        cells = space if grid is None else grid.cells
        if grid is not None:
            matrix = matrix @ lattice(grid)
        found = nearest(_deep(self.labels), matrix, space_of(cells)).reshape(cells).astype(np.int64)
        if grid is not None:
            found[~on_image(grid)] = 0
        if len(self.numbers) and not found.any():
            raise UnusableImage(
                "no region of the atlas lies on this image: they are of different spaces, or the atlas is of "
                "another part of the body; see in a viewer that one lies on the other."
            )
        return found

    @check_arguments()
    def slice_of(self, labels: Labels) -> Atlas:
        """Return the atlas of one slice of a scan, which has these labels of its own; there may be none."""
        return replace(self, labels=labels, affine=None, notes=())

    @check_arguments(affine=Anything())
    def shares_within(self, space: tuple[int, ...], affine: Float[Array, "4 4"] | None) -> Array:
        """Return what share of each region, in the order of `numbers`, lies within an image of three axes."""
        space = tuple(space)
        if len(space) < 3:
            return np.ones(len(self.numbers))
        places = np.searchsorted(self.numbers, self.labels)
        index = np.where(self.labels == 0, -1, places)
        return shares_within(_deep(index), self._way(space, affine), space_of(space), len(self.numbers))

    def record(self) -> dict[str, Any]:
        """Return it as JSON types; the label image stands as its SHA-256."""
        return {
            "atlas": self.sha256, "labels": self.stored.sha256, "file": self.file,
            "affine": None if self.affine is None else self.affine.tolist(),
            "names": [[label, name] for label, name in self.names.items()], "same_space": self.same_space,
        }  # fmt: skip

    def arrays(self) -> dict[str, Array]:
        """Return the label image by the SHA-256 under which the record names it."""
        return {self.stored.sha256: self.stored.array}

    @classmethod
    @check_arguments()
    def from_record(cls, record: Mapping[str, Any], arrays: Mapping[str, Array]) -> Atlas:
        """Undo `record`."""
        try:
            affine = None if record["affine"] is None else frozen(np.array(record["affine"], float))
            return cls(
                arrays[record["labels"]], affine, {int(label): name for label, name in record["names"]},
                record["atlas"], record["file"], record["same_space"],
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as damage:
            raise InvalidInput(
                f"this is no whole record of an atlas ({shown(str(damage))}): give the file of the atlas."
            ) from damage

    def _way(self, space: tuple[int, ...], affine: Float[Array, "4 4"] | None) -> Float[Array, "4 4"]:
        """Return the matrix from an image's indices to those of the atlas, or say why there is none."""
        return way(space, affine, self.labels.shape, self.affine, self.same_space)

    def _named(self, names: Mapping[int, str]) -> Atlas:
        """Return the same regions with their names."""
        known, notes = matched(names, {int(label) for label in self.numbers})
        return replace(self, names=known, notes=notes)

    def _moved(self, affine_to_scan: npt.ArrayLike) -> Atlas:
        """Return the atlas in the scan's space."""
        if self.affine is None:
            raise InvalidInput(
                "`affine_to_scan` can't move an array, which has no place in mm: leave it out."
            )
        moved = Picture(np.zeros((1, 1, 1)), affine=affine_to_scan).affine
        assert moved is not None
        if abs(np.linalg.det(moved[:3, :3])) < 1e-6:
            raise InvalidInput(
                "`affine_to_scan` takes different points to one: give the matrix from atlas mm to scan mm."
            )
        return replace(self, affine=frozen(moved @ self.affine), same_space=True)


def _deep(labels: Labels) -> Array:
    """Return labels with three axes."""
    return labels.reshape(space_of(labels.shape))
