"""A volume explained by a network of slices: each slice by itself, stacked back into one explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xaimri.arrays import Array, Labels, Scores
from xaimri.atlas import Atlas
from xaimri.atlas.sums import share_outside
from xaimri.classifier import CLIP, Classifier
from xaimri.doubts.common import common_caveats
from xaimri.doubts.slices import apart, gathered
from xaimri.explainer import Explainer
from xaimri.explainers.anatomy import atlas_of, on_model, on_scan, with_labels, with_source
from xaimri.explanation import Explanation, Regions
from xaimri.images.pooling import influences, needed
from xaimri.images.scan import TakenScan
from xaimri.objective import Of, softmax
from xaimri.perturb.workload import repeated
from xaimri.targets import Target, refuse_prediction, resolve_against
from xaimri.together import explain_together

TOGETHER = 32
"""Slices explained at once, at most."""

STRONGEST = 5
"""How many of the slices that speak most for the target are named."""


def predict_scan(classifier: Classifier, scan: TakenScan) -> Scores:
    """Return the probabilities of the slices in their order, ``(slices, classes)``; a forward pass each."""
    rows = [
        softmax(
            classifier.logits(np.stack([scan.take(place).fitted for place in scan.places[start:][:TOGETHER]]))
        )
        for start in range(0, len(scan.places), TOGETHER)
    ]
    return np.concatenate(rows)


def explain_scan(
    classifier: Classifier,
    explainer: Explainer[Any],
    scan: TakenScan,
    target: Target = None,
    of: Of | None = None,
    against: Target = None,
) -> Explanation:
    """Explain every slice for one class of the subject, and stack the maps into one on the volume's grid.

    Without a target it is the class that the slices together are predicted to be of. A class activation map
    costs one forward pass a slice, and one more for those slices that are predicted otherwise at first; of
    another method, or where a rule of the user's own pools the slices, all are predicted first.

    Parameters
    ----------
    classifier, explainer, of
        As of :func:`xaimri.explain`.
    scan
        The volume, and which of its slices are given.
    target, against
        The class, and the one that it is held against.

    Raises
    ------
    UnusableImage
        If a slice can't be brought to the model or explained.
    """
    regions = SliceRegions.of(explainer, scan)
    with repeated(len(scan.places)):
        guessed = explainer.family == "class activation map" and not callable(scan.slices.combine)
        if target is None and (against is not None or not guessed):
            target = _predicted(classifier, scan, against)
        made = _explained(classifier, regions or explainer, scan, target, of, against)
    found = _stacked(scan, made)
    return found if regions is None else regions.told(found)


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
        self, classifier: Classifier, place: int, target: Target, of: Of | None, against: Target
    ) -> Explanation:
        """Explain one slice by its own regions."""
        image = self.scan.take(place)
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


def _predicted(classifier: Classifier, scan: TakenScan, against: Target) -> int:
    """Return the class that the slices together are predicted to be of."""
    predicted = int(scan.slices.combined(predict_scan(classifier, scan)).argmax())
    others = resolve_against(against, (None,), classifier.classes) if against is not None else None
    refuse_prediction([None], np.array([predicted]), others, classifier.classes)
    return predicted


def _explained(
    classifier: Classifier,
    explainer: Explainer[Any] | SliceRegions,
    scan: TakenScan,
    target: Target,
    of: Of | None,
    against: Target,
) -> dict[int, Explanation]:
    """Explain the slices; without a target for the class that those before are predicted to be of.

    Every part is spread over the volume, so that the first tells the subject's class best; slices that were
    explained for another class are explained once more.
    """
    made: dict[int, Explanation] = {}
    guess = target
    for part in _parts(scan, scan.places):
        made.update(_part(classifier, explainer, scan, part, guess, of, against))
        if target is None:
            guess = int(_combined(scan, made).argmax())
    whole = {place: made[place] for place in scan.places}
    if target is None:
        other = [place for place, one in whole.items() if one.target != guess]
        for part in _parts(scan, other):
            whole.update(_part(classifier, explainer, scan, part, guess, of, against))
    return whole


def _part(
    classifier: Classifier,
    explainer: Explainer[Any] | SliceRegions,
    scan: TakenScan,
    places: Sequence[int],
    target: Target,
    of: Of | None,
    against: Target,
) -> dict[int, Explanation]:
    """Explain some slices together; by regions of an atlas, each alone."""
    if isinstance(explainer, SliceRegions):
        return {place: explainer.explain(classifier, place, target, of, against) for place in places}
    images = [scan.take(place) for place in places]
    each = [target] * len(images)
    others = None if against is None else [against] * len(images)
    found = explain_together(classifier, explainer, images, each, of, others)
    return dict(zip(places, found, strict=True))


def _parts(scan: TakenScan, places: Sequence[int]) -> Iterator[Sequence[int]]:
    """Deal places into few parts, each spread over all; of constant slices, whose maps are empty, apart.

    Where a map is empty, other images are asked about, once a part.
    """
    blank = {place for place in places if np.ptp(np.take(scan.image, place, axis=scan.axis)) == 0}
    for empty in (False, True):
        kind = [place for place in places if (place in blank) is empty]
        count = -(-len(kind) // TOGETHER)
        yield from (kind[start::count] for start in range(count))


def _combined(scan: TakenScan, made: Mapping[int, Explanation]) -> Array:
    """Return the subject's probabilities by the slices that were explained."""
    return scan.slices.combined(np.stack([made[place].probabilities for place in sorted(made)]))


def _stacked(scan: TakenScan, made: Mapping[int, Explanation]) -> Explanation:
    """Make one explanation of the subject from those of the slices."""
    first = next(iter(made.values()))
    rows = np.stack([one.probabilities for one in made.values()])
    together = scan.slices.combined(rows)
    errors = {place: one.errors for place, one in made.items() if one.errors is not None}
    values = scan.stacked({place: one.values for place, one in made.items()}, 0.0)
    findings = _findings(scan, rows, first.target)
    odd = common_caveats(scan.image, values, together, first.target, "logit", first.against)
    known = {caveat.reason for caveat in (*odd, *scan.caveats)}
    told = {place: [each for each in one.caveats if each.reason not in known] for place, one in made.items()}
    return Explanation(
        values=values,
        image=scan.image,
        target=first.target,
        of=first.of,
        unit=first.unit,
        logits=np.log(np.maximum(together, CLIP)).astype(np.float32),
        probabilities=together.astype(np.float32),
        classes=first.classes,
        method=first.method,
        method_arrays=first.method_arrays,
        errors=scan.stacked(errors, 0.0) if len(errors) == len(made) else None,
        regions=_regions(scan, made),
        diagnostics={**_shared([one.diagnostics for one in made.values()]), "slices": findings},
        caveats=(*odd, *gathered(told, findings["strongest"]), *scan.caveats, *apart(rows, together)),
        spacing=scan.picture.spacing,
        affine=scan.picture.affine,
        against=first.against,
        scan=scan.picture.scan,
    )


def _findings(scan: TakenScan, rows: Scores, target: int) -> dict[str, Any]:
    """Say what every slice says, and which decided."""
    moved = influences(scan.slices.combine, rows, target)
    order = sorted(range(len(rows)), key=lambda n: -(moved[n] or 0.0))
    predicted = int(scan.slices.combined(rows).argmax()) == target
    return {
        **scan.record(),
        "probabilities": rows.astype(float).round(6).tolist(),
        "influences": moved,
        "strongest": [scan.places[n] for n in order[:STRONGEST] if len(rows) == 1 or (moved[n] or 0) > 0],
        "needed": needed(scan.slices.combine, rows, order) if predicted else None,
    }


def _regions(scan: TakenScan, made: Mapping[int, Explanation]) -> Regions | None:
    """Number the regions of all slices one after the other."""
    found = {place: one.regions for place, one in made.items() if one.regions is not None}
    if len(found) < len(made):
        return None
    labels: dict[int, Array] = {}
    count = 0
    for place, regions in found.items():
        labels[place] = np.where(regions.labels < 0, -1, regions.labels + count)
        count += len(regions.values)
    errors = [regions.errors for regions in found.values() if regions.errors is not None]
    return Regions(
        scan.stacked(labels, -1),
        np.concatenate([regions.values for regions in found.values()]),
        np.concatenate(errors) if len(errors) == len(found) else None,
    )


def _shared(diagnostics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the diagnostics of all slices share; of what differs, a list with an entry for each."""
    names = dict.fromkeys(name for one in diagnostics for name in one)
    each = {name: [one.get(name) for one in diagnostics] for name in names}
    return {name: found[0] if _is_one(found) else found for name, found in each.items()}


def _is_one(values: Sequence[Any]) -> bool:
    return all(repr(value) == repr(values[0]) for value in values)
