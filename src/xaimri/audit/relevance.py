"""Where the relevance of maps lies: inside the object, on its rim, or around it; and mean maps of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xaimri.arrays import Array, Map
from xaimri.audit.clusters import Clusters, clusters_of
from xaimri.audit.scene import Scene
from xaimri.classifier import Classifier
from xaimri.data.case import Case, Dataset
from xaimri.data.persons import persons
from xaimri.endings import endings
from xaimri.errors import MissingCapability, UnusableImage
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.mean_maps import MeanMaps
from xaimri.explainer import Explainer, require
from xaimri.explanation import Explanation
from xaimri.failure import Failure
from xaimri.images.intake import Intake
from xaimri.questions import Question
from xaimri.sources import Named

PARTS = ("inside", "rim", "around")
"""The object without its rim, the rim, and what lies around both."""


@dataclass(frozen=True)
class Share:
    """How much of the positive relevance lies in a part of the image, beside how much of the area.

    Attributes
    ----------
    part
        ``"inside"``, ``"rim"`` or ``"around"``.
    relevance, area
        Means over people; of images that show an object and have positive relevance.
    excess
        The one less the other, in pairs: 0 where relevance is spread evenly.
    """

    part: str
    relevance: Estimate
    area: float
    excess: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        figures = {name: getattr(self, name).to_dict() for name in ("relevance", "excess")}
        return {"part": self.part, "area": self.area, **figures}


@dataclass(frozen=True, eq=False)
class MeanMap:
    """The mean map of a class over its people, each of one map's absolute size, with its standard error."""

    name: str
    mean: Map
    error: Map
    subjects: int


@dataclass(frozen=True, eq=False)
class Relevance:
    """Where maps of some of the images lie.

    Attributes
    ----------
    method, title
        Whose maps they are, each of its image's own class, by name and as figures write it.
    images
        How many were explained.
    empty
        Those among them without an object, or without positive relevance.
    shares
        One for each part; none where no image counts.
    cell, rim
        Pixels from cell to cell of the maps, 0 where they have none, and of the rim across.
    means
        Of each class with at least two people, where all images have one shape.
    clusters
        Of the maps; None where there are too few.
    note
        Why there are no maps; empty where there are.
    """

    method: str
    images: int = 0
    empty: int = 0
    shares: tuple[Share, ...] = ()
    cell: float = 0.0
    rim: int = 0
    means: tuple[MeanMap, ...] = ()
    clusters: Clusters | None = None
    note: str = ""
    title: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the maps can't tell."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        if self.note:
            yield f"Maps: {self.note}"
        if self.empty:
            yield f"{self.empty} of {self.images} maps have no positive relevance, or show no object."
        if self.cell > self.rim > 0:
            yield (
                f"A cell of the maps is {self.cell:.0f} pixels wide and the rim {self.rim}: what lies inside "
                "it, on it and around it runs together."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the maps as JSON types."""
        return {
            "method": self.method,
            "images": self.images,
            "empty": self.empty,
            "shares": [share.to_dict() for share in self.shares],
            "cell": self.cell,
            "rim": self.rim,
            "clusters": None if self.clusters is None else self.clusters.to_dict(),
            "notes": list(self.notes),
        }


@dataclass(eq=False)
class _Tally:
    """Shares and sums of maps by person, as they come; `person` has the name of each case's."""

    person: Mapping[str, str]
    shares: dict[str, list[Array]] = field(default_factory=dict)
    means: MeanMaps[int] = field(default_factory=MeanMaps)
    maps: list[Map] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    empty: int = 0
    cell: float = 0.0
    rim: int = 0

    def add(self, case: Case, made: Explanation) -> None:
        """Count one map."""
        person = self.person[case.id]
        values = np.nan_to_num(np.asarray(made.values, np.float64))
        scene, positive = Scene(np.asarray(made.image, np.float32)), np.maximum(values, 0)
        grid = made.diagnostics.get("grid")
        self.cell = max(self.cell, *(() if grid is None else map(float, grid["step"])), 0.0)
        self.rim = max(self.rim, 2 * scene.width)
        if scene.inside is None or scene.rim is None or scene.around is None or positive.sum() == 0:
            self.empty += 1
        else:
            parts = (scene.inside & ~scene.rim, scene.rim, scene.around)
            relevance = [positive[part].sum() / positive.sum() for part in parts]
            area = [part.mean() for part in parts]
            self.shares.setdefault(person, []).append(np.array([relevance, area]))
        size = np.abs(values).mean()
        unit = values / size if size > 0 else values
        if not self.maps or self.maps[0].shape == unit.shape:  # else there are no mean maps
            self.means.add(case.label, person, unit)
        self.maps.append(unit.astype(np.float32))
        self.cases.append(case)


def relevance_of(
    classifier: Classifier,
    intake: Intake,
    explainer: Explainer[Any],
    cases: Dataset,
    most: int,
    bootstrap: Bootstrap,
) -> Relevance:
    """Explain some of the cases, of as many people as can be, and see where the relevance lies.

    Costs the method once for every image explained.
    """
    try:
        require(explainer, classifier)
    except MissingCapability as refusal:
        return Relevance(explainer.name, note=str(refusal))
    chosen = some_of(cases, most)
    ids = [case.id for case in chosen]
    tally = _Tally(dict(zip(ids, persons(ids, [case.subject for case in chosen]), strict=True)))
    questions = [Question(Named(case.id, case), case.label) for case in chosen]
    try:
        for (_, ending), case in zip(
            endings(classifier, intake, explainer, questions, on_grid=True), chosen, strict=True
        ):
            if not isinstance(ending, Failure):
                tally.add(case, ending)
    except (MissingCapability, UnusableImage) as refusal:
        return Relevance(explainer.name, note=str(refusal))
    return Relevance(
        explainer.name, len(tally.maps), tally.empty, _shares(tally.shares, bootstrap), tally.cell, tally.rim,
        tuple(_means(tally, cases.classes)),
        clusters_of(tally.maps, tally.cases, cases.classes, bootstrap.seed), title=explainer.title,
    )  # fmt: skip


def some_of(cases: Dataset, most: int) -> list[Case]:
    """Return at most so many cases: each person's middle one first, people of the classes in turn."""
    turns: list[tuple[int, int, int]] = []
    own: dict[tuple[int, object], list[int]] = {}
    for place, case in enumerate(cases):
        own.setdefault((case.label, place if case.subject is None else case.subject), []).append(place)
    met: dict[int, int] = {}
    for (label, _), places in own.items():
        met[label] = met.get(label, 0) + 1
        middle = sorted(places, key=lambda place: abs(place - places[len(places) // 2]))
        turns += [(turn, met[label], place) for turn, place in enumerate(middle)]
    return [cases[place] for place in sorted(place for *_, place in sorted(turns)[:most])]


def _shares(found: Mapping[str, Sequence[Array]], bootstrap: Bootstrap) -> tuple[Share, ...]:
    """Return the shares over people."""
    if not found:
        return ()
    each = np.stack([np.mean(own, axis=0) for own in found.values()])  # (people, 2, parts)
    weights = bootstrap.weights(np.zeros(len(each), np.int64))
    drawn = np.tensordot(weights, each, axes=1) / len(each)
    mean, people = each.mean(axis=0), len(each)
    return tuple(
        Share(
            part,
            bootstrap.estimate(float(mean[0, n]), drawn[:, 0, n], people),
            float(mean[1, n]),
            bootstrap.estimate(float(mean[0, n] - mean[1, n]), drawn[:, 0, n] - drawn[:, 1, n], people),
        )
        for n, part in enumerate(PARTS)
    )


def _means(tally: _Tally, classes: Sequence[str]) -> Iterator[MeanMap]:
    """Yield the mean map of every class with its standard error over people, if all maps have one shape."""
    if len({one.shape for one in tally.maps}) > 1:
        return
    for label, own in sorted(tally.means.closed(), key=lambda each: each[0]):
        if own.count > 1:
            mean, error = own.mean.astype(np.float32), own.error().astype(np.float32)
            yield MeanMap(classes[label], mean, error, own.count)
