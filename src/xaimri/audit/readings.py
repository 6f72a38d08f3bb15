"""What a network says of every case as it is and under every intervention; each image is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Fitted, Scores
from xaimri.audit.interventions import Intervention, is_changed
from xaimri.audit.scene import Common, Scene
from xaimri.capacity import capacity
from xaimri.classifier import Accelerated, Classifier, Featured, Readout
from xaimri.data.case import Case, Dataset
from xaimri.data.unread import say_lost, say_unread, without_unread
from xaimri.errors import MissingCapability
from xaimri.failure import Failure
from xaimri.images.intake import Intake
from xaimri.images.taken import Taken
from xaimri.perturb.progress import advance, expect
from xaimri.sources import Named, attempt

DONORS = 6
"""Images of a class, at most, each of another person, that show what its pictures have in common."""

TOGETHER = 32
"""Images that are held at once, at most."""

CHANGED, UNCHANGED, IMPOSSIBLE = 0, 1, 2
"""What came of an intervention on an image."""

MEASURED = ("object size", "mean intensity", "background level")
"""What is measured of every image: the object's share, its mean, and the value of the border."""


@dataclass(frozen=True, eq=False)
class Donor:
    """An image whose background others are laid on."""

    scene: Scene
    label: int
    subject: str | None


@dataclass(eq=False)
class Readings:
    """What was found of the cases that can be read.

    Attributes
    ----------
    cases
        Those that can be read.
    plain
        Logits of the images as they are.
    changed
        Intervention -> logits, NaN where it changed nothing or can't be made.
    outcomes
        Intervention -> `CHANGED`, `UNCHANGED` or `IMPOSSIBLE` of every case.
    features
        None where the network has none, and ``why`` says so.
    readout
        The last layer; None where there are no features.
    measures
        Of `MEASURED`; the object's are NaN where there is no object.
    examples
        One image as it is and under every intervention that changes it.
    """

    cases: Dataset
    plain: Scores
    changed: Mapping[str, Scores]
    outcomes: Mapping[str, Int[Array, " cases"]]
    features: Float[Array, "cases features"] | None
    why: str
    readout: Readout | None
    measures: Float[Array, "cases measures"]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    examples: Mapping[str, Fitted]


@dataclass(eq=False)
class Questions:
    """Asks a classifier about images and their changed copies, some at a time."""

    classifier: Classifier
    interventions: Sequence[Intervention]
    donors: Sequence[Donor]
    common: Common
    probed: bool = True
    why: str = ""
    readout: Readout | None = None
    fast: Classifier | None = None
    parts: dict[str, list[Array]] = field(default_factory=dict)
    outcomes: dict[str, list[int]] = field(default_factory=dict)
    asked: int = 0
    examples: dict[str, Fitted] = field(default_factory=dict)

    def ask(self, batch: Sequence[tuple[Case, Scene]]) -> None:
        """Ask about images of one shape, and keep what is said."""
        images = np.stack([scene.image for _, scene in batch])
        plain = self._said(images)
        self._keep("plain", plain)
        self._keep("measures", np.array([_measured(scene) for _, scene in batch], np.float64))
        self._features(images)
        others = [self._donor(*one, self.asked + n) for n, one in enumerate(batch)]
        show = next((n for n, (_, scene) in enumerate(batch) if scene.inside is not None), 0)
        for each in self.interventions:
            made = [
                each.change(scene, self.common, other)
                for (_, scene), other in zip(batch, others, strict=True)
            ]
            states = [_outcome(scene, image) for (_, scene), image in zip(batch, made, strict=True)]
            rows = np.full(plain.shape, np.nan, np.float32)
            self._show(each, batch[show][1], made[show], states[show])
            kept = [image for image in made if image is not None]
            changed = np.array(states)[[image is not None for image in made]] == CHANGED
            if changed.any():
                rows[np.array(states) == CHANGED] = self._said(np.stack(kept)[changed])
            self._keep(each.name, rows)
            self.outcomes.setdefault(each.name, []).extend(states)
        self.asked += len(batch)
        advance(len(batch) * (1 + len(self.interventions)))

    def _show(self, each: Intervention, scene: Scene, image: Fitted | None, state: int) -> None:
        """Keep an image of the first batch for a reader to see."""
        if self.asked == 0:
            self.examples.setdefault("as it is", scene.image)
            if state == CHANGED and image is not None:
                self.examples[each.title] = image

    def _said(self, images: Array) -> Scores:
        return (self.fast or self.classifier).logits(images.astype(np.float32))

    def _features(self, images: Array) -> None:
        """Keep the features of images, or why there are none."""
        if self.why or not self.probed:
            return
        if not isinstance(self.classifier, Featured):
            self.why = (
                f"a {type(self.classifier).__name__} hands out no features: pass the Keras network itself, "
                "or a class with `features` and `readout` (docs/guide/extending.md)."
            )
            return
        try:
            self._keep("features", self.classifier.features(images))
            self.readout = self.readout or self.classifier.readout(images[:1])
        except MissingCapability as refusal:
            self.why = str(refusal)

    def _donor(self, case: Case, scene: Scene, number: int) -> Scene | None:
        """Return an image of another class and of another person, of one size with the own, each in turn."""
        others = [
            donor.scene
            for donor in self.donors
            if donor.label != case.label and (donor.subject is None or donor.subject != case.subject)
        ]
        shape = scene.image.shape
        with_object = [one for one in others if one.inside is not None and one.image.shape == shape]
        return with_object[number % len(with_object)] if with_object else None

    def _keep(self, name: str, rows: Array) -> None:
        self.parts.setdefault(name, []).append(rows)

    def joined(self, name: str) -> Array:
        """Return all rows that were kept under a name."""
        return np.concatenate(self.parts[name])


def readings_of(
    classifier: Classifier,
    intake: Intake,
    cases: Dataset,
    interventions: Sequence[Intervention],
    probed: bool = True,
) -> Readings:
    """Ask about every case that can be read; memory holds some images and all answers.

    Raises
    ------
    InvalidInput
        If none can be read.
    """
    donors = list(donors_of(intake, cases))
    failures: list[Failure] = []
    expect(len(cases) * (1 + len(interventions)))
    questions: Questions | None = None
    for batch in _batches(_scenes(intake, cases, failures)):
        if questions is None:
            shape = batch[0][1].image.shape
            common = Common.of(_by_class(donors) or [[batch[0][1]]])
            questions = Questions(classifier, interventions, donors, common, probed)
            if isinstance(classifier, Accelerated):
                questions.fast = classifier.accelerated(len(cases) * (1 + len(interventions)), shape)
        questions.ask(batch)
    left = without_unread(cases, failures)
    assert questions is not None  # else nothing could be read
    return Readings(
        left,
        questions.joined("plain"),
        {each.name: questions.joined(each.name) for each in interventions},
        {name: np.array(states) for name, states in questions.outcomes.items()},
        None if questions.why or not probed else questions.joined("features"),
        questions.why,
        None if questions.why else questions.readout,
        questions.joined("measures"),
        tuple(failures),
        (*say_unread(failures, len(cases)), *say_lost(cases, failures)),
        questions.examples,
    )


def donors_of(intake: Intake, cases: Dataset) -> Iterator[Donor]:
    """Yield some images of every class, of as many people as can be."""
    for label in range(len(cases.classes)):
        first: dict[object, int] = {}
        for place, case in enumerate(cases):
            if case.label == label:
                first.setdefault(place if case.subject is None else case.subject, place)
        places = list(first.values())
        picked = np.linspace(0, len(places) - 1, min(DONORS, len(places))).round().astype(int)
        for number in picked.tolist():
            case = cases[places[number]]
            taken = attempt(Named(case.id, case), intake)
            if isinstance(taken, Taken):
                yield Donor(Scene.of(taken), label, case.subject)


def _by_class(donors: Sequence[Donor]) -> list[list[Scene]]:
    labels = sorted({donor.label for donor in donors})
    return [[donor.scene for donor in donors if donor.label == label] for label in labels]


def _scenes(intake: Intake, cases: Dataset, failures: list[Failure]) -> Iterator[tuple[Case, Scene]]:
    """Yield the cases that can be read, and keep why others can't."""
    for case in cases:
        taken = attempt(Named(case.id, case), intake)
        if isinstance(taken, Failure):
            failures.append(taken)
        elif isinstance(taken, Taken):
            yield case, Scene.of(taken)


def _batches(scenes: Iterator[tuple[Case, Scene]]) -> Iterator[list[tuple[Case, Scene]]]:
    """Yield runs of images of one shape, as many as are held at once."""
    held: list[tuple[Case, Scene]] = []
    for case, scene in scenes:
        full = held and len(held) >= capacity(held[0][1].image.shape, TOGETHER)
        if held and (full or held[0][1].image.shape != scene.image.shape):
            yield held
            held = []
        held.append((case, scene))
    if held:
        yield held


def _measured(scene: Scene) -> list[float]:
    inside = scene.inside
    level = float(scene.level.mean())
    if inside is None:
        return [float("nan"), float(scene.image.mean()), level]
    return [float(inside.mean()), float(scene.pixels.mean()), level]


def _outcome(scene: Scene, image: Fitted | None) -> int:
    if image is None:
        return IMPOSSIBLE
    return CHANGED if is_changed(scene, image) else UNCHANGED
