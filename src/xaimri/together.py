"""Images of one shape explained together, and each map carried to its image as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation
from xaimri.images.intake import Taken
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
    """Explain images of one shape together, and carry the maps to the images as they were given."""
    batch = np.stack([one.fitted for one in images])
    found = explainer.explain(classifier, batch, list(targets), of=of, against=against)
    told = [
        replace(map_, caveats=(*map_.caveats, *one.caveats)) for map_, one in zip(found, images, strict=True)
    ]
    return told if on_grid else [_carry(map_, one) for map_, one in zip(told, images, strict=True)]


def _carry(explanation: Explanation, taken: Taken) -> Explanation:
    """Lay an explanation on the user's image, with the size of its voxels and its window."""
    carried = explanation.carried(taken.grid, taken.image)
    seen = {} if taken.window is None else {"window": taken.window.record()}
    return replace(
        carried,
        diagnostics={**carried.diagnostics, **seen},
        spacing=taken.spacing,
        affine=taken.affine,
        scan=taken.scan,
    )
