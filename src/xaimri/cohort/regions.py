"""Maps of many people by the regions of an atlas: a mean for each region, its interval, and its p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.atlas import Atlas, RegionTable
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.cohort.readings import Reading, compared
from xaimri.cohort.table import Amount, RegionCohort
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.kinds import Anything
from xaimri.rules import WholeNumber


@check_arguments(
    atlas=Anything(), names=Anything(), subjects=Anything(),
    resamples=WholeNumber(1, most=10**7), flips=WholeNumber(1, most=10**7),
)  # fmt: skip
def by_region(
    explanations: Sequence[Explanation],
    atlas: AtlasLike | Sequence[AtlasLike],
    names: Names | None = None,
    *,
    subjects: Sequence[object] | Mapping[str, object] | None = None,
    amount: Amount = "enrichment",
    independent: bool = False,
    same_space: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    flips: int = 10_000,
    seed: int = 0,
) -> RegionCohort:
    """Tell what the maps of many people hold in each region of an atlas, and where that is no chance.

    Parameters
    ----------
    explanations
        Of one method and score, such as :func:`xaimri.explain_all` gives them.
    atlas, names, same_space
        As of :meth:`xaimri.Atlas.read`: one for all, or a list with one for each explanation, such as each
        person's own segmentation.
    subjects
        Whose scan each is: a list in their order, or by the name of the image. A person's scans count once,
        by their mean.
    amount
        What is told of each region; ``"enrichment"``, 1 by chance, suits every method. Means and sums are
        tested against 0, which is no test of maps without negative values.
    independent
        True states that every scan is of a person of its own, where there are no ``subjects``.
    confidence, resamples
        Of the intervals over subjects (bootstrap); from 5 subjects on.
    flips, seed
        As of :func:`xaimri.evaluation.sign_flip_test`.

    Returns
    -------
    RegionCohort
        One row per region: mean over subjects, interval, and p corrected for the number of regions.

    Raises
    ------
    InvalidInput
        If the explanations are of several methods or scores, subjects are missing, or the atlas can't be laid
        on a scan.

    Examples
    --------
    >>> import xaimri
    >>> model = xaimri.LinearClassifier.random((8, 8, 1), classes=2, seed=0)
    >>> scans = list(np.random.default_rng(0).random((6, 8, 8)))
    >>> found = xaimri.explain_all(model, scans, "input_x_gradient")
    >>> quarters = np.kron([[1, 2], [3, 4]], np.ones((4, 4), int))
    >>> cohort = xaimri.by_region(found, quarters, independent=True)
    >>> cohort, round(float(cohort.values.mean()), 3)
    (<RegionCohort: enrichment of 4 regions, 6 subjects>, 1.0)
    """
    listed = _listed(explanations)
    people = _people(explanations, len(listed), subjects, independent)
    readings = [
        Reading.of(one, table, amount)
        for one, table in zip(listed, _tables(listed, atlas, names, same_space), strict=True)
    ]
    return compared(readings, people, amount, Bootstrap(resamples, confidence, seed), flips)


def _listed(explanations: object) -> list[Explanation]:
    """Return the explanations, of one method and one score."""
    given = explanations if isinstance(explanations, Sequence) else []
    listed = [one for one in given if isinstance(one, Explanation)]
    if not listed or len(listed) < len(given):
        raise InvalidInput(
            f"`explanations` must be a list of explanations, such as xaimri.explain_all gives, got "
            f"{shown(explanations)}."
        )
    kinds = {(one.method["name"], one.of, one.against is None) for one in listed}
    if len(kinds) > 1:
        words = " and ".join(sorted(f"{name} of the {of}" for name, of, _ in kinds)[:2])
        raise InvalidInput(
            f"the explanations must be of one method and one score, got {words}: give those of one alone."
        )
    return listed


def _people(explanations: object, count: int, subjects: object, independent: bool) -> list[str]:
    """Return whose each scan is."""
    if subjects is None:
        if not independent:
            raise InvalidInput(
                "whose scans they are isn't known, and the intervals are over subjects: give `subjects`, one "
                "for each explanation, or `independent=True` if each is of its own person."
            )
        return [str(number) for number in range(count)]
    if isinstance(subjects, Mapping) and isinstance(explanations, Explanations):
        missing = [name for name in explanations.names if name not in subjects]
        if missing:
            raise InvalidInput(f"`subjects` has no entry for {shown(missing[0])}: give one for each image.")
        subjects = [subjects[name] for name in explanations.names]
    if isinstance(subjects, str | Mapping) or not isinstance(subjects, Sequence | np.ndarray):
        raise InvalidInput(f"`subjects` must be a list with one for each explanation, got {shown(subjects)}.")
    if len(subjects) != count or any(one is None for one in subjects):
        raise InvalidInput(
            f"`subjects` must have one for each of {count} explanations, got {shown(list(subjects))}."
        )
    return [str(one) for one in subjects]


def _tables(
    listed: list[Explanation], atlas: object, names: Names | None, same_space: bool
) -> list[RegionTable]:
    """Return the table of each scan, by the one atlas or its own."""
    if isinstance(atlas, list | tuple) and atlas and isinstance(atlas[0], Atlas | str | Path):
        if len(atlas) != len(listed):
            raise InvalidInput(f"{len(atlas)} atlases can't be those of {len(listed)} explanations.")
        return [
            one.by_region(own, names, same_space=same_space) for one, own in zip(listed, atlas, strict=True)
        ]
    whole = Atlas.read(atlas, names, same_space=same_space)
    return [one.by_region(whole) for one in listed]
