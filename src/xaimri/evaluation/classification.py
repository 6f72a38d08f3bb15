"""How well a classifier does on people it has not seen, with intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import labels_of
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.bootstrap import MINIMUM_SUBJECTS, Bootstrap
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.report import ClassFigures, ClassificationReport, Level

KINDS = ("precision", "recall", "f1", "auroc")
"""The figures that every class has."""


@check_arguments()
def evaluate(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    independent: bool = False,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> ClassificationReport:
    """Compare predicted probabilities with the truth, by slice and by subject.

    By slice, the prediction is the most probable class (the first of equals). By subject, it is that of
    the mean probability over the subject's slices; a subject with several true classes, as at several
    visits, gives one mean per class. Point values are those of scikit-learn with ``zero_division=0``; the
    AUROC holds a class's probability against all other classes. What the labels can't tell is NaN.

    Parameters
    ----------
    probabilities
        ``(cases, classes)``, rows summing to 1.
    truth
        A data set, which also gives the subjects and classes; integer labels ``(cases,)``; or a loader of
        Keras or ``tf.data`` that doesn't shuffle, for its labels.
    subjects
        Whose image each is, one per case.
    classes
        Names of the columns; by default those of the data set, else ``class_0``, ... Where truth has some of
        these names, its labels are matched to the columns by name: give the classifier's ``classes``.
    independent
        True states that every case without a subject is of a person of its own.
    resamples
        Bootstrap resamples of *subjects*. They are drawn within each class (that of a subject with
        several is its most frequent one), as the splits draw them: the intervals hold for the given
        numbers of subjects per class.
    confidence
        Of the percentile intervals. They are somewhat narrow (simulated studies of 18, 45 and 120
        subjects with 8 slices each: 0.90, 0.92 and 0.92 of the 95 % intervals hold the true balanced
        accuracy; intervals over images do in 0.6), and have no width where every subject is right or
        every one wrong.
    seed
        Same seed, same intervals; no global generator is touched.

    Returns
    -------
    ClassificationReport

    Raises
    ------
    InvalidInput
        If the shapes disagree, the rows are no probabilities, a label has no class, or subjects are
        missing.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    >>> report = evaluate(p, [0, 0, 0, 1, 1, 1], subjects=["a", "a", "a", "b", "b", "b"])
    >>> round(report.slice.accuracy.value, 3), report.subject.accuracy.value
    (0.667, 1.0)
    >>> report.slice.confusion.tolist()
    [[2, 1], [1, 2]]
    """
    labels, who, names = _truth(truth, subjects, classes, np.shape(probabilities), independent)
    p = _probabilities(probabilities, labels, names)
    bootstrap = Bootstrap(resamples, confidence, seed)
    people, person = np.unique(np.array([str(w) for w in who]), return_inverse=True)
    slices = _Scored(p, labels, person)
    pooled = _Scored(*_subject_means(p, labels, person))
    by_slice = slices.confusions(len(people))
    weights = bootstrap.weights(by_slice.sum(axis=2).argmax(axis=1))
    images = np.bincount(labels, minlength=len(names))
    there = np.zeros((len(people), len(names)), dtype=bool)
    there[person, labels] = True
    levels = [_level(each, weights, bootstrap, names, images, there) for each in (slices, pooled)]
    return ClassificationReport(
        classes=names,
        slice=levels[0],
        subject=levels[1],
        images=len(labels),
        subjects=len(people),
        minimum_subjects=MINIMUM_SUBJECTS,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _listed(truth: object) -> Array:
    """Return labels as an array."""
    try:
        return np.asarray(truth)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"`truth` must be one label per image, got {shown(truth)}.") from None


def _truth(
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None,
    classes: Sequence[str] | None,
    shape: tuple[int, ...],
    independent: bool,
) -> tuple[Int[Array, " cases"], list[Hashable], tuple[str, ...]]:
    """Return labels, subjects and class names of either kind of truth."""
    own: Sequence[Hashable | None]
    named: tuple[str, ...] | None = None
    if isinstance(truth, Dataset):
        labels, own, named = truth.labels, truth.subjects, truth.classes
    else:
        labels, named = labels_of(truth) if is_loader(truth) else (_listed(truth), None)
        own = [None] * labels.size
    default = tuple(f"class_{i}" for i in range(shape[-1] if shape else 0)) if named is None else named
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iu":
        raise InvalidInput(
            "the true labels must be integers, one per case, at least one: pass class indices."
        )
    given = own if subjects is None else subjects
    if len(given) != len(labels):
        raise InvalidInput(f"`subjects` needs one entry per case, {len(labels)}, got {len(given)}.")
    unknown = sum(subject is None for subject in given)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(labels)} cases have no subject, and the intervals are over subjects: pass "
            "`subjects=`, one per case, or `independent=True` if each such image is of its own person."
        )
    who = [f"case {i:09d}" if subject is None else f"subject {subject}" for i, subject in enumerate(given)]
    names = tuple(default if classes is None else classes)
    return _matched(labels.astype(np.int64), named, names), list(who), names


def _matched(
    labels: Int[Array, " cases"], named: tuple[str, ...] | None, names: tuple[str, ...]
) -> Int[Array, " cases"]:
    """Return labels that count in the order of the columns, where both sides have names in common."""
    if named is None or named == names or not set(named) & set(names):
        return labels
    held = sorted(set(labels.tolist()))
    unknown = [named[label] for label in held if named[label] not in names]
    if unknown:
        raise InvalidInput(
            f"the truth holds {unknown[0]!r}, and `classes` are {', '.join(map(repr, names))}: call each "
            "class by one name."
        )
    place = np.array([names.index(name) if name in names else -1 for name in named])
    matched: Array = place[labels]
    return matched


def _probabilities(
    probabilities: Scores, labels: Array, names: tuple[str, ...]
) -> Float[Array, "cases classes"]:
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape != (len(labels), len(names)):
        raise InvalidInput(
            f"`probabilities` must be (cases, classes) = {(len(labels), len(names))}, got {p.shape}: pass "
            "one row per case and one column per class."
        )
    if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-2:
        raise InvalidInput(
            "`probabilities` must be at least 0 and sum to 1 in every row: apply softmax first."
        )
    if labels.min() < 0 or labels.max() >= len(names):
        raise InvalidInput(
            f"labels must be class indices from 0 to {len(names) - 1}, got {labels.min()} to {labels.max()}."
        )
    return p


def _subject_means(p: Array, labels: Array, person: Array) -> tuple[Array, Array, Array]:
    """Return mean probability, true class and subject of every (subject, class)."""
    pairs, inverse = np.unique(np.stack([person, labels], axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(pairs), p.shape[1]))
    np.add.at(sums, inverse.ravel(), p)
    mean = _rounded(sums / np.bincount(inverse.ravel())[:, None])
    return mean, pairs[:, 1], pairs[:, 0]


def _rounded(values: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """Return values to 40 binary digits: means of equal numbers are equal, however many there are."""
    digits, power = np.frexp(values)
    rounded: Array = np.ldexp(np.round(digits * 2.0**40) / 2.0**40, power)
    return rounded


@dataclass(frozen=True, eq=False)
class _Scored:
    """What one level compares: probabilities, the true class and whose they are, case by case."""

    p: Float[Array, "cases classes"]
    labels: Int[Array, " cases"]
    owner: Int[Array, " cases"]

    def confusions(self, people: int) -> Int[Array, "subjects true predicted"]:
        """Return one confusion matrix per subject."""
        counts = np.zeros((people, self.p.shape[1], self.p.shape[1]), dtype=np.int64)
        np.add.at(counts, (self.owner, self.labels, self.p.argmax(axis=1)), 1)
        return counts

    def aurocs(self, weights: Int[Array, "resamples subjects"]) -> Float[Array, "resamples classes"]:
        """Return every class's area under the ROC curve, in every resample."""
        columns = enumerate(self.p.T)
        return np.stack([auroc(own, self.labels == i, weights, self.owner) for i, own in columns], axis=1)


def _figures(confusion: Float[Array, "*resamples true predicted"]) -> dict[str, Array]:
    """Return the figures of confusion matrices (rows: truth), whatever axes come before the last two.

    ``precision``, ``recall`` and ``f1`` are per class, 0 where nothing was predicted and NaN for the
    recall and F1 of a class that is not there; ``accuracy`` is over all.
    """
    support, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    there = support > 0
    precision = np.where(there, hits / np.maximum(predicted, 1), np.nan)
    recall = np.where(there, hits / np.maximum(support, 1), np.nan)
    f1 = np.where(there, 2 * hits / np.maximum(support + predicted, 1), np.nan)
    accuracy = np.asarray(hits.sum(axis=-1) / support.sum(axis=-1))
    return {"precision": precision, "recall": recall, "f1": f1, "support": support, "accuracy": accuracy}


def _mean(values: Array, weights: Array) -> Array:
    """Return the weighted mean over the classes that are there."""
    weights = np.where(np.isnan(values), 0, weights)
    total = weights.sum(axis=-1)
    mean: Array = np.where(
        total > 0, np.nansum(values * weights, axis=-1) / np.where(total > 0, total, 1), np.nan
    )
    return mean


def _level(
    scored: _Scored,
    weights: Array,
    bootstrap: Bootstrap,
    names: tuple[str, ...],
    images: Array,
    there: Bool[Array, "subjects classes"],
) -> Level:
    """Return the figures of one level, with intervals from the resampled subjects."""
    n, people = len(names), len(there)
    confusions = scored.confusions(people)
    confusion = confusions.sum(axis=0)
    resampled = (weights @ confusions.reshape(people, -1)).reshape(-1, n, n)
    point, drawn = _figures(confusion.astype(np.float64)), _figures(resampled.astype(np.float64))
    point["auroc"] = scored.aurocs(np.ones((1, people), dtype=np.int64))[0]
    drawn["auroc"] = scored.aurocs(weights)
    subjects, others = there.sum(axis=0), _others(there)
    enough = dict.fromkeys(KINDS, subjects >= MINIMUM_SUBJECTS)
    enough["auroc"] = enough["auroc"] & (others >= MINIMUM_SUBJECTS)

    def mean(weigh: Callable[[dict[str, Array], str], Array]) -> ClassFigures:
        chosen = {
            k: bootstrap.estimate(
                float(_mean(point[k], weigh(point, k))), _mean(drawn[k], weigh(drawn, k)), people
            )
            for k in KINDS
        }
        return ClassFigures("", **chosen, images=int(images.sum()), subjects=people, others=people)

    def of_class(i: int) -> ClassFigures:
        chosen = {
            k: bootstrap.estimate(float(point[k][i]), drawn[k][:, i], int(subjects[i]))
            if enough[k][i]
            else Estimate.none()
            for k in KINDS
        }
        return ClassFigures(
            names[i], **chosen, images=int(images[i]), subjects=int(subjects[i]), others=int(others[i])
        )

    macro = mean(lambda f, k: np.ones(n))
    return Level(
        accuracy=bootstrap.estimate(float(point["accuracy"]), drawn["accuracy"], people),
        balanced_accuracy=macro.recall,
        per_class=tuple(of_class(i) for i in range(n)),
        macro=macro,
        weighted=mean(lambda f, k: f["support"]),
        macro_estimable=mean(lambda f, k: enough[k] * 1.0),
        confusion=confusion,
    )


def _others(there: Bool[Array, "subjects classes"]) -> Int[Array, " classes"]:
    """Return how many subjects have a case of another class, for every class."""
    several = there.sum(axis=1, keepdims=True)
    others: Array = (several > there).sum(axis=0)
    return others
