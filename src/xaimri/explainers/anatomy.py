"""Regions of an atlas as those that a method hides: each scan gets a label image of its own."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, cast

import numpy as np

from xaimri.arrays import Array, Image, Labels, Stored
from xaimri.atlas import Atlas
from xaimri.atlas.sums import FITS
from xaimri.caveats import Caveat, Reason
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation, Regions
from xaimri.images.foreground import foreground
from xaimri.images.taken import Taken

REST = 0
"""The region of what lies in the object and in no region of the atlas; -1 lies outside of the object."""


def atlas_of(explainer: Explainer[Any]) -> Atlas | None:
    """Return the atlas that a method, or one that it wraps, is to take its regions from; None without one."""
    for each in fields(cast(Any, explainer)):
        value = getattr(explainer, each.name)
        found = atlas_of(value) if isinstance(value, Explainer) else value
        if isinstance(found, Atlas):
            return found
    return None


def for_scan(explainer: Explainer[Any], scan: Taken) -> Explainer[Any]:
    """Return the method with the label image of one scan, on the model's grid, in place of an atlas.

    Raises
    ------
    InvalidInput
        If it isn't known how the atlas lies on the scan; `UnusableImage` where that is the scan's fault.
    """
    atlas = atlas_of(explainer)
    return explainer if atlas is None else with_labels(explainer, on_model(atlas, scan))


def on_model(atlas: Atlas, scan: Taken) -> Labels:
    """Return the regions of one scan on the model's grid; errors as of `for_scan`."""
    labels = atlas.on(scan.image.shape[:-1], scan.affine, scan.grid)
    return regions_with_rest(labels, scan.fitted)


def with_labels(explainer: Explainer[Any], labels: Labels) -> Explainer[Any]:
    """Put a label image in place of every atlas."""
    changed: dict[str, Any] = {}
    for each in fields(cast(Any, explainer)):
        value = getattr(explainer, each.name)
        if isinstance(value, Atlas):
            changed[each.name] = Stored(labels)
        elif isinstance(value, Explainer) and atlas_of(value) is not None:
            changed[each.name] = with_labels(value, labels)
    made: Explainer[Any] = replace(cast(Any, explainer), **changed)
    return made


def on_scan(explanation: Explanation, atlas: Atlas, scan: Taken) -> Explanation:
    """Return an explanation whose regions have the atlas' own borders on the scan, rather than the model's.

    Each region keeps its value; one that has no pixel on the model's grid, and wasn't tested, has none.
    """
    regions = explanation.regions
    if regions is None:
        return explanation
    labels = regions_with_rest(atlas.on(scan.image.shape[:-1], scan.affine), scan.image)
    more = max(int(labels.max()) + 1 - len(regions.values), 0)
    values = np.pad(regions.values, (0, more), constant_values=np.nan)
    errors = regions.errors
    errors = None if errors is None else np.pad(errors, (0, more), constant_values=np.nan)
    laid, kind = Regions(labels, values, errors), explanation.values.dtype
    return replace(
        explanation,
        regions=laid,
        values=laid.paint(values).astype(kind),
        errors=None if errors is None else laid.paint(errors).astype(kind),
    )


def with_source(explanation: Explanation, atlas: Atlas, labels: Array, outside: float) -> Explanation:
    """Return an explanation that says which atlas its regions are from, and which of them were lost.

    ``labels`` are those that are left on the model's grid, in any shape; ``outside`` is the share of their
    voxels that lies outside of the object.
    """
    lost = np.setdiff1d(atlas.numbers, labels).tolist()
    record = {
        "sha256": atlas.sha256, "file": atlas.file, "regions": len(atlas.numbers), "lost": lost,
        "names": {str(label): name for label, name in atlas.names.items()},
    }  # fmt: skip
    return replace(
        explanation,
        diagnostics={**explanation.diagnostics, "atlas": record},
        caveats=(*explanation.caveats, *_lost(atlas, lost), *_off(outside)),
    )


def regions_with_rest(labels: Labels, image: Image) -> Labels:
    """Return labels of an atlas as regions to hide: the rest of the object is one more, the ground is none.

    Examples
    --------
    >>> image = np.pad(np.ones((2, 3, 1)), ((1, 1), (1, 1), (0, 0)))
    >>> regions_with_rest(np.where(image[..., 0] > 0, [[0, 4, 4, 0, 0]] * 4, 0), image)[1].tolist()
    [-1, 4, 4, 0, -1]
    """
    return np.where((labels == 0) & ~foreground(image), -1, labels)


def _off(outside: float) -> list[Caveat]:
    """Return the caveat of an atlas that lies elsewhere than the object."""
    return [Reason.OFF_OBJECT.caveat(percent=100 * outside)] if outside > FITS else []


def _lost(atlas: Atlas, lost: list[int]) -> list[Caveat]:
    """Return the caveat of regions that have no pixel on the model's grid."""
    if not lost:
        return []
    name, count = atlas.name_of(lost[0]), len(atlas.numbers)
    return [Reason.UNTESTED_REGIONS.caveat(lost=len(lost), regions=count, name=name)]
