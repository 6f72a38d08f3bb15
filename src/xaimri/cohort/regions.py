"""Maps of many people by the regions of an atlas: a mean for each region, its interval, and its p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.atlas import Atlas, RegionTable
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.cohort.table import Amount, CohortRow, RegionCohort
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.evaluation.sign_flips import is_exact, sign_flip_test
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.kinds import Anything
from xaimri.rules import WholeNumber

CHANCE: Mapping[str, float] = {"enrichment": 1.0, "enrichment_signed": 0.0, "mean": 0.0, "sum": 0.0}
"""What each amount is where a region is nothing special."""


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
        Of the intervals over subjects (bootstrap, percentiles); from 5 subjects on.
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
    tables = _tables(listed, atlas, names, same_space)
    named = {row.label: row.name for table in tables for row in table.rows}
    labels = sorted(named)
    values = _by_subject(tables, labels, amount, people)
    chance = CHANCE[amount]
    t, p = sign_flip_test(values, chance, flips=flips, seed=seed)
    notes = list(_notes(listed, values, amount, flips))
    if _is_one_sided(listed, amount):
        p = np.full_like(p, np.nan)
    means, low, high = _intervals(values, Bootstrap(resamples, confidence, seed))
    rows = tuple(
        CohortRow(
            label, named[label], int(np.isfinite(values[:, n]).sum()),
            *(float(each[n]) for each in (means, low, high, t, p)),
        )
        for n, label in enumerate(labels)
    )  # fmt: skip
    more = dict.fromkeys(note for table in tables for note in table.notes if not note.startswith("Errors"))
    several = [f"Of single scans: {note}" for note in list(more)[:5]]
    return RegionCohort(
        rows, amount, chance, values, _asked(listed), tables[0].unit, confidence, (*notes, *several)
    )


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


def _by_subject(
    tables: Sequence[RegionTable], labels: Sequence[int], amount: Amount, people: Sequence[str]
) -> Float[Array, "subjects regions"]:
    """Return each subject's mean over their scans, NaN where none of them has a value."""
    place = {label: n for n, label in enumerate(labels)}
    values = np.full((len(tables), len(labels)), np.nan)
    for n, table in enumerate(tables):
        for row in table.rows:
            values[n, place[row.label]] = getattr(row, amount)
    values[~np.isfinite(values)] = np.nan
    order = {person: n for n, person in enumerate(dict.fromkeys(people))}
    whose = np.array([order[person] for person in people])
    known = np.isfinite(values)
    total, count = np.zeros((2, len(order), len(labels)))
    np.add.at(total, whose, np.where(known, values, 0))
    np.add.at(count, whose, known)
    found: Array = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return found


def _intervals(values: Float[Array, "subjects regions"], bootstrap: Bootstrap) -> tuple[Array, Array, Array]:
    """Return the mean of each region with its interval over subjects, where there are enough of them."""
    known = np.isfinite(values)
    filled, count = np.where(known, values, 0), known.sum(axis=0)
    means = np.divide(filled.sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0)
    weights = bootstrap.weights(np.zeros(len(values), dtype=np.int64))
    times = weights @ known
    drawn = np.divide(weights @ filled, times, out=np.full(times.shape, np.nan), where=times > 0)
    low, high = np.full((2, len(count)), np.nan)
    able = count >= MINIMUM_SUBJECTS
    if able.any():
        low[able], high[able] = bootstrap.ends(drawn[:, able])
    flat = ~(high > low)
    low[flat], high[flat] = np.nan, np.nan
    return means, low, high


def _is_one_sided(listed: Sequence[Explanation], amount: Amount) -> bool:
    """Tell whether a mean can only lie above 0, as of maps that are rectified."""
    return amount != "enrichment" and all(not (one.values < 0).any() for one in listed)


def _notes(
    listed: Sequence[Explanation], values: Float[Array, "subjects regions"], amount: Amount, flips: int
) -> Sequence[str]:
    """Say what was compared, and what can't be told."""
    subjects = len(values)
    told = []
    if len({one.target for one in listed}) > 1:
        told.append("The maps are of different classes, each of its own scan's.")
    if subjects < MINIMUM_SUBJECTS:
        told.append(f"No intervals: they need at least {MINIMUM_SUBJECTS} subjects.")
    if _is_one_sided(listed, amount):
        told.append(
            "No p: these maps have no negative value, so that every mean lies above 0; "
            'amount="enrichment" asks whether a region has more than its share.'
        )
        return told
    if 2 / 2**subjects > 0.05:
        told.append(f"Of {subjects} subjects no p can be below {2 / 2**subjects:.2g}.")
    how = "all flips" if is_exact(subjects, flips) else f"{flips} flips"
    told.append(f"p is corrected for all regions: largest t of {how} of the subjects' signs.")
    return told


def _asked(listed: Sequence[Explanation]) -> str:
    """Return method and question in words."""
    first = listed[0]
    same = len({one.question for one in listed}) == 1
    title = cast(str, first.method.get("title", first.method["name"]))
    return f"{title} of {first.question if same else 'each scan by its own class'}"
