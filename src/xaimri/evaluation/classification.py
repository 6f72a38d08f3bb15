"""How well a classifier does on people it has not seen, with intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int, Num

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.average_precision import average_precision
from xaimri.evaluation.calibration_error import calibration_of
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.jackknife import Jackknife, Shape
from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import Number

Ranked = Callable[[Array, Array, Array, Array], Array]
"""A figure of the order of scores, for many weightings of the subjects at once."""

RANKED: Mapping[str, Ranked] = {"auroc": auroc, "average_precision": average_precision}
"""Those that every class has."""

KINDS = ("precision", "recall", "f1", *RANKED)
"""The figures that every class has."""

SHARES = ("precision", "recall")
"""Those that are a share of some cases."""

SHAPES: Mapping[str, Shape] = {kind: "logit" if kind in RANKED else "score" for kind in KINDS}
"""How the interval of each is laid."""


@check_arguments(confidence=Number(above=0, below=1))
def evaluate(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    independent: bool = False,
    confidence: float = 0.95,
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
    confidence
        Of the intervals. They are over *subjects*, each of whom is left out in turn, within each class (that
        of a subject with several is its most frequent one): they hold for the given numbers of subjects per
        class.

    Returns
    -------
    ClassificationReport

    Raises
    ------
    InvalidInput
        If the shapes disagree, the rows are no probabilities, a label has no class, or subjects are
        missing.

    Notes
    -----
    Shares have Wilson's interval, with as many independent answers as have the variance between subjects
    [1]_, and Student's t with few degrees of freedom where few subjects make most of that variance. AUROC and
    average precision have the interval that is even on the scale of logits. In simulated studies of 10, 30
    and 100 subjects with 8 slices each, 91 to 97 % of the 95 % intervals hold the truth for a network that is
    right in three of four; more do for shares of five subjects and for calibration errors, and down to 84 %
    for an AUROC, an average precision and a Brier score near perfection, where few have yet been wrong
    (``benchmarks/interval_coverage.py``).

    References
    ----------
    .. [1] Dean and Pagano, "Evaluating confidence interval methods for binomial proportions in clustered
       surveys", J. Surv. Stat. Methodol. 3, 2015. https://doi.org/10.1093/jssam/smv024

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    >>> report = evaluate(p, [0, 0, 0, 1, 1, 1], subjects=["a", "a", "a", "b", "b", "b"])
    >>> round(report.slice.accuracy.value, 3), report.subject.accuracy.value
    (0.667, 1.0)
    >>> report.slice.confusion.tolist()
    [[2, 1], [1, 2]]
    """
    given = (probabilities, truth, subjects, classes, independent)
    slices, pooled = compare(*given, "slice"), compare(*given, "subject")
    jackknife = Jackknife(slices.strata, confidence)
    images = np.bincount(slices.labels, minlength=len(slices.classes))
    there = np.zeros((len(slices.people), len(slices.classes)), dtype=bool)
    there[slices.owner, slices.labels] = True
    return ClassificationReport(
        classes=slices.classes,
        slice=_level(slices, "slice", jackknife, images, there),
        subject=_level(pooled, "subject", jackknife, images, there),
        images=len(slices.labels),
        subjects=len(slices.people),
        minimum_subjects=MINIMUM_SUBJECTS,
        confidence=confidence,
    )


def _confusions(compared: Compared) -> Int[Array, "people true predicted"]:
    """Return one confusion matrix per subject."""
    n = len(compared.classes)
    counts = np.zeros((len(compared.people), n, n), dtype=np.int64)
    np.add.at(counts, (compared.owner, compared.labels, compared.p.argmax(axis=1)), 1)
    return counts


def _ranked(
    figure: Ranked, compared: Compared, weights: Num[Array, "weightings people"]
) -> Float[Array, "weightings classes"]:
    """Return a figure of the order of probabilities, of every class, whoever is left out."""
    columns = enumerate(compared.p.T)
    found = [figure(own, compared.labels == i, weights, compared.owner) for i, own in columns]
    return np.stack(found, axis=1)


def macro_figures(
    compared: Compared, weights: Num[Array, "weightings people"]
) -> dict[str, Float[Array, " weightings"]]:
    """Return one number for each figure: the mean over classes where it is of a class."""
    n, people = len(compared.classes), len(compared.people)
    figures = _figures((weights @ _confusions(compared).reshape(people, -1)).reshape(-1, n, n) * 1.0)
    squares = ((compared.p - np.eye(n)[compared.labels]) ** 2).sum(axis=1)
    sums = weights @ compared.totals(np.stack([squares, np.ones(len(squares))], axis=1))
    even = np.ones(n)
    found = {
        "accuracy": figures["accuracy"],
        "balanced accuracy": _mean(figures["recall"], even),
        "F1": _mean(figures["f1"], even),
        "AUROC": _mean(_ranked(auroc, compared, weights), even),
        "average precision": _mean(_ranked(average_precision, compared, weights), even),
    }
    return {**found, "Brier score": sums[:, 0] / sums[:, 1]}


def _figures(confusion: Float[Array, "*replicates true predicted"]) -> dict[str, Array]:
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
    jackknife: Jackknife,
    images: Int[Array, " classes"],
    there: Bool[Array, "subjects classes"],
) -> Level:
    """Return the figures of one level, with their intervals."""
    n, people = len(compared.classes), len(there)
    confusions = _confusions(compared)
    left = (jackknife.weights @ confusions.reshape(people, -1)).reshape(-1, n, n)
    figures = _figures(left)
    for kind, figure in RANKED.items():
        figures[kind] = _ranked(figure, compared, jackknife.weights)
    subjects, others = there.sum(axis=0), _others(there)
    both = np.minimum(subjects, others)
    makers = {kind: both if kind in RANKED else subjects for kind in KINDS}
    enough = {kind: makers[kind] >= MINIMUM_SUBJECTS for kind in KINDS}

    def mean(weigh: Callable[[str], Array]) -> ClassFigures:
        chosen = {
            k: jackknife.estimate(
                _mean(figures[k], weigh(k)), _makers(figures[k][0], weigh(k), makers[k]), shape=SHAPES[k]
            )
            for k in KINDS
        }
        return ClassFigures("", **chosen, images=int(images.sum()), subjects=people, others=people)

    def of_class(i: int) -> ClassFigures:
        single = compared.single
        chosen = {
            k: jackknife.estimate(
                figures[k][:, i], int(makers[k][i]), shape=SHAPES[k], single=single and k in SHARES
            )
            if enough[k][i]
            else Estimate.none()
            for k in KINDS
        }
        if enough["precision"][i] and not confusions[..., i].any():  # of nothing that was called so
            chosen["precision"] = Estimate.alone(0.0)
        return ClassFigures(
            compared.classes[i],
            **chosen,
            images=int(images[i]),
            subjects=int(subjects[i]),
            others=int(others[i]),
        )

    macro = mean(lambda k: np.ones(n))
    return Level(
        accuracy=jackknife.estimate(figures["accuracy"], people, single=compared.single),
        balanced_accuracy=macro.recall,
        per_class=tuple(of_class(i) for i in range(n)),
        macro=macro,
        weighted=mean(lambda k: figures["support"]),
        macro_estimable=mean(lambda k: enough[k] * 1.0),
        confusion=confusions.sum(axis=0),
        calibration=calibration_of(compared, level, jackknife),
    )


def _makers(
    values: Float[Array, " classes"],
    weights: Float[Array, "*replicates classes"],
    makers: Int[Array, " classes"],
) -> float:
    """Return of how many subjects a class with the variance of a mean over classes would be."""
    share = np.where(np.isnan(values) | (makers == 0), 0, weights[0] if weights.ndim > 1 else weights)
    return float(share.sum() ** 2 / max((share**2 / np.maximum(makers, 1)).sum(), 1e-12))


def _others(there: Bool[Array, "subjects classes"]) -> Int[Array, " classes"]:
    """Return how many subjects have a case of another class, for every class."""
    several = there.sum(axis=1, keepdims=True)
    others: Array = (several > there).sum(axis=0)
    return others
