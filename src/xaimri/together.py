"""Images of one shape explained together, and each map carried to its image as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xaimri.atlas import Atlas
from xaimri.atlas.sums import share_outside
from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.explainers.anatomy import atlas_of, on_model, on_scan, with_labels, with_source
from xaimri.explanation import Explanation
from xaimri.images.taken import Taken
from xaimri.objective import Of
from xaimri.targets import Target


def explain_together(
    classifier: Classifier,
    explainer: Explainer[Any],
    images: Sequence[Taken],
    targets: Sequence[Target],
    of: Of | None = None,
    against: Sequence[Target] | None = None,
    *,
    on_grid: bool = False,
) -> list[Explanation]:
    """Explain images of one shape together, and carry the maps to the images as they were given.

    A method whose regions are an atlas' explains each scan by itself, by label images of its own.
    """
    atlas = atlas_of(explainer)
    if atlas is not None:
        return [
            each
            for scan, aims, others in _by_scan(images, targets, against)
            for each in _by_atlas(classifier, explainer, atlas, scan, aims, of, others, on_grid)
        ]
    batch = np.stack([one.fitted for one in images])
    found = explainer.explain(classifier, batch, list(targets), of=of, against=against)
    pairs = zip(found, images, strict=True)
    if on_grid:
        return [replace(map_, caveats=(*map_.caveats, *one.caveats)) for map_, one in pairs]
    return [_carry(map_, one) for map_, one in pairs]


def _by_scan(
    images: Sequence[Taken], targets: Sequence[Target], against: Sequence[Target] | None
) -> list[tuple[Taken, list[Target], list[Target] | None]]:
    """Return each scan with all that is asked of it, which has the same predictions."""
    runs: list[list[int]] = []
    for place, one in enumerate(images):
        if runs and images[runs[-1][0]] is one:
            runs[-1].append(place)
        else:
            runs.append([place])
    return [
        (images[run[0]], [targets[n] for n in run], None if against is None else [against[n] for n in run])
        for run in runs
    ]


def _by_atlas(
    classifier: Classifier,
    explainer: Explainer[Any],
    atlas: Atlas,
    scan: Taken,
    targets: Sequence[Target],
    of: Of | None,
    against: Sequence[Target] | None,
    on_grid: bool,
) -> list[Explanation]:
    """Explain one scan by the regions of an atlas, whose own borders its map has."""
    labels = on_model(atlas, scan)
    own = with_labels(explainer, labels)
    several = [scan] * len(targets)
    found = explain_together(classifier, own, several, targets, of, against, on_grid=on_grid)
    outside = share_outside(labels, scan.fitted)
    told = [with_source(each, atlas, labels, outside) for each in found]
    return told if on_grid else [on_scan(each, atlas, scan) for each in told]


def _carry(explanation: Explanation, taken: Taken) -> Explanation:
    """Lay an explanation on the user's image, with its caveats, the size of its voxels and its window."""
    carried = explanation.carried(taken.grid, taken.image)
    seen = {} if taken.window is None else {"window": taken.window.record()}
    return replace(
        carried,
        diagnostics={**carried.diagnostics, **seen},
        caveats=(*carried.caveats, *taken.caveats),
        spacing=taken.spacing,
        affine=taken.affine,
        scan=taken.scan,
    )
