"""The bundled example: T1-like brain images in four stages of atrophy, made from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.data.phantom.exposure import exposed
from xaimri.data.phantom.head import CENTRE, Head, Subject, brain_depth
from xaimri.data.phantom.shapes import Points
from xaimri.data.phantom.tissue import tissue
from xaimri.errors import InvalidInput, shown
from xaimri.kinds import Several
from xaimri.rules import WholeNumber

STAGES = ("no atrophy", "mild atrophy", "moderate atrophy", "severe atrophy")
"""Names of the four classes. They name what was done to the anatomy, not a diagnosis."""

Change: TypeAlias = Literal["all", "ventricles", "hippocampi", "sulci"]
"""Which structures atrophy: all three, or one alone."""

TRAINED_SEEDS = range(2**31, 2**31 + 16)
"""Seeds of the subjects that ``build_resnet50(weights="phantom")`` learned from; test on those of others."""

HEIGHTS = (-8.0, 21.0)
"""Lowest and highest slice, mm above the anterior commissure."""

FIELD_OF_VIEW = (150.0, 208.0, 176.0)
"""What an image shows at least, mm: bottom to top, front to back, left to right."""

CHANGED = 0.3
"""A voxel counts as changed where this share of it is another tissue."""


SIZE = Several(WholeNumber(1, most=4096))
"""The rule for the size of images."""


@check_arguments(size=SIZE)
def make(
    subjects: int = 40,
    slices: int = 4,
    size: Sequence[int] = (208, 176),
    seed: int = 0,
    *,
    change: Change = "all",
    stages: Sequence[int] = (0, 1, 2, 3),
) -> Dataset:
    """Make brain images of subjects in four stages of atrophy.

    Ventricles grow, hippocampi shrink and sulci widen from stage to stage, or one of the three alone; each
    subject has a size, shape, folding, contrast, bias field, noise, and rate of loss of its own. Outline and
    mean grey value are drawn without regard to the stage, so neither tells it.

    Parameters
    ----------
    subjects
        How many; their stages cycle, so a multiple of 4 is balanced. Subject i has the same anatomy
        whatever the number, the change and the stages.
    slices
        Axial slices per subject, evenly spaced from the hippocampi to the bodies of the lateral
        ventricles; a single one lies at the middle of the head. 1 for volumes.
    size
        ``(height, width)`` of a slice, front at the top, or ``(depth, height, width)`` of a volume,
        bottom slice first. Voxels are cubes, of the size at which the head fits: 1 mm at (208, 176).
    seed
        Same seed, same bytes.
    change
        Which structures change from stage to stage. One alone leaves the others as they are without
        atrophy, and a slice that doesn't cut it has an empty mask.
    stages
        Which of the four stages there are, rising; their names are the classes.

    Returns
    -------
    Dataset
        Cases with the names of their `STAGES` as classes, ``source`` uint8 ``(*space)`` (0 outside the
        brain, at least 1 inside) and ``mask`` ``(*space)``: where the tissue of this subject differs from
        its own at stage 0. A subject at stage 0 has not changed; its mask is where it would, at stage 3.

    Raises
    ------
    InvalidInput
        If a number is not positive, ``size`` has not 2 or 3 axes, volumes come in slices, or there is no
        such change or stage.

    Examples
    --------
    >>> dataset = make(subjects=4, slices=2, size=(52, 44))
    >>> len(dataset), dataset[7].id, dataset.classes[dataset[7].label]
    (8, 'S003/slice 1', 'severe atrophy')
    >>> dataset[7].source.shape, dataset[7].source.dtype, dataset[7].mask.dtype
    ((52, 44), dtype('uint8'), dtype('bool'))
    """
    size = _checked(subjects, slices, size)
    check_stages(stages)
    heights = np.linspace(*HEIGHTS, slices) if slices > 1 else np.array([CENTRE[2]])
    cases = []
    for index in range(subjects):
        subject = only(Subject.draw(np.random.default_rng([seed, index])), change)
        label = index % len(stages)
        for position, height in enumerate(heights):
            case = _case(subject, stages[label], index, position, _grid(size, height), size, seed)
            cases.append(replace(case, label=label))
    made = {"subjects": subjects, "slices": slices, "size": list(size), "seed": seed}
    origin = {"maker": "phantom", **made, "change": change, "stages": [int(stage) for stage in stages]}
    return Dataset(classes=tuple(STAGES[stage] for stage in stages), cases=tuple(cases), origin=origin)


@check_arguments(size=SIZE)
def voxel_edge(size: Sequence[int]) -> float:
    """Return the edge of a voxel in mm for images of this size."""
    if len(size) not in (2, 3):
        raise InvalidInput(f"`size` must have 2 axes or 3, got {shown(tuple(size))}.")
    return max(extent / n for extent, n in zip(FIELD_OF_VIEW[-len(size) :], size, strict=True))


def _checked(subjects: int, slices: int, size: Sequence[int]) -> tuple[int, ...]:
    for name, value in (("subjects", subjects), ("slices", slices)):
        if value < 1:
            raise InvalidInput(f"`{name}` must be at least 1, got {value}.")
    if len(size) not in (2, 3) or min(size) < 16:
        raise InvalidInput(
            "`size` must be (height, width) or (depth, height, width) with at least 16 voxels along each "
            f"axis, got {shown(tuple(size))}."
        )
    if len(size) == 3 and slices != 1:
        raise InvalidInput(f"a volume is one image per subject: pass `slices=1` with `size={tuple(size)}`.")
    return tuple(int(n) for n in size)


def check_stages(stages: Sequence[int]) -> None:
    """Refuse stages that there aren't, or that don't rise."""
    known = all(stage in range(len(STAGES)) for stage in stages)
    if not known or len(stages) == 0 or list(stages) != sorted(set(stages)):
        raise InvalidInput(
            f"`stages` must be rising numbers of 0 to 3, such as (0, 2, 3), got {shown(tuple(stages))}."
        )


def only(subject: Subject, change: Change) -> Subject:
    """Return the subject as one whose other structures don't atrophy."""
    if change == "all":
        return subject
    ventricles, hippocampi, sulci = (
        rate if name == change else 0.0
        for name, rate in zip(get_args(Change)[1:], subject.rates, strict=True)
    )
    return replace(subject, rates=(ventricles, hippocampi, sulci))


def _grid(size: tuple[int, ...], height: float) -> Points:
    """Return the centres of the voxels in scanner coordinates, ``(voxels, 3)``, first axis slowest."""
    edge = voxel_edge(size)
    centre = CENTRE[::-1]
    axes = [edge * (np.arange(n) - (n - 1) / 2) for n in size]
    axes[-2] = -axes[-2]
    axes = [axis + c for axis, c in zip(axes, centre[-len(size) :], strict=True)]
    if len(size) == 2:
        axes.insert(0, np.array([height]))
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def _case(
    subject: Subject,
    stage: int,
    index: int,
    position: int,
    points: Points,
    size: tuple[int, ...],
    seed: int,
) -> Case:
    edge = voxel_edge(size)
    brain = brain_depth(subject, points) > 0
    head = Head.at(subject, points[brain])
    now = tissue(head, stage, edge)
    other = tissue(head, 0 if stage else len(STAGES) - 1, edge)
    changed = np.zeros(size, dtype=bool)
    changed[brain.reshape(size)] = np.abs(now - other).sum(axis=1) / 2 > CHANGED
    rng = np.random.default_rng([seed, index, 2 + position])
    habit = np.random.default_rng([seed, index, 1])
    signal = now @ _contrast(habit)
    image = exposed(signal, points[brain], brain.reshape(size), habit, rng)
    name = f"S{index:03d}"
    where = f"{name}/slice {position}" if len(size) == 2 else f"{name}/volume"
    return Case(where, stage, name, image, position if len(size) == 2 else None, changed)


def _contrast(rng: np.random.Generator) -> Array:
    """Return the grey value of each tissue; white matter is 1."""
    typical = np.array([0.12, 0.60, 1.0, 0.76, 0.86])
    spread = np.array([0.02, 0.02, 0.0, 0.02, 0.015])
    return typical + spread * rng.normal(size=len(typical))
