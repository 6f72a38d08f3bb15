"""The result: one frozen value for every method, on the grid of the image as the user gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from jaxtyping import Float

from xaimri import storage
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Map
from xaimri.atlas import Atlas, RegionTable
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.kinds import Anything
from xaimri.objective import Objective, Of
from xaimri.regions import Regions as Regions  # a part of an explanation, known from here
from xaimri.regular_file import path_of
from xaimri.rules import Choice
from xaimri.sealed import freeze, unseal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xaimri.render import View


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a classifier scored one class of one image as it did.

    Attributes
    ----------
    values
        ``(*space)``: signed attribution per pixel, in the method's own unit, never rescaled.
    image
        ``(*space, channels)``: the image as it was given, in the network's number of channels.
    target
        Index of the explained class.
    of
        The explained score: ``"logit"``, ``"log_odds"`` or ``"probability"``.
    against
        Index of the class that the target is held against, where the difference of their logits is explained;
        else None.
    unit
        What one unit of ``values`` is, in words.
    logits, probabilities
        ``(classes,)``: what the classifier says of the image.
    classes
        Names of the classes.
    method
        The record of the method: its name and every setting. `xaimri.explainers.from_record` makes
        the explainer again.
    method_arrays
        The settings that are arrays, by the SHA-256 under which ``method`` names them.
    errors
        ``(*space)``: standard error of ``values``, where the method can tell it.
    regions
        For methods that work on regions.
    diagnostics
        Numbers and words that help to judge the map, such as the surrogate's R² or the layer.
    caveats
        Named reasons not to trust the map.
    spacing, affine
        Voxel size in mm per axis, and the 4 x 4 matrix to world coordinates, where known.
    scan
        Of a scan read from a file: its own grid, on which `to_nifti` writes.
    """

    values: Map
    image: Image
    target: int
    of: Of
    unit: str
    logits: Float[Array, " classes"]
    probabilities: Float[Array, " classes"]
    classes: tuple[str, ...]
    method: Mapping[str, Any]
    method_arrays: Mapping[str, Array] = field(default_factory=dict)
    errors: Map | None = None
    regions: Regions | None = None
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()
    spacing: tuple[float, ...] | None = None
    affine: Float[Array, "4 4"] | None = None
    against: int | None = None
    scan: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        freeze(self)

    def __getstate__(self) -> dict[str, Any]:
        return {k: unseal(v) for k, v in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        freeze(self)

    @property
    def target_class(self) -> str:
        """Name of the explained class."""
        return self.classes[self.target]

    @property
    def against_class(self) -> str | None:
        """Name of the class that the target is held against, where there is one."""
        return None if self.against is None else self.classes[self.against]

    @property
    def question(self) -> str:
        """What is asked, in words: the target's name, or ``"a against b"``."""
        other = self.against_class
        return self.target_class if other is None else f"{self.target_class} against {other}"

    @property
    def objective(self) -> Objective:
        """The score that is explained, of one image."""
        return Objective((self.target,), self.of, None if self.against is None else (self.against,))

    @property
    def predicted(self) -> int:
        """Index of the class with the highest probability."""
        return int(self.probabilities.argmax())

    def __repr__(self) -> str:
        named = ", ".join(caveat.name for caveat in self.caveats) or "none"
        other = "" if self.against is None else f"against {self.against_class!r} "
        return (
            f"<Explanation: {self.method['name']} of {self.of} of {self.target_class!r} "
            f"{other}(p = {self.probabilities[self.target]:.3f}), {' x '.join(map(str, self.values.shape))}, "
            f"caveats: {named}>"
        )

    def carried(self, grid: Grid, image: Image) -> Explanation:
        """Return this explanation on the grid of another image of the same scene.

        ``grid`` says where this image's pixels lie on ``image``. Maps are resampled linearly;
        regions keep their values, and each pixel takes its nearest region.
        """
        if self.regions is not None:
            regions = replace(self.regions, labels=grid.nearest(self.regions.labels))
            kind = self.values.dtype
            errors = None if regions.errors is None else regions.paint(regions.errors).astype(kind)
            values = regions.paint(regions.values).astype(kind)
            return replace(self, values=values, errors=errors, regions=regions, image=image)
        errors = None if self.errors is None else grid.resample(self.errors)
        return replace(self, values=grid.resample(self.values), errors=errors, image=image)

    @check_arguments()
    def plot(self, ax: Axes | None = None, *, style: str = "overlay", **options: Any) -> Axes:
        """Draw into a matplotlib axes (a new figure's if None); see :func:`xaimri.render.plot`."""
        from xaimri import render

        return render.plot(self, ax, style=style, **options)

    @check_arguments()
    def figure(self, *, style: str = "side_by_side", **options: Any) -> Figure:
        """Return a matplotlib figure; see :func:`xaimri.render.figure`."""
        from xaimri import render

        return render.figure(self, style=style, **options)

    @check_arguments()
    def show(self, *, style: str = "side_by_side", **options: Any) -> None:
        """Show the figure: inline in a notebook, else in the system's image viewer."""
        from xaimri import render

        render.show(self.figure(style=style, **options))

    @check_arguments()
    def save(self, path: str | Path, *, style: str = "side_by_side", dpi: int = 150, **options: Any) -> Path:
        """Draw into a file (png, pdf, svg); the suffix decides."""
        from xaimri import render

        return render.save(self.figure(style=style, **options), path, dpi=dpi)

    @check_arguments()
    def view(self, **options: Any) -> View:
        """Return an interactive page to keep, open or show in a notebook; see :func:`xaimri.render.view`.

        It scrolls through the planes of a volume, and tells value, error and region under the cursor.
        """
        from xaimri import render

        return render.view(self, **options)

    def _repr_html_(self) -> str:
        from xaimri import render

        return render.html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked and found as JSON types: all but the image and its maps, pixel by pixel.

        Of methods that work on regions, ``regions`` has a value and its error for each; None stands for what
        is not known.
        """
        return {**storage.numbers(vars(self)), "target_class": self.target_class}

    @check_arguments()
    def to_nifti(self, path: str | Path) -> Path:
        """Write the map as NIfTI on the scan's own grid: it lies exactly on the scan in any viewer.

        Shape, orientation, affine and units are those of the scan's file; values are float32, in the method's
        own unit. Standard errors, where the method tells them, go into ``<name>_errors`` beside it, and what
        was asked and found into ``<name>.json``. Needs the extra ``neuro``.

        Raises
        ------
        InvalidInput
            If the name ends neither in ``.nii`` nor in ``.nii.gz``; if one of the files is there already and
            is no map of this package, such as the scan itself or its sidecar; or if it is not known where the
            pixels lie: the image was neither a scan nor a `Picture` with an affine.
        """
        from xaimri.images import nifti_maps

        place, told = (self.affine, self.scan), (self._words(), self.to_dict())
        return nifti_maps.save(path_of(path), self.values, self.errors, *place, *told)

    @check_arguments(source=Anything(), kind=Choice(("parametric_map", "secondary_capture")))
    def to_dicom(
        self, path: str | Path, *, source: object, kind: str = "parametric_map", **options: Any
    ) -> Path:
        """Write the map as a DICOM object of the patient whose scan was explained.

        It lies on the planes of the scan's own slices. Patient and study are those of the source, and belong
        into such an object by the standard: nothing else that this package writes names them. Needs the extra
        ``neuro``.

        Parameters
        ----------
        path
            A file that ends in ``.dcm``. Standard errors, where the method tells them, go into a second
            object, ``<name>_errors.dcm``.
        source
            The DICOM files that were explained: their folder, a file, data sets of pydicom, or a list. Shape,
            place and values must be those of the explained image.
        kind
            ``"parametric_map"``: float32 values in the method's own unit. ``"secondary_capture"``: the figure
            in colour, for viewers that show no maps; ``options`` are those of :func:`xaimri.render.figure`.

        Raises
        ------
        InvalidInput
            If the explanation is of no DICOM image or of another one, the source lacks what an object of its
            patient must have, or a file is there already that is no DICOM object of this package.
        """
        from xaimri.images import dicom_maps
        from xaimri.images.dicom_source import Scanned

        if options and kind != "secondary_capture":
            raise InvalidInput(f'`{next(iter(options))}` is of pictures: pass kind="secondary_capture".')
        told = dicom_maps.Told(self.values, self.errors, self.unit, self._words())
        scanned = Scanned(self.image, self.affine, self.scan)
        drawn = partial(self._drawn, **options) if kind == "secondary_capture" else None
        return dicom_maps.save(path_of(path), scanned, source, told, drawn)

    def _words(self) -> str:
        """Say in a few words what was asked."""
        return f"{self.method['name']}, {self.of} of class {self.target}"

    def _drawn(self, **options: Any) -> Array:
        """Return the figure in colour, ``(rows, columns, 3)``."""
        from xaimri import render

        return render.output.pixels(self.figure(**options))

    @check_arguments(atlas=Anything(), names=Anything(), affine_to_scan=Anything())
    def by_region(
        self,
        atlas: AtlasLike,
        names: Names | None = None,
        *,
        same_space: bool = False,
        affine_to_scan: npt.ArrayLike | None = None,
    ) -> RegionTable:
        """Return what the map holds in each region of an atlas, as a table.

        Parameters
        ----------
        atlas, names, same_space, affine_to_scan
            As of :meth:`xaimri.Atlas.read`. An atlas on the scan's own grid needs nothing more; one on
            another grid is refused unless something says how both lie. Each voxel takes the nearest label.

        Returns
        -------
        RegionTable
            Voxels, volume, mean, sum and standard errors of each region, and its enrichment: its share of the
            absolute relevance over its share of the brain (`xaimri.images.foreground`).

        Raises
        ------
        InvalidInput
            If the atlas can't be read, or it isn't known how it lies on this image.

        Examples
        --------
        >>> import numpy as np, xaimri
        >>> model = xaimri.LinearClassifier(np.stack([np.eye(4), -np.eye(4)])[..., None])
        >>> explanation = xaimri.explain(model, np.ones((4, 4)), xaimri.Occlusion(window=1, absent=0.0))
        >>> quarters = np.kron([[1, 2], [3, 4]], np.ones((2, 2), int))
        >>> [row.sum for row in explanation.by_region(quarters).rows]
        [2.0, 0.0, 0.0, 2.0]
        """
        from xaimri.atlas.sums import Measured, region_table

        brought = Atlas.read(atlas, names, same_space=same_space, affine_to_scan=affine_to_scan)
        parts = None if self.regions is None else self.regions.labels
        measured = Measured(self.values, self.image, self.errors, parts, self.spacing, self.affine)
        asked = f"{self.method.get('title', self.method['name'])} of {self.question}"
        return region_table(measured, brought, self.unit, asked)

    @check_arguments()
    def store(self, folder: str | Path) -> Path:
        """Keep the whole explanation in a new folder, bit for bit; :func:`xaimri.load` reads it."""
        return storage.store(vars(self), folder)


@check_arguments()
def load(folder: str | Path) -> Explanation:
    """Read an explanation that :meth:`Explanation.store` wrote; its arrays are bit-identical.

    Raises
    ------
    InvalidInput
        If the folder is missing, or its files are not as they were written.
    StorageFault
        If the system doesn't let them be read.
    """
    record, arrays = storage.read(folder)
    with storage.whole(folder):
        explanation = _rebuilt(record, arrays)
        _ = explanation.objective  # not every score can be held against another class
    return explanation


def _rebuilt(record: dict[str, Any], arrays: dict[str, Array]) -> Explanation:
    """Undo :func:`xaimri.storage.store`."""
    parts: dict[str, Any] = {k: arrays.pop(k) for k in list(arrays) if k.startswith("regions.")}
    settings = {k.removeprefix("method."): arrays.pop(k) for k in list(arrays) if k.startswith("method.")}
    kept = {k: v for k, v in record.items() if k not in ("xaimri", "arrays")}
    kept["classes"] = tuple(record["classes"])
    kept["caveats"] = tuple(Caveat(**caveat) for caveat in record["caveats"])
    kept["spacing"] = None if record["spacing"] is None else tuple(map(float, record["spacing"]))
    if parts:
        kept["regions"] = Regions(**{k.removeprefix("regions."): v for k, v in parts.items()})
    return Explanation(**{**kept, **arrays}, method_arrays=settings)
