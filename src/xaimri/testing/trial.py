"""What the checks of an explainer share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xaimri.arrays import Images
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation


@dataclass(frozen=True, eq=False)
class Trial:
    """An explainer, with a model and images to try it on."""

    explainer: Explainer[Any]
    model: Any
    images: Images
    tolerance: float

    def run(self, images: Images | None = None, targets: Any = None) -> tuple[Explanation, ...]:
        """Explain a copy of the images."""
        given = (self.images if images is None else images).copy()
        return self.explainer.explain(self.model, given, targets)
