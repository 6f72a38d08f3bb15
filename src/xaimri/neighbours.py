"""Similar cases: which training cases a network sees nearest to an image, in its own features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.data.unread import without_unread
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.features import Distance, distances, features_of
from xaimri.kinds import Anything
from xaimri.model import Model, open_model
from xaimri.perturb.progress import Watcher, expect, watched
from xaimri.rules import Choice, WholeNumber
from xaimri.sources import Named, Sources, name_images

Vectors: TypeAlias = Float[Array, "images features"]
"""A row for each image."""

SPARE = 8
"""Candidates beside those asked for: the search rounds, and the order is settled without."""


@dataclass(frozen=True)
class Neighbour:
    """A training case near to an image.

    Attributes
    ----------
    case
        The training case.
    name
        Of its class.
    distance
        Between both images' features; 0 where the network sees no difference.
    """

    case: Case
    name: str
    distance: float


@dataclass(frozen=True, eq=False, repr=False)
class Neighbourhood:
    """The training cases as a network sees them; :meth:`of` makes one, to be asked many times.

    Attributes
    ----------
    model
        The network, and how images reach it.
    cases
        The training cases that can be read.
    features
        ``(cases, features)``: the input of the network's last dense layer.
    failures
        Why other training cases can't be read.
    distance
        How far apart two images are.
    """

    model: Model
    cases: Dataset
    features: Vectors
    failures: tuple[Failure, ...] = ()
    distance: Distance = "euclidean"

    @classmethod
    @check_arguments(model=Anything(), progress=Anything(), distance=Choice(get_args(Distance)))
    def of(
        cls,
        model: ModelLike,
        training: Dataset,
        *,
        distance: Distance = "euclidean",
        progress: bool | Watcher = False,
    ) -> Neighbourhood:
        """Read the training cases, and keep the features of each.

        Costs one forward pass a case, and 4 bytes of memory for each of its features: 8 KB a case of a
        ResNet50, 240 MB of 30,000.

        Parameters
        ----------
        model
            As of :func:`xaimri.open_model`. It must hand out features (`xaimri.classifier.Featured`).
        training
            The cases that it learned from, with subjects where they are known.
        distance
            ``"euclidean"``, or ``"cosine"``: 1 less the cosine of the angle between features.
        progress
            As of :func:`xaimri.explain`.

        Raises
        ------
        MissingCapability
            If the network hands out no features.
        InvalidInput
            If there is no case, or none can be read.
        """
        opened = open_model(model)
        if not len(training):
            raise InvalidInput("`training` has no case: give the cases that the network learned from.")
        failures: list[Failure] = []
        with watched(progress):
            expect(len(training))
            named = (Named(case.id, case) for case in training)
            rows = [row for _, row in features_of(opened, named, failures)]
        left = without_unread(training, failures)
        return cls(opened, left, np.stack(rows), tuple(failures), distance)

    def __repr__(self) -> str:
        cases, features = self.features.shape
        return f"<Neighbourhood: {cases:,} training cases, {features:,} features, {self.distance}>"

    def itself(self, subject: str | None, name: str | None = None, source: object = None) -> frozenset[int]:
        """Return the places of the training cases that are no neighbours of an image: those of its subject.

        Parameters
        ----------
        subject
            Whose image it is; None where that is not known.
        name
            What the image is called: a training case of that name is the image itself, unless both say whose
            they are.
        source
            Where it was read: the training case of that file is the image itself.
        """
        mine = set() if subject is None else set(self._of_subject.get(subject, ()))
        place = None if name is None else self._of_name.get(name)
        if place is not None and (subject is None or self.cases[place].subject is None):
            mine.add(place)
        if isinstance(source, str | PathLike):
            mine.update(self._of_file.get(str(Path(source).absolute()), ()))
        return frozenset(mine)

    @cached_property
    def _of_subject(self) -> dict[str, list[int]]:
        return _places((case.subject, place) for place, case in enumerate(self.cases))

    @cached_property
    def _of_name(self) -> dict[str, int]:
        return {case.id: place for place, case in enumerate(self.cases)}

    @cached_property
    def _of_file(self) -> dict[str, list[int]]:
        files = [case.source if isinstance(case.source, Path) else None for case in self.cases]
        return _places(
            (None if file is None else str(file.absolute()), place) for place, file in enumerate(files)
        )

    def nearest(
        self, features: Vectors, own: Sequence[frozenset[int]], k: int = 3
    ) -> list[dict[str, tuple[Neighbour, ...]]]:
        """Return for each row of features the nearest training cases of every class, the nearest first.

        Parameters
        ----------
        features
            ``(images, features)``, such as :func:`features_of` gives them.
        own
            For each image the places of what is no neighbour of it, as of :meth:`itself`.
        k
            How many of each class, at most; fewer where the class has no more.
        """
        if features.shape[1] != self.features.shape[1]:
            raise InvalidInput(
                f"`features` has {features.shape[1]} of them for an image, and the training cases have "
                f"{self.features.shape[1]}: take them of the same network."
            )
        found: list[dict[str, tuple[Neighbour, ...]]] = [{} for _ in features]
        labels = np.array([case.label for case in self.cases])
        for label, name in enumerate(self.cases.classes):
            places = np.flatnonzero(labels == label)
            if len(places):
                for row, near in enumerate(self._of_class(features, places, own, k)):
                    found[row][name] = tuple(Neighbour(self.cases[place], name, gap) for place, gap in near)
        return found

    def _of_class(
        self, features: Vectors, places: Int[Array, " some"], own: Sequence[frozenset[int]], k: int
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the places and distances of the nearest cases of one class, without an image's own."""
        from sklearn.neighbors import NearestNeighbors

        there = set(places.tolist())
        beside = [len(mine & there) for mine in own]
        index = NearestNeighbors(metric=self.distance, algorithm="brute").fit(self.features[places])
        asked = np.array([min(len(places), k + many + SPARE) for many in beside])
        rows: dict[int, Array] = {}
        for many in np.unique(asked):  # those with none of their own there need the fewest
            chosen = np.flatnonzero(asked == many)
            near = index.kneighbors(features[chosen], int(many), return_distance=False)
            rows.update(zip(chosen.tolist(), near, strict=True))
        for row in range(len(features)):
            kept = [int(place) for place in places[rows[row]] if place not in own[row]]
            gaps = distances(self.features[kept], features[row], self.distance)
            yield [(kept[n], float(gaps[n])) for n in np.argsort(gaps, kind="stable")[:k]]


@check_arguments(
    model=Anything(), images=Anything(), progress=Anything(),
    k=WholeNumber(1, most=1000), distance=Choice(get_args(Distance)),
)  # fmt: skip
def nearest_cases(
    model: ModelLike,
    images: Sources,
    training: Dataset,
    *,
    subjects: Mapping[str, str | None] | None = None,
    k: int = 3,
    distance: Distance = "euclidean",
    progress: bool | Watcher = False,
) -> dict[str, dict[str, tuple[Neighbour, ...]]]:
    """Find the training cases that a network sees nearest to each image, of every class.

    Nearness is that of the features: the input of the last dense layer, from which the network decides. Cases
    that lie near look alike to this network; that they are alike is for the reader to see.

    Parameters
    ----------
    model
        As of :func:`xaimri.open_model`. It must hand out features (`xaimri.classifier.Featured`).
    images
        One or several, as of :func:`xaimri.explain_all`.
    training
        The cases that the network learned from.
    subjects
        Whose image each is, by the image's name; cases of a data set know it themselves. Training cases of
        that subject are left out, as is the image itself; without subjects they can't be.
    k
        How many of each class, at most.
    distance
        ``"euclidean"``, or ``"cosine"``: 1 less the cosine of the angle between features.
    progress
        As of :func:`xaimri.explain`.

    Returns
    -------
    dict
        By the image's name, and by class: the nearest cases, the nearest first. An image that can't be read
        is not in it.

    Raises
    ------
    MissingCapability
        If the network hands out no features.
    InvalidInput
        If there is no image, or no training case can be read.

    Examples
    --------
    >>> import xaimri
    >>> model = xaimri.LinearClassifier.random((2, 2, 1), classes=2, seed=0)
    >>> dark, bright = (Case(f"{n}", n, f"S{n}", np.full((2, 2), 9.0 * n)) for n in range(2))
    >>> found = nearest_cases(model, [np.ones((2, 2))], Dataset(("no", "yes"), (dark, bright)))
    >>> [(near.case.id, near.distance) for name in ("no", "yes") for near in found["0"][name]]
    [('0', 2.0), ('1', 16.0)]
    """
    opened = open_model(model)
    listed = list(name_images(images, opened.intake))
    with watched(progress):
        expect(len(listed))
        around = Neighbourhood.of(opened, training, distance=distance)
        found = [(one, row) for one, row in features_of(opened, listed, [])]
    if not found:
        return {}
    own = [around.itself(*_about(one, subjects or {})) for one, _ in found]
    near = around.nearest(np.stack([row for _, row in found]), own, k)
    return {one.name: each for (one, _), each in zip(found, near, strict=True)}


def _about(one: Named, subjects: Mapping[str, str | None]) -> tuple[str | None, str | None, object]:
    """Return whose an image is, what it is called as a case, and where it lies."""
    case = one.source if isinstance(one.source, Case) else None
    subject = subjects.get(one.name, None if case is None else case.subject)
    return subject, None if case is None else case.id, one.source if case is None else case.source


def _places(pairs: Iterable[tuple[str | None, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for key, place in pairs:
        if key is not None:
            found.setdefault(key, []).append(place)
    return found
