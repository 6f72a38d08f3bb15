"""How well a classifier does on people it has not seen, with intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.average_precision import average_precision
from xaimri.evaluation.bootstrap import MINIMUM_SUBJECTS, Bootstrap
from xaimri.evaluation.calibration_error import calibration_of
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.truth import Compared, LevelName, compare

Ranked = Callable[[Array, Array, Array, Array], Array]
"""A figure of the order of scores, for many weightings of the subjects at once."""

RANKED: Mapping[str, Ranked] = {"auroc": auroc, "average_precision": average_precision}
"""Those that every class has."""

KINDS = ("precision", "recall", "f1", *RANKED)
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
    AUROC and the average precision hold a class's probability against all other classes. What the labels
    can't tell is NaN.

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
    bootstrap = Bootstrap(resamples, confidence, seed)
    given = (probabilities, truth, subjects, classes, independent)
    slices, pooled = compare(*given, "slice"), compare(*given, "subject")
    weights = bootstrap.weights(slices.strata)
    images = np.bincount(slices.labels, minlength=len(slices.classes))
    there = np.zeros((len(slices.people), len(slices.classes)), dtype=bool)
    there[slices.owner, slices.labels] = True
    return ClassificationReport(
        classes=slices.classes,
        slice=_level(slices, "slice", weights, bootstrap, images, there),
        subject=_level(pooled, "subject", weights, bootstrap, images, there),
        images=len(slices.labels),
        subjects=len(slices.people),
        minimum_subjects=MINIMUM_SUBJECTS,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _confusions(compared: Compared) -> Int[Array, "people true predicted"]:
    """Return one confusion matrix per subject."""
    n = len(compared.classes)
    counts = np.zeros((len(compared.people), n, n), dtype=np.int64)
    np.add.at(counts, (compared.owner, compared.labels, compared.p.argmax(axis=1)), 1)
    return counts


def _ranked(
    figure: Ranked, compared: Compared, weights: Int[Array, "resamples people"]
) -> Float[Array, "resamples classes"]:
    """Return a figure of the order of probabilities, of every class in every resample."""
    columns = enumerate(compared.p.T)
    found = [figure(own, compared.labels == i, weights, compared.owner) for i, own in columns]
    return np.stack(found, axis=1)


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
    compared: Compared,
    level: LevelName,
    weights: Array,
    bootstrap: Bootstrap,
    images: Array,
    there: Bool[Array, "subjects classes"],
) -> Level:
    """Return the figures of one level, with intervals from the resampled subjects."""
    names, n, people = compared.classes, len(compared.classes), len(there)
    confusions = _confusions(compared)
    confusion = confusions.sum(axis=0)
    resampled = (weights @ confusions.reshape(people, -1)).reshape(-1, n, n)
    point, drawn = _figures(confusion.astype(np.float64)), _figures(resampled.astype(np.float64))
    once = np.ones((1, people), dtype=np.int64)
    for kind, figure in RANKED.items():
        point[kind] = _ranked(figure, compared, once)[0]
        drawn[kind] = _ranked(figure, compared, weights)
    subjects, others = there.sum(axis=0), _others(there)
    enough = dict.fromkeys(KINDS, subjects >= MINIMUM_SUBJECTS)
    for kind in RANKED:
        enough[kind] = enough[kind] & (others >= MINIMUM_SUBJECTS)

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
        calibration=calibration_of(compared, level, weights, bootstrap),
    )


def _others(there: Bool[Array, "subjects classes"]) -> Int[Array, " classes"]:
    """Return how many subjects have a case of another class, for every class."""
    several = there.sum(axis=1, keepdims=True)
    others: Array = (several > there).sum(axis=0)
    return others
