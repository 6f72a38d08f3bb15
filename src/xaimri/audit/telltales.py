"""What has nothing to do with the brain and tells the class: size, compression, border, bits, scanner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array
from xaimri.data.case import Case
from xaimri.data.looks import Looks

FOLDS = 5
"""Groups are held out in so many parts."""

DEALS = 499
"""How often the labels are dealt anew over groups."""

BINS = 12
"""A number is taken for one of so many ranges, of equal counts."""

CERTAIN = 0.05
"""A telltale is found below this probability, after Holm's correction for how many were looked at."""

FEWEST = 10
"""With fewer groups nothing is told."""


@dataclass(frozen=True)
class Telltale:
    """How well one property of files or images tells the class of groups that were held out.

    Attributes
    ----------
    name
        The property.
    accuracy
        Balanced accuracy, from nothing but this property.
    chance
        Its mean where the labels are dealt anew over groups.
    p
        How often that gives as much, corrected by Holm for how many properties were looked at.
    """

    name: str
    accuracy: float
    chance: float
    p: float

    @property
    def found(self) -> bool:
        """Whether the property tells the class beyond chance."""
        return self.p < CERTAIN

    @property
    def sentence(self) -> str:
        """What it tells, in words."""
        how = "tells" if self.found else "does not tell"
        return (
            f"The {self.name} {how} the class by itself: balanced accuracy {self.accuracy:.2f} on groups "
            f"held out, {self.chance:.2f} by chance (p {self.p:.3f})."
        )

    def row(self) -> list[str]:
        """Return the fields as words, as they stand in a table."""
        figures = (
            f"{each:.{digits}f}" for each, digits in ((self.accuracy, 2), (self.chance, 2), (self.p, 3))
        )
        return [self.name, *figures, "tells the class" if self.found else ""]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {**self.__dict__, "found": self.found}


def telltales(
    cases: Sequence[Case], looks: Sequence[Looks], labels: Int[Array, " cases"], groups: Int[Array, " cases"],
    seed: int,
) -> tuple[Telltale, ...]:  # fmt: skip
    """Return how well each property that varies tells the class, the best first.

    The class in which a value, or a range of numbers, is most frequent is what it says.
    Groups are held out in 5 parts. Nothing is returned of one class, or fewer than 10 groups.
    """
    if len(np.unique(groups)) < FEWEST or len(np.unique(labels)) < 2:
        return ()
    found = []
    for name, values in _properties(cases, looks).items():
        codes = _codes(values)
        if codes.max() > 0:
            found.append((name, *_told(codes, labels, groups, seed)))
    found.sort(key=lambda each: each[3])
    corrected, worst = [], 0.0
    for place, (name, accuracy, chance, p) in enumerate(found):
        worst = max(worst, min(1.0, p * (len(found) - place)))
        corrected.append(Telltale(name, accuracy, chance, worst))
    return tuple(sorted(corrected, key=lambda each: (each.p, -each.accuracy)))


def _properties(cases: Sequence[Case], looks: Sequence[Looks]) -> dict[str, Array]:
    """Return every property's values: words, or numbers."""
    heads = [_head(case) for case in cases]
    names = dict.fromkeys(name for head in heads for name in head)
    found = {name: np.array([head.get(name, "") for head in heads]) for name in names}
    found["mean brightness"] = np.concatenate([each.mean for each in looks])
    found["brightness of the rim"] = np.concatenate([each.border for each in looks])
    return found


def _head(case: Case) -> Mapping[str, str]:
    """Return what a file's head says, as words; of an array, its size and type."""
    source = case.source
    if isinstance(source, np.ndarray):
        return {"size": str(source.shape), "type of the pixels": str(source.dtype)}
    if not isinstance(source, Path):
        return {}
    words = {"kind of file": source.suffix.lower()}
    with suppress(Exception):  # a file that can't be read; whoever reads it says so
        words |= _dicom(source) if source.suffix.lower() == ".dcm" else _picture(source)
    return words


def _picture(file: Path) -> dict[str, str]:
    from PIL import Image

    with Image.open(file) as picture:
        words = {"size": str(picture.size), "type of the pixels": picture.mode}
        tables = getattr(picture, "quantization", None)
        if tables:
            words["tables of the compression"] = str(sorted((k, tuple(v)) for k, v in tables.items()))
        exif = picture.getexif()
        words["camera or program"] = str([exif.get(tag) for tag in (271, 272, 305)])
    return words


def _dicom(file: Path) -> dict[str, str]:
    from pydicom import dcmread

    head = dcmread(file, stop_before_pixels=True)
    scanner = ("Manufacturer", "ManufacturerModelName", "MagneticFieldStrength", "SoftwareVersions")
    return {
        "size": str((head.get("Rows"), head.get("Columns"))),
        "type of the pixels": str(head.get("BitsStored")),
        "scanner": str([str(head.get(name)) for name in scanner]),
    }


def _codes(values: Array) -> Int[Array, " cases"]:
    """Return every value's number from 0; numbers are cut into ranges of equal counts."""
    if values.dtype.kind == "f":
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
        values = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), -1)
    codes: Array = np.unique(values, return_inverse=True)[1]
    return codes.astype(np.int64)


def _told(codes: Array, labels: Array, groups: Array, seed: int) -> tuple[float, float, float]:
    """Return balanced accuracy on held-out groups, that by chance, and how often chance does as well."""
    generator = np.random.default_rng(seed)
    many, classes = int(groups.max()) + 1, int(labels.max()) + 1
    count = np.zeros((many, classes))
    np.add.at(count, (groups, labels), 1)
    own = count.argmax(axis=1)
    order = generator.permutation(many)
    fold = np.empty(many, np.int64)
    fold[order[np.argsort(own[order], kind="stable")]] = np.arange(many) % FOLDS
    real = _accuracy(codes, labels, fold[groups])
    dealt = [_accuracy(codes, generator.permutation(own)[groups], fold[groups]) for _ in range(DEALS)]
    above = sum(each >= real - 1e-12 for each in dealt)
    return real, float(np.mean(dealt)), (1 + above) / (1 + DEALS)


def _accuracy(codes: Array, labels: Array, fold: Array) -> float:
    """Return the balanced accuracy of the class in which each value is most frequent in the other folds."""
    kinds, classes = int(codes.max()) + 1, int(labels.max()) + 1
    flat = (fold * kinds + codes) * classes + labels
    count = np.bincount(flat, minlength=FOLDS * kinds * classes).reshape(FOLDS, kinds, classes)
    rest = count.sum(axis=0) - count
    total = rest.sum(axis=1, keepdims=True)
    says = ((rest + 1 / kinds) / (total + 1)).argmax(axis=2)
    right = np.take_along_axis(count, says[:, :, None], axis=2)[:, :, 0]
    hit = np.zeros(classes)
    np.add.at(hit, says.ravel(), right.ravel())
    present = count.sum(axis=(0, 1))
    share = [h / n for h, n in zip(hit, present, strict=True) if n]
    return math.fsum(share) / len(share)
