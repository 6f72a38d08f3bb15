"""A volume explained by a network of slices: each slice by itself, stacked back into one explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from xaimri.ahead import read_ahead, side_by_side
from xaimri.arrays import Array, Scores
from xaimri.classifier import CLIP, Classifier
from xaimri.doubts.common import common_caveats
from xaimri.doubts.slices import apart, gathered
from xaimri.explainer import Explainer, at_once
from xaimri.explanation import Explanation, Regions
from xaimri.images.pooling import influences, needed
from xaimri.images.scan import TakenScan
from xaimri.images.taken import Taken
from xaimri.objective import Of, softmax
from xaimri.perturb.workload import repeated
from xaimri.slice_regions import SliceRegions
from xaimri.targets import Target, refuse_prediction, resolve_against
from xaimri.together import explain_together

TOGETHER = 32
"""Slices explained at once, at most."""

STEP = 4
"""Batches of a network are a multiple of this, or padded to one."""

STRONGEST = 5
"""How many of the slices that speak most for the target are named."""


def predict_scan(classifier: Classifier, scan: TakenScan) -> Scores:
    """Return the probabilities of the slices in their order, ``(slices, classes)``.

    A forward pass for each, and one for all even ones of the same value.
    """
    found: dict[int, Array] = {}
    for places, images in read_ahead(_parts(scan.unlike), scan.take_all):
        rows = softmax(classifier.logits(np.stack([image.fitted for image in images])))
        found.update(zip(places, rows, strict=True))
    return np.stack([found[scan.even.get(place, place)] for place in scan.places])


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
    explained for another class are explained once more. Of slices that are alike, as those beside the head,
    one is explained.
    """
    made: dict[int, Explanation] = {}
    guess = target
    each = isinstance(explainer, SliceRegions)  # whose regions differ from slice to slice
    own, first = (scan.places, {}) if each else (scan.unlike, scan.even)

    def explained(part: tuple[Sequence[int], Sequence[Taken], Target]) -> dict[int, Explanation]:
        return _part(classifier, explainer, *part, of, against)

    def parts(places: Sequence[int]) -> Iterator[tuple[Sequence[int], Sequence[Taken], Target]]:
        for part, images in read_ahead(_parts(places), scan.take_all):
            yield part, images, guess

    threads = 1 if isinstance(explainer, SliceRegions) else at_once(explainer, classifier)
    for found in side_by_side(parts(own), explained, threads):
        made.update(found)
        if target is None:
            guess = int(_combined(scan, made, first).argmax())
    if target is None:
        other = _with_company([place for place in own if made[place].target != guess], own, scan)
        for found in map(explained, parts(other)):
            made.update(found)
    return {place: made[first.get(place, place)] for place in scan.places}


def _part(
    classifier: Classifier,
    explainer: Explainer[Any] | SliceRegions,
    places: Sequence[int],
    images: Sequence[Taken],
    target: Target,
    of: Of | None,
    against: Target,
) -> dict[int, Explanation]:
    """Explain some slices together; by regions of an atlas, each alone."""
    if isinstance(explainer, SliceRegions):
        return {
            place: explainer.explain(classifier, place, image, target, of, against)
            for place, image in zip(places, images, strict=True)
        }
    each = [target] * len(images)
    others = None if against is None else [against] * len(images)
    found = explain_together(classifier, explainer, images, each, of, others)
    return dict(zip(places, found, strict=True))


def _with_company(again: Sequence[int], own: Sequence[int], scan: TakenScan) -> Sequence[int]:
    """Return the slices to explain again; even ones with another: alone their score seems constant."""
    textured = [place for place in own if place not in scan.even]
    if not again or not textured or set(again) - set(scan.even):
        return again
    return [*again, textured[len(textured) // 2]]


def _parts(places: Sequence[int]) -> Iterator[Sequence[int]]:
    """Deal places into few parts, each spread over all, and of as many as a network takes without padding."""
    count = -(-len(places) // TOGETHER)
    spread = [place for start in range(count) for place in places[start::count]]
    groups = -(-len(places) // STEP)
    ends = [STEP * (groups * part // count) for part in range(1, count + 1)]
    yield from (spread[first:end] for first, end in pairwise([0, *ends]))


def _combined(scan: TakenScan, made: Mapping[int, Explanation], first: Mapping[int, int]) -> Array:
    """Return the subject's probabilities by the slices that were explained."""
    known = [made[place] for each in scan.places if (place := first.get(each, each)) in made]
    return scan.slices.combined(np.stack([one.probabilities for one in known]))


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
