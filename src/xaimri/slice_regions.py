"""The regions of an atlas, cut into the slices of a volume, for a method that hides them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xaimri.arrays import Labels
from xaimri.atlas import Atlas
from xaimri.atlas.sums import share_outside
from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.explainers.anatomy import atlas_of, on_model, on_scan, with_labels, with_source
from xaimri.explanation import Explanation
from xaimri.images.scan import TakenScan
from xaimri.images.taken import Taken
from xaimri.objective import Of
from xaimri.targets import Target
from xaimri.together import explain_together


@dataclass(frozen=True, eq=False)
class SliceRegions:
    """The regions of an atlas, cut into the slices of one scan, for a method that hides them.

    Attributes
    ----------
    explainer, atlas, scan
        The method, its atlas, and the scan.
    labels
        ``(*space)``: the atlas on the scan's own grid.
    kept
        Labels that have a pixel in a slice on the model's grid, as far as slices are explained.
    """

    explainer: Explainer[Any]
    atlas: Atlas
    scan: TakenScan
    labels: Labels
    kept: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, explainer: Explainer[Any], scan: TakenScan) -> SliceRegions | None:
        """Lay a method's atlas on the scan; None where it has none."""
        atlas = atlas_of(explainer)
        if atlas is None:
            return None
        return cls(explainer, atlas, scan, atlas.on(scan.image.shape[:-1], scan.picture.affine))

    def explain(
        self,
        classifier: Classifier,
        place: int,
        image: Taken,
        target: Target,
        of: Of | None,
        against: Target,
    ) -> Explanation:
        """Explain one slice by its own regions; ``image`` is the slice as it reaches the model."""
        cut = self.scan.turn.lay(np.take(self.labels, place, axis=self.scan.axis))
        atlas = self.atlas.slice_of(np.ascontiguousarray(cut))
        labels = on_model(atlas, image)
        self.kept.update(np.unique(labels).tolist())
        others = None if against is None else [against]
        own = with_labels(self.explainer, labels)
        return on_scan(explain_together(classifier, own, [image], [target], of, others)[0], atlas, image)

    def told(self, explanation: Explanation) -> Explanation:
        """Return the volume's explanation, which says which atlas its regions are from.

        Its record is that of the method with the atlas, as the labels of each slice are of that slice alone.
        """
        outside = share_outside(self.labels, self.scan.image)
        record, arrays = self.explainer.record(), self.explainer.arrays()
        made = replace(explanation, method=record, method_arrays=arrays)
        return with_source(made, self.atlas, np.array(sorted(self.kept)), outside)
