"""Stages of atrophy in real anatomy: a measured template, deformed by a displacement that is known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from xaimri.archive import whole_file
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Mask
from xaimri.data.case import Case, Dataset
from xaimri.data.phantom.exposure import exposed
from xaimri.data.phantom.head import Subject
from xaimri.data.phantom.scanner import CHANGED, STAGES, Change, check_stages, only
from xaimri.data.phantom.shapes import Field, Points
from xaimri.data.phantom.template import Template, template
from xaimri.errors import InvalidInput
from xaimri.images.voxels import package
from xaimri.kinds import PathName
from xaimri.rules import Number, OrNone, WholeNumber

MIDDLE = np.array([0.0, -16.0, 8.0])
"""Middle of the volume in MNI space, mm."""

EXTENT = np.array([160.0, 192.0, 160.0])
"""Sides of the volume: right, front and up, mm."""

SEVERE = {"ventricles": 3.2, "hippocampi": 1.6, "sulci": 2.2}
"""By how much the surface of a structure moves at the last stage in a person of the usual rate, mm."""

OUTLINE = 0.5
"""A voxel belongs to the brain where this share of it does."""


@check_arguments(
    subjects=WholeNumber(1),
    spacing=Number(least=0.5, most=8),
    seed=WholeNumber(0),
    folder=OrNone(PathName()),
)
def anatomy(
    subjects: int = 8,
    spacing: float = 2.0,
    seed: int = 0,
    *,
    change: Change = "all",
    stages: Sequence[int] = (0, 1, 2, 3),
    folder: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Make volumes of subjects in stages of atrophy from the ICBM152 template and its tissue maps.

    The template, a mean of 152 measured brains that nilearn brings along, is deformed smoothly: first for a
    person, whose shape, bias field, noise and rate of loss are its own and don't depend on the stage; then
    for the stage, by a flow that lets the ventricles grow, the hippocampi shrink and the sulci widen. The
    outline of the brain stays, and what the cortex leaves is filled with fluid. Nothing is downloaded.

    Parameters
    ----------
    subjects
        How many; their stages cycle. Subject i has the same anatomy whatever the number, the change and
        the stages.
    spacing
        Edge of a voxel in mm, 0.5 to 8. At 1 mm a volume has 160 x 192 x 160 voxels, at 2 mm 80 x 96 x 80.
    seed
        Same seed, same bytes.
    change, stages
        As of :func:`make`.
    folder
        Where to write ``S000_T1w.nii.gz`` and ``S000_mask.nii.gz`` of every subject, with their affine in
        MNI space; the cases then name these files. None keeps arrays in memory. What is there already is
        written over if it is a phantom's.

    Returns
    -------
    Dataset
        Cases with ``source`` uint8 ``(x, y, z)``, axes to the right, the front and upwards, 0 outside the
        brain; and ``mask``, where at least 0.3 of a voxel is another tissue than in this subject at stage 0.
        A subject at stage 0 has not changed; its mask is where it would, at stage 3.

    Raises
    ------
    MissingExtra
        Without nilearn.
    InvalidInput
        If an argument is out of range, or a file in the way is no phantom's.

    Notes
    -----
    The template is a mean: its sulci are blurred, and all subjects share its folds. The first call reads it,
    in about 20 s; a volume of 2 mm then takes about 4 s. From stage 0 to 3 the template's ventricles grow
    from 19 to 53 ml, its hippocampi shrink from 9.1 to 5.7 ml, and its grey matter loses 14 %.

    References
    ----------
    Fonov et al. (2011), doi:10.1016/j.neuroimage.2010.07.033.

    Examples
    --------
    >>> made = anatomy(subjects=2, spacing=4.0, stages=(0, 3))  # doctest: +SKIP
    >>> made[1].id, made[1].source.shape  # doctest: +SKIP
    ('S001/anatomy', (40, 48, 40))
    """
    check_stages(stages)
    brain, grid = template(), Grid(spacing)
    cases = []
    for index in range(subjects):
        person, label = _person(seed, index, change), index % len(stages)
        image, mask = _scan(brain, grid, person, stages[label], (seed, index))
        case = Case(f"S{index:03d}/anatomy", label, f"S{index:03d}", image, mask=mask)
        cases.append(case if folder is None else _written(case, grid, Path(folder)))
    made = {"subjects": subjects, "spacing": spacing, "seed": seed, "change": change}
    origin = {"maker": "anatomy", **made, "stages": [int(stage) for stage in stages]}
    return Dataset(classes=tuple(STAGES[stage] for stage in stages), cases=tuple(cases), origin=origin)


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a volume lie: cubes of an edge in mm, around the middle of the head."""

    edge: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return tuple(int(n) for n in np.rint(EXTENT / self.edge))

    @property
    def affine(self) -> Float[Array, "4 4"]:
        """From indices to mm in MNI space."""
        found = np.diag([self.edge, self.edge, self.edge, 1.0])
        found[:3, 3] = MIDDLE - self.edge * (np.array(self.shape) - 1) / 2
        return found

    def points(self, plane: int) -> Points:
        """Return the centres of the voxels of one plane of the first axis."""
        first, *axes = (self.affine[a, 3] + self.edge * np.arange(n) for a, n in enumerate(self.shape))
        y, z = np.meshgrid(*axes, indexing="ij")
        return np.stack([np.full(y.size, first[plane]), y.ravel(), z.ravel()], axis=1)


def _person(seed: int, index: int, change: Change) -> Subject:
    return only(Subject.draw(np.random.default_rng([seed, index])), change)


def _scan(
    brain: Template, grid: Grid, person: Subject, stage: int, drawn: tuple[int, int]
) -> tuple[Array, Mask]:
    """Return a person's image at a stage, and where the tissue has changed since stage 0."""
    planes = [_plane(brain, grid.points(plane), person, stage) for plane in range(grid.shape[0])]
    inside, signal, changed = (np.concatenate(each) for each in zip(*planes, strict=True))
    shown = inside.reshape(grid.shape)
    where = [grid.points(plane)[shown[plane].ravel()] for plane in range(grid.shape[0])]
    habit, rng = (np.random.default_rng([*drawn, last]) for last in (1, 2))
    image = exposed(signal, np.concatenate(where), shown, habit, rng)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[shown] = changed
    return image, mask


def _plane(
    brain: Template, points: Points, person: Subject, stage: int
) -> tuple[Bool[Array, " points"], Float[Array, " inner"], Bool[Array, " inner"]]:
    """Return which points lie in the brain; and of these the signal, and whether their tissue changed."""
    place = locate(person, points)
    inside = brain.at(place)[:, 3] > OUTLINE
    now, signal = _tissue(brain, place[inside], person, stage)
    other, _ = _tissue(brain, place[inside], person, 0 if stage else len(STAGES) - 1)
    return inside, signal, np.abs(now - other).sum(axis=1) / 2 > CHANGED


def locate(person: Subject, points: Points) -> Points:
    """Return where points of a person's head lie in the template; no atrophy is in it."""
    head = (points - MIDDLE - person.shift) @ person.turn.T + MIDDLE
    place: Points = head + 1.8 * person.bend(head) + 0.6 * person.curl(head)
    return place


def amounts(person: Subject, stage: float) -> dict[str, float]:
    """Return by how much the surfaces of a person's structures have moved at a stage, mm.

    That of the ventricles at stage 0 is the person's own size of them.
    """
    rates = dict(zip(SEVERE, person.rates, strict=True))
    moved = {name: stage / 3 * rates[name] * most for name, most in SEVERE.items()}
    return {**moved, "ventricles": moved["ventricles"] + 5 * (person.ventricle - 1)}


def _tissue(
    brain: Template, place: Points, person: Subject, stage: float
) -> tuple[Float[Array, "points 3"], Field]:
    """Return shares of fluid, grey and white matter at places of the template, and the noiseless signal."""
    t1, grey, white, inside = brain.at(brain.flow(place, amounts(person, stage))).T
    total = np.maximum(grey + white, 1)
    shares = np.stack([np.clip(1 - grey - white, 0, 1), grey / total, white / total], axis=1)
    inside = np.clip(inside, 0, 1)
    return shares, inside * t1 + (1 - inside) * brain.fluid


def _written(case: Case, grid: Grid, folder: Path) -> Case:
    """Write a case's image and mask as NIfTI, and return the case of these files."""
    nibabel = package("writing NIfTI")
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, values in (("T1w", case.source), ("mask", case.mask)):
        file = folder / f"{case.subject}_{name}.nii.gz"
        _refuse_foreign(nibabel, file)
        image = nibabel.Nifti1Image(np.asarray(values, np.uint8), grid.affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(grid.affine, "mni")
        image.set_qform(grid.affine, "mni")
        image.header["descrip"] = OURS
        with whole_file(file) as new:
            nibabel.save(image, new)
        files[name] = file
    return replace(case, source=files["T1w"], mask=files["mask"])


OURS = b"xaimri phantom"
"""What the headers of our files say."""


def _refuse_foreign(nibabel: Any, file: Path) -> None:
    """See that no file of somebody else is written over."""
    if not file.exists():
        return
    try:
        told = bytes(nibabel.load(file).header["descrip"].item())
    except Exception:  # whatever it is
        told = b""
    if not told.startswith(OURS):
        raise InvalidInput(f"`{file}` is there already, and is no phantom of xaimri: give another folder.")
