"""Judge explainers on cases: every metric of every map in one table, failures counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from xaimri.adapters import as_classifier
from xaimri.classifier import Classifier, Sized
from xaimri.data.case import Case, Dataset, check_ids
from xaimri.errors import InvalidInput
from xaimri.evaluation.estimate import check_bootstrap
from xaimri.explainer import Explainer, Target
from xaimri.explainers import build
from xaimri.grid import Fit, check_fit
from xaimri.images.foreground import foreground
from xaimri.images.intake import Intake
from xaimri.images.window import Window, as_window
from xaimri.judging.catalogue import Metric, as_metric
from xaimri.judging.judgement import Judgement, Row
from xaimri.judging.trials import Trial, attempted, judged
from xaimri.metrics.curve import Curve
from xaimri.perturb.progress import Watcher, watched

Aim: TypeAlias = Literal["predicted", "label"]
"""Which class is explained: the one that the model predicts, or the case's own."""

Asked: TypeAlias = str | Metric | Callable[..., Any]
"""A metric by name, as itself, or as a function of this library."""

TOGETHER = 16
"""Cases that are explained, and measured, at once."""

NOTHING = (
    "the metric is not defined for this map (it is empty, constant, changes nothing, or has no other to be "
    "compared with)"
)


def evaluate_explanations(
    explainers: Mapping[str, str | Explainer[Any]] | Iterable[str | Explainer[Any]],
    classifier: Any,
    cases: Dataset | Sequence[Case],
    metrics: Asked | Iterable[Asked] = ("deletion", "insertion"),
    *,
    target: Aim = "predicted",
    fit: Fit = "stretch",
    window: Window | tuple[float, float] | None = None,
    independent: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    progress: bool | Watcher = False,
) -> Judgement:
    """Explain every case by every explainer, and measure every map.

    Parameters
    ----------
    explainers
        Names or explainers; in a mapping under names of your own, which two settings of one method need.
    classifier
        A classifier, or what :func:`xaimri.explain` takes as a model, but for a folder; a network that needs
        more said, such as ``outputs="logits"``, as :class:`xaimri.KerasClassifier`.
    cases
        Images with their subjects, such as a part of a split; ``mask`` is the region that metrics of
        localisation ask for.
    metrics
        Names of ``xaimri.judging.METRICS``; its functions with settings bound, such as
        ``partial(metrics.deletion, absent=0.0)``; or a :class:`~xaimri.judging.Metric`.
    target
        ``"predicted"``, or ``"label"``: the case's own class, by name where the cases are a data set whose
        classes the classifier has.
    fit, window
        How an image is brought to the classifier's grid, on which everything is done, as of
        :func:`xaimri.explain`. The mask goes with it, and the object, such as the brain, is found on it.
    independent
        True states that every case without a subject is of a person of its own.
    confidence, resamples, seed
        Of the intervals, over subjects.
    progress
        As of :func:`xaimri.explain`: perturbed images that were predicted, over all cases.

    Returns
    -------
    Judgement
        One row per explainer, metric and case. An image that can't be read, and a map that can't
        be made or measured, is a row with a ``failure``; nothing is dropped.

    Raises
    ------
    InvalidInput
        If names are used twice, subjects are missing, or no case has what a metric needs.
    Cancelled
        If ``progress`` returned ``False``.

    Notes
    -----
    Costs every explainer once per case, and every metric what its docstring says. The maps that several
    explainers make of one image are measured together, which shares what they have in common.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> from xaimri.data import phantom
    >>> cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    >>> model = LinearClassifier.random((26, 22, 1), classes=4, seed=0)
    >>> found = evaluate_explanations(["saliency", "input_x_gradient"], model, cases, ["relevance_mass"])
    >>> len(found.rows), len(found.summary), found.rows[0].failure is None
    (12, 2, True)
    """
    chosen, measures = _named(explainers), _metrics(metrics)
    model: Classifier = as_classifier(classifier)
    listed = list(cases) if isinstance(cases, Iterable) else [cases]
    _check(listed, measures, target, fit)
    check_bootstrap(resamples, confidence, seed)
    subjects = _subjects(listed, independent)
    shape = tuple(model.input_shape) if isinstance(model, Sized) else ()
    intake = Intake(shape, fit, None if window is None else as_window(window))
    names = cases.classes if isinstance(cases, Dataset) else ()
    aims = _aims(listed, names, model) if target == "label" else [None] * len(listed)
    rows: list[Row] = []
    drawn: dict[tuple[str, str], list[Curve]] = {}
    with watched(progress):
        for some in _parts(len(listed)):
            trials = [attempted(partial(_trial, listed[n], intake, aims[n])) for n in some]
            for explainer, name, number, found, to, failure in judged(chosen, model, trials, measures):
                case, subject = listed[some[number]], subjects[some[number]]
                known = found is not None and np.isfinite(float(found))
                value = float(found) if known else float("nan")
                why = failure or (None if known else NOTHING)
                rows.append(Row(explainer, name, case.id, subject, to, value, why))
                if isinstance(found, Curve) and why is None:
                    drawn.setdefault((explainer, name), []).append(found)
    return Judgement(
        tuple(rows),
        tuple(chosen),
        measures,
        {name: explainer.record() for name, explainer in chosen.items()},
        {key: tuple(curves) for key, curves in drawn.items()},
        confidence,
        resamples,
        seed,
    )


def _check(cases: Sequence[Case], metrics: Mapping[str, Metric], target: str, fit: str) -> None:
    """See that a judgement can be made of these, before hours of work."""
    if not cases:
        raise InvalidInput("there are no cases: give at least one.")
    if target not in ("predicted", "label"):
        raise InvalidInput(f'`target` must be "predicted" or "label", got {target!r}.')
    if not all(isinstance(case, Case) for case in cases):
        raise InvalidInput(
            "`cases` must be a data set or a list of cases: read one with xaimri.data, or make a case with "
            "xaimri.data.Case(id, label, subject, source)."
        )
    check_ids(cases)
    check_fit(fit)
    if all(case.mask is None for case in cases):
        for metric in metrics.values():
            if "region" in metric.needs:
                raise InvalidInput(f"{metric.name!r} needs a region, and no case has a mask: leave it out.")


def _named(
    explainers: Mapping[str, str | Explainer[Any]] | Iterable[str | Explainer[Any]],
) -> dict[str, Explainer[Any]]:
    if isinstance(explainers, Mapping):
        named = {str(name): build(method) for name, method in explainers.items()}
    else:
        listed = [explainers] if isinstance(explainers, str | Explainer) else list(explainers)
        built = [build(method) for method in listed]
        named = {explainer.name: explainer for explainer in built}
        if len(named) < len(built):
            raise InvalidInput(
                "two explainers have one name: give a mapping from names of your own, such as "
                '{"few": LIME(samples=100), "many": LIME(samples=1000)}.'
            )
    if not named:
        raise InvalidInput('`explainers` is empty: give at least one, such as ["gradcam"].')
    return named


def _metrics(metrics: Asked | Iterable[Asked]) -> dict[str, Metric]:
    listed = [metrics] if isinstance(metrics, str | Metric) or callable(metrics) else list(metrics)
    built = [as_metric(metric) for metric in listed]
    named = {metric.name: metric for metric in built}
    if not named or len(named) < len(built):
        raise InvalidInput(
            "`metrics` must be at least one, each with a name of its own: rename one with "
            "Metric(name, function, better)."
        )
    return named


def _subjects(cases: Sequence[Case], independent: bool) -> list[str]:
    unknown = sum(case.subject is None for case in cases)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(cases)} cases have no subject, and the intervals are over subjects: give "
            "`independent=True` if each such image is of its own person."
        )
    return [f"case {case.id}" if case.subject is None else str(case.subject) for case in cases]


def _parts(count: int) -> list[list[int]]:
    """Cut the cases into even parts of at most so many as are taken at once."""
    cut = np.array_split(np.arange(count), -(-count // TOGETHER))
    return [[int(n) for n in part] for part in cut]


def _aims(cases: Sequence[Case], names: Sequence[str], model: Classifier) -> list[Target]:
    """Return every case's own class, by name where the classifier knows the names, else by index."""
    classes = tuple(model.classes)
    wrong = [case for case in cases if not 0 <= case.label < (len(names) or len(classes) or case.label + 1)]
    if wrong:
        raise InvalidInput(f"the label {wrong[0].label} of the case {wrong[0].id!r} is none of the classes.")
    held = {names[case.label] for case in cases} if names else set()
    if held and held <= set(classes):
        return [names[case.label] for case in cases]
    nameless = classes == tuple(f"class_{n}" for n in range(len(classes)))
    if names and not (nameless and len(classes) in (0, len(names))):
        raise InvalidInput(
            f"the classifier knows {', '.join(map(repr, classes))}, and the cases hold "
            f"{min(held - set(classes))!r}: name its classes as the data's, or explain the predicted ones."
        )
    return [case.label for case in cases]


def _trial(case: Case, intake: Intake, target: Target) -> Trial:
    """Bring a case to the classifier's grid."""
    taken = intake.take(case.source)
    region = None
    if case.mask is not None:
        region = taken.grid.sample(case.mask.astype(np.float32)) > 0.5
    return Trial(case, taken.fitted, region, foreground(taken.fitted), target)
