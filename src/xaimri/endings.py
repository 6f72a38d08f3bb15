"""An ending for every image: explained together where that can be, else each alone; a failure is a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np

from xaimri.arrays import Array, Images, Scores
from xaimri.capacity import capacity
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation
from xaimri.failure import Failure
from xaimri.images.intake import Intake
from xaimri.images.scan import TakenScan
from xaimri.images.taken import Taken
from xaimri.objective import Of, softmax
from xaimri.questions import Question
from xaimri.slicewise import explain_scan, predict_scan
from xaimri.sources import Named, attempt, take
from xaimri.targets import Target
from xaimri.together import explain_together

CHUNK = 32
"""Images read and explained at once, at most; fewer where the model takes large ones."""


@runtime_checkable
class Opened(Protocol):
    """What is explained: a classifier, and how images reach it. A `xaimri.Model` is one."""

    @property
    def classifier(self) -> Classifier:
        """Scores images on its own grid."""
        ...

    @property
    def intake(self) -> Intake:
        """Brings images there."""
        ...


PREDICTED = 256
"""Images whose predictions are asked for at once, at most."""

Ending: TypeAlias = Explanation | Failure
"""How the explanation of one image ends."""

Group: TypeAlias = Sequence[tuple[Question, Taken | TakenScan]]
"""Images that were read, with what is asked of each."""


def endings(
    classifier: Classifier,
    intake: Intake,
    explainer: Explainer[Any],
    questions: Iterable[Question],
    *,
    of: Of | None = None,
    on_grid: bool = False,
) -> Iterator[tuple[Question, Ending]]:
    """Yield each question with how it ends, in order; no more than `CHUNK` of them are held at once.

    Parameters
    ----------
    classifier, intake
        The model, and how images reach it.
    explainer, of
        The method, and the score; None takes the method's own.
    questions
        The images with their targets. Of equal shape, they are explained together.
    on_grid
        Leave the maps on the model's own grid, rather than to carry them to each image's.

    Yields
    ------
    question, ending
        The ending is an `Explanation`, or a `Failure` where the image is at fault (`UnusableImage`).

    Raises
    ------
    XaimriError
        Whatever else is at fault stops at once.
    """

    def explain(group: Group) -> list[Explanation]:
        own = with_inputs(classifier, group[0][0].inputs)
        targets = [question.target for question, _ in group]
        against = [question.against for question, _ in group]
        others = None if all(one is None for one in against) else against
        if isinstance(group[0][1], TakenScan):
            return [explain_one(own, explainer, group[0][1], targets[0], of, against[0])]
        images = [one for _, one in group if isinstance(one, Taken)]
        return explain_together(own, explainer, images, targets, of, others, on_grid=on_grid)

    waiting = _read(questions, intake)
    while chunk := list(islice(waiting, _most(intake, CHUNK))):
        whole = [(one, found) for one, found in chunk if not isinstance(found, Failure)]
        made = iter(_end(explain, whole) if whole else [])
        for one, found in chunk:
            yield one, replace(found, name=one.image.name) if isinstance(found, Failure) else next(made)


def explain_one(
    classifier: Classifier,
    explainer: Explainer[Any],
    taken: Taken | TakenScan,
    target: Target = None,
    of: Of | None = None,
    against: Target = None,
) -> Explanation:
    """Explain one image, or one volume slice by slice, for one class."""
    if isinstance(taken, TakenScan):
        return explain_scan(classifier, explainer, taken, target, of, against)
    others = None if against is None else [against]
    return explain_together(classifier, explainer, [taken], [target], of, others)[0]


def predict(classifier: Classifier, intake: Intake, images: Iterable[Named]) -> Scores:
    """Return the probabilities of every image, ``(images, classes)``; what can't be read raises."""

    def score(batch: Images) -> Scores:
        return softmax(classifier.logits(batch))

    def score_scan(scan: TakenScan) -> Scores:
        return scan.slices.combined(predict_scan(classifier, scan))[None]

    return _gathered(intake, images, score, score_scan)


def logits(classifier: Classifier, intake: Intake, images: Iterable[Named]) -> Scores:
    """Return the logits of every image, ``(images, classes)``; volumes given by slices have none."""

    def score_scan(scan: TakenScan) -> Scores:
        raise InvalidInput("a volume that is given by slices has no logits: ask for its probabilities.")

    return _gathered(intake, images, classifier.logits, score_scan)


def _gathered(
    intake: Intake,
    images: Iterable[Named],
    score: Callable[[Images], Scores],
    score_scan: Callable[[TakenScan], Scores],
) -> Scores:
    """Score images in batches, volumes given by slices each alone."""
    waiting, found = (take(image.source, intake) for image in images), list[Array]()
    while chunk := list(islice(waiting, _most(intake, PREDICTED))):
        found += [score_scan(one) for one in chunk if isinstance(one, TakenScan)]
        fitted = [one.fitted for one in chunk if isinstance(one, Taken)]
        together = len({image.shape for image in fitted}) == 1
        for batch in [np.stack(fitted)] if together else [image[None] for image in fitted]:
            found.append(score(batch))
    if not found:
        raise InvalidInput("the list of images is empty: give at least one image.")
    return np.concatenate(found)


def _most(intake: Intake, most: int) -> int:
    """Return how many images are held at once: one where each is a volume of slices."""
    if intake.slices is not None:
        return 1
    held = capacity([n or 1 for n in intake.shape], most)
    return held - held % CHUNK if held > CHUNK else held


def _read(
    questions: Iterable[Question], intake: Intake
) -> Iterator[tuple[Question, Taken | TakenScan | Failure]]:
    """Read each image when it is drawn: its array may be used again, or its file closed, for the next."""
    found: Taken | TakenScan | Failure | None = None
    for question in questions:
        if found is None or not question.image.again:
            found = attempt(question.image, intake)
        yield question, found


def _end(explain: Callable[[Group], list[Explanation]], group: Group) -> list[Ending]:
    """Explain a group together; where it can't be, or one of them is at fault, each alone."""
    if len(group) == 1 or not _is_apart(group):
        try:
            return [*explain(group)]
        except UnusableImage as fault:
            if len(group) == 1:
                return [Failure(group[0][0].image.name, "explain", str(fault))]
    return [ending for one in group for ending in _end(explain, [one])]


def _is_apart(group: Group) -> bool:
    """Tell whether shapes differ, an image has inputs of its own, or they are volumes given by slices."""
    shapes = {taken.fitted.shape for _, taken in group if isinstance(taken, Taken)}
    scans = any(isinstance(taken, TakenScan) for _, taken in group)
    return scans or len(shapes) > 1 or any(question.inputs is not None for question, _ in group)


def with_inputs(classifier: Classifier, inputs: object) -> Classifier:
    """Return the classifier with one image's own values of the inputs beside it."""
    if inputs is None:
        return classifier
    if not hasattr(classifier, "with_inputs"):
        raise InvalidInput(f"`inputs` can't stand beside a {type(classifier).__name__}: fix them inside it.")
    return cast(Classifier, classifier.with_inputs(inputs))
