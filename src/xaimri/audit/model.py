"""The audit of a network: what it goes by, told by interventions on images that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.audit.effect import Effect
from xaimri.audit.interventions import Intervention, chosen
from xaimri.audit.model_audit import ModelAudit
from xaimri.audit.people import People, Predictions, above_chance, drops
from xaimri.audit.readings import CHANGED, IMPOSSIBLE, UNCHANGED, Readings, readings_of
from xaimri.data.attendance import trained_on
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import read_loader
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.truth import truth_of
from xaimri.kinds import Anything
from xaimri.model import Model, open_model
from xaimri.perturb.progress import Watcher, watched

Names: TypeAlias = Sequence[str] | str | None
"""Which interventions are made; None makes all."""


@check_arguments(cases=Anything(), interventions=Anything(), progress=Anything())
def audit_model(
    model: ModelLike,
    cases: Dataset | Loader,
    *,
    interventions: Names = None,
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

    Parameters
    ----------
    model
        Whatever :func:`xaimri.open_model` opens, or an open :class:`~xaimri.Model`.
    cases
        Images of people that the network was not trained on, with labels and subjects; or a loader of Keras
        or ``tf.data``, as of :func:`xaimri.data.read_loader`. Classes are matched by name.
    interventions
        Names of ``xaimri.audit.INTERVENTIONS``; None makes all.
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
    Costs a forward pass of every image and one for every intervention that changes it, ten in all by default.
    Each image is read once, up to 6 of a class twice; memory holds 32 images and their copies at once.

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
    >>> audit = audit_model(network, data, interventions=["outline", "erased", "background"])
    >>> import textwrap
    >>> print(textwrap.fill(audit.headline, 106))
    This network can tell the classes by what lies around the object alone, and does worse without the own
    background.
    """
    wanted = chosen(interventions)
    bootstrap = Bootstrap(resamples, confidence, seed)
    opened = open_model(model, **options)
    _check_slices(opened)
    held = matched_cases(opened, cases)
    truth_of(held, None, None, (len(held), len(held.classes)), independent)  # subjects, before hours of work
    with watched(progress):
        found = readings_of(opened.classifier, opened.intake, held, wanted)
    return _audit(opened, found, wanted, bootstrap, independent)


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


@dataclass(frozen=True, eq=False)
class _Asked:
    """Answers by person to images as they are and as changed, and how people are drawn."""

    people: People
    weights: Array
    found: Readings

    def predictions(self, p: Array, used: Bool[Array, " cases"]) -> Predictions:
        return self.people.predictions(p, used)

    def estimate(self, one: Predictions) -> Estimate:
        if not one.able:
            return Estimate.none()
        return self.people.estimate(one.value, one.balanced(self.weights), len(set(one.owner.tolist())))

    def drop(self, before: Predictions, after: Predictions) -> Estimate:
        if not before.able:
            return Estimate.none()
        drawn = before.balanced(self.weights) - after.balanced(self.weights)
        return self.people.estimate(before.value - after.value, drawn, len(set(before.owner.tolist())))


def _audit(
    opened: Model,
    found: Readings,
    wanted: Iterable[Intervention],
    bootstrap: Bootstrap,
    independent: bool,
) -> ModelAudit:
    held = found.cases
    if found.plain.shape[1] != len(held.classes):
        raise InvalidInput(
            f"the network tells {found.plain.shape[1]} classes apart, and the cases have "
            f"{len(held.classes)}: name the network's classes as the data's."
        )
    labels, who, _ = truth_of(held, None, None, found.plain.shape, independent)
    names, owner = np.unique(np.array([str(one) for one in who]), return_inverse=True)
    people = People(labels, owner, len(held.classes), bootstrap)
    asked = _Asked(people, people.weights(), found)
    plain = asked.predictions(found.plain, np.ones(len(held), bool))
    met = () if opened.split is None else trained_on(held, opened.split, opened.origin)
    counts = np.bincount(plain.labels, minlength=len(held.classes))
    few = tuple(
        f"{name} ({counts[n]})"
        for n, name in enumerate(held.classes)
        if counts[n] and n not in plain.estimable
    )
    return ModelAudit(
        held.classes, len(held), len(names), asked.estimate(plain), _chance(plain),
        above_chance([plain], bootstrap.seed)[0], few, effects_of(asked, list(wanted)),
        (*met, *found.notes), found.failures, bootstrap.confidence, bootstrap.resamples, bootstrap.seed,
    )  # fmt: skip


def effects_of(asked: _Asked, wanted: Sequence[Intervention]) -> tuple[Effect, ...]:
    """Return the effect of every intervention, over the images that it changes."""
    found, pairs = asked.found, []
    for each in wanted:
        used = found.outcomes[each.name] == CHANGED
        pairs.append(
            (asked.predictions(found.plain, used), asked.predictions(found.changed[each.name], used))
        )
    seed = asked.people.bootstrap.seed
    kept = [n for n, each in enumerate(wanted) if each.anatomy]
    gone = [n for n, each in enumerate(wanted) if not each.anatomy]
    p = dict(zip(kept, drops([pairs[n] for n in kept], seed), strict=True))
    p |= dict(zip(gone, above_chance([pairs[n][1] for n in gone], seed), strict=True))
    made = []
    for place, (each, (before, after)) in enumerate(zip(wanted, pairs, strict=True)):
        outcomes = found.outcomes[each.name]
        changed, unchanged, impossible = (
            int((outcomes == n).sum()) for n in (CHANGED, UNCHANGED, IMPOSSIBLE)
        )
        made.append(
            Effect(
                each.name, each.title, each.left, each.anatomy, changed, unchanged, impossible,
                len(set(before.owner.tolist())), asked.estimate(before), asked.estimate(after),
                asked.drop(before, after), _chance(before), p[place],
            )
        )  # fmt: skip
    return tuple(made)


def _chance(one: Predictions) -> float:
    return 1 / len(one.estimable) if one.able else float("nan")
