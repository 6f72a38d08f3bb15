"""The audit of a network: what it goes by, told by interventions on images that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.audit.covariates import Table, columns_of, targets_of
from xaimri.audit.effects import Asked, chance_of, effects_of, probes_of
from xaimri.audit.interventions import Intervention, chosen
from xaimri.audit.model_audit import ModelAudit
from xaimri.audit.people import People, above_chance
from xaimri.audit.readings import MEASURED, Readings, readings_of
from xaimri.audit.relevance import Relevance, relevance_of
from xaimri.data.attendance import trained_on
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import read_loader
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.truth import truth_of
from xaimri.kinds import Anything
from xaimri.methods import Method, build_one
from xaimri.model import Model, open_model
from xaimri.perturb.progress import Watcher, watched
from xaimri.rules import WholeNumber

Names: TypeAlias = Sequence[str] | str | None
"""Which interventions are made; None makes all."""


@check_arguments(
    cases=Anything(), interventions=Anything(), covariates=Anything(), method=Anything(),
    maps=WholeNumber(0), progress=Anything(),
)  # fmt: skip
def audit_model(
    model: ModelLike,
    cases: Dataset | Loader,
    *,
    interventions: Names = None,
    probes: bool = True,
    covariates: Table = None,
    method: Method = "gradcam",
    maps: int = 60,
    independent: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    progress: bool | Watcher = False,
    **options: Any,
) -> ModelAudit:
    """Ask what a network goes by: interventions on images that it has not seen.

    Each intervention takes one thing away from every image: all but contours, all but a filled outline, the
    object itself, its rim, its own background, its grey values, fine structure, its brightness, or one of its
    halves. Balanced accuracy of people with these images stands beside that with the images as they are. The
    object, such as the brain, is what a uniform background lets tell; all is done on the network's grid.

    Then it is asked what the features tell: covariates such as age, sex and site, the level of the slice, the
    object's size, the mean intensity; and what the decision loses where each is held fixed. Last, where the
    relevance of maps lies, which proves no use of anything.

    Parameters
    ----------
    model
        Whatever :func:`xaimri.open_model` opens, or an open :class:`~xaimri.Model`.
    cases
        Images of people that the network was not trained on, with labels and subjects; or a loader of Keras
        or ``tf.data``, as of :func:`xaimri.data.read_loader`. Classes are matched by name.
    interventions
        Names of ``xaimri.audit.INTERVENTIONS``; None makes all.
    probes
        False leaves out what the features tell.
    covariates
        What is known of the cases beside their own `covariates`: values by name, one for each case and None
        where missing; or a CSV or TSV file whose first column holds ids or subjects.
    method
        Whose maps are looked at; a name or an explainer.
    maps
        Images that are explained, at most; 0 leaves maps out.
    independent
        True states that every case without a subject is of a person of its own.
    confidence, resamples, seed
        Of the intervals, over subjects.
    progress
        As of :func:`xaimri.explain`.
    **options
        Those of the model, as :func:`xaimri.open_model` lists them.

    Returns
    -------
    ModelAudit

    Raises
    ------
    InvalidInput
        If subjects are missing, classes don't fit, or no image can be read.

    Notes
    -----
    Costs a forward pass of every image and one for every intervention that changes it, one more for features
    where the network hands them out, eleven in all by default, and the method once for each of ``maps``
    images.
    Each image is read once, those of which maps are made twice; memory holds 32 images and their copies at
    once, and the features of all.

    A drop says that the network uses what went, or that pictures which look so throw it: a blurred brain is
    one that it never met. What is above chance although the object is gone can only come from what is left.

    References
    ----------
    Geirhos et al. (2020), doi:10.1038/s42256-020-00257-z, on shortcuts; DeGrave, Janizek & Lee (2021),
    doi:10.1038/s42256-021-00338-7, on backgrounds of medical images.

    Examples
    --------
    A network that reads one corner, on images whose corner tells the class:

    >>> import numpy as np, xaimri
    >>> from xaimri.data import Case, Dataset
    >>> def image(label, seed):
    ...     pixels = np.zeros((24, 24), np.float32)
    ...     pixels[8:18, 8:18] = np.random.default_rng(seed).uniform(50, 200, (10, 10))
    ...     pixels[:2, :2] = 200 * label
    ...     return pixels
    >>> cases = [Case(f"{i}", i % 2, f"S{i}", image(i % 2, i)) for i in range(24)]
    >>> weights = np.zeros((2, 24, 24, 1))
    >>> weights[1, :2, :2] = 1
    >>> network = xaimri.LinearClassifier(weights, bias=[100, 0], classes=["well", "ill"])
    >>> data = Dataset(("well", "ill"), tuple(cases))
    >>> audit = audit_model(network, data, interventions=["outline", "erased", "background"], maps=0)
    >>> import textwrap
    >>> print(textwrap.fill(audit.headline, 106))
    This network can tell the classes by what lies around the object alone, and does worse without the own
    background.
    """
    wanted = chosen(interventions)
    bootstrap = Bootstrap(resamples, confidence, seed)
    explainer = build_one(method, {})
    opened = open_model(model, **options)
    _check_slices(opened)
    held = matched_cases(opened, cases)
    truth_of(held, None, None, (len(held), len(held.classes)), independent)  # subjects, before hours of work
    table = columns_of(covariates, held)
    with watched(progress):
        found = readings_of(opened.classifier, opened.intake, held, wanted, probes)
        _check_count(found)
        relevance = (
            relevance_of(opened.classifier, opened.intake, explainer, found.cases, maps, bootstrap)
            if maps else None
        )  # fmt: skip
    left = {case.id: n for n, case in enumerate(held)}
    places = [left[case.id] for case in found.cases]
    known = {name: [values[n] for n in places] for name, values in table.items()}
    return _audit(opened, found, wanted, bootstrap, independent, known, relevance)


def matched_cases(opened: Model, cases: Dataset | Loader) -> Dataset:
    """Return the cases with labels that count as the network's classes do."""
    held = read_loader(cases, axes=len(opened.intake.shape) or 3) if is_loader(cases) else cases
    if not isinstance(held, Dataset) or not len(held):
        raise InvalidInput("`cases` must be a data set with at least one case: read one with xaimri.data.")
    names = opened.classes
    nameless = names == tuple(f"class_{n}" for n in range(len(names)))
    if nameless and len(names) in (0, len(held.classes)):
        return held
    return held.with_classes(names)


def _check_slices(opened: Model) -> None:
    if opened.intake.slices is not None:
        raise InvalidInput(
            "a network is audited on the images that it takes, here slices: give slices as the cases, and a "
            "model that was opened without `slices`."
        )


def _check_count(found: Readings) -> None:
    count, names = found.plain.shape[1], len(found.cases.classes)
    if count != names:
        raise InvalidInput(
            f"the network tells {count} classes apart, and the cases have {names}: name the network's "
            "classes as the data's."
        )


def _audit(
    opened: Model,
    found: Readings,
    wanted: Sequence[Intervention],
    bootstrap: Bootstrap,
    independent: bool,
    table: Table,
    relevance: Relevance | None,
) -> ModelAudit:
    """Put everything that was found together."""
    held = found.cases
    labels, who, _ = truth_of(held, None, None, found.plain.shape, independent)
    names, owner = np.unique(np.array([str(one) for one in who]), return_inverse=True)
    people = People(labels, owner, len(held.classes), bootstrap)
    asked = Asked(people, people.weights(), found)
    plain = asked.predictions(found.plain, np.ones(len(held), bool))
    met = () if opened.split is None else trained_on(held, opened.split, opened.origin)
    counts = np.bincount(plain.labels, minlength=len(held.classes)).tolist()
    few = tuple(
        f"{name} ({count})"
        for n, (name, count) in enumerate(zip(held.classes, counts, strict=True))
        if count and n not in plain.estimable
    )
    measured = {name: found.measures[:, n] for n, name in enumerate(MEASURED)}
    return ModelAudit(
        held.classes, len(held), len(names), asked.estimate(plain), chance_of(plain),
        above_chance([plain], bootstrap.seed)[0], asked.order(plain), few, effects_of(asked, wanted),
        probes_of(asked, targets_of(held, owner, table, measured)), found.why, relevance, found.examples,
        (*met, *found.notes), found.failures, bootstrap.confidence, bootstrap.resamples, bootstrap.seed,
        {"sha256": opened.sha256, "temperature": opened.temperature},
    )  # fmt: skip
