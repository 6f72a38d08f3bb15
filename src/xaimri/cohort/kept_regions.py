"""The regions of an atlas over the maps that a cohort keeps, one of which is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xaimri.atlas import Atlas, RegionTable
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.cohort.cases import listed_cases
from xaimri.cohort.chosen import Chosen
from xaimri.cohort.judgement import subjects_of
from xaimri.cohort.readings import Reading, compared
from xaimri.cohort.table import Amount, RegionCohort
from xaimri.errors import InvalidInput, StorageFault, XaimriError, shown
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.explanation import Explanation
from xaimri.images.intake import Intake
from xaimri.sources import Sources


def regions_of(
    cohort: Chosen,
    atlas: AtlasLike | Mapping[str, AtlasLike],
    names: Names | None,
    *,
    same_space: bool,
    amount: Amount,
    images: Sources | None,
    independent: bool,
    bootstrap: Bootstrap,
    flips: int,
) -> RegionCohort:
    """Compare the maps of the chosen rows, which are of one method, as of `Cohort.regions`."""
    mapped = cohort.mapped()
    heads = mapped.table(["case", "subject", "source"]).to_pylist()
    if not heads:
        raise InvalidInput(
            'there are no maps here: finish the run, choose other rows, or run the cohort with maps="whole".'
        )
    subjects = subjects_of(heads, independent)
    each = _atlases(atlas, names, same_space, [row["case"] for row in heads])
    given = None if images is None else {one.about.case: one.image for one in listed_cases(images, Intake())}
    memory = sum(row["source"] is None and (given is None or row["case"] not in given) for row in heads)
    if memory:
        raise InvalidInput(f"{memory:,} images were in memory: give them by `images`.")
    readings: list[Reading] = []
    people: list[str] = []
    lost: list[str] = []
    for row in mapped.rows():
        case = row["case"]
        try:
            found = mapped.explained(row, image=None if given is None else given.get(case))
        except StorageFault:
            raise  # a disk that can't be read is no fault of an image
        except XaimriError as fault:
            lost.append(str(fault))
            continue
        readings.append(Reading.of(found, _table(case, found, each), amount))
        people.append(subjects[case])
    if not readings:
        raise InvalidInput(f"no map can be laid on its image: {lost[0]}")
    more = [] if not lost else [f"{len(lost):,} of {len(heads):,} maps are left out: {lost[0]}"]
    without = len(cohort) - len(heads)
    if without:
        more.append(f"{without:,} cases have no map, and are left out.")
    return compared(readings, people, amount, bootstrap, flips, more)


def _atlases(
    atlas: object, names: Names | None, same_space: bool, cases: list[str]
) -> Callable[[str], Atlas]:
    """Return what gives the atlas of a case: the one of all, or its own, read when it is asked for."""
    if isinstance(atlas, Mapping):
        missing = [case for case in cases if case not in atlas]
        if missing:
            raise InvalidInput(f"`atlas` has no entry for {shown(missing[0])}: give one for each case.")
        return lambda case: Atlas.read(atlas[case], names, same_space=same_space)
    whole = Atlas.read(atlas, names, same_space=same_space)
    return lambda _: whole


def _table(case: str, explanation: Explanation, atlas: Callable[[str], Atlas]) -> RegionTable:
    """Return what a map holds in each region, or say on which image the atlas can't be laid."""
    try:
        return explanation.by_region(atlas(case))
    except InvalidInput as fault:
        raise InvalidInput(f"the atlas can't be laid on `{case}`: {fault}") from fault
