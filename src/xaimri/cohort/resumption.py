"""Whether a run goes on with what is there: the same cohort does, and anything else is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xaimri.cohort.cases import Listed
from xaimri.cohort.lease import LEASES
from xaimri.cohort.manifest import Manifest, same_scores
from xaimri.cohort.place import Place
from xaimri.cohort.progress import AT_WORK
from xaimri.cohort.request import probed
from xaimri.cohort.sameness import other_images
from xaimri.cohort.store import ARRAYS, Store
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer
from xaimri.images.intake import Intake
from xaimri.model import Model
from xaimri.names import first_names

MENDED = "Their files failed before: give `retry_failed` to explain those parts anew."
OTHERS = "Give another folder, or the same images."
"""Say what to do about images that changed."""


def kept_at(place: Place) -> Manifest | None:
    """Return what is asked of the cohort that is there; None where the place is free for one."""
    there = Manifest.read(place)
    if there is None and set(place.names("")) - {LEASES, ARRAYS, AT_WORK}:
        raise InvalidInput(
            f"{place.name} holds other things: give a new folder, or one that holds this cohort."
        )
    return there


def begin(place: Place, asked: Manifest, explainers: Mapping[str, Explainer[Any]]) -> Store:
    """Begin a cohort."""
    store = Store(place, asked)
    arrays = {name: one for each in explainers.values() for name, one in each.arrays().items()}
    store.write_arrays(arrays)  # before the record: where that is, all is
    asked.write(place)
    return store


def go_on(
    store: Store,
    asked: Manifest,
    explainers: Mapping[str, Explainer[Any]],
    listed: Sequence[Listed],
    intake: Intake,
    *,
    retry_failed: bool,
) -> Store:
    """See that what is asked is what a cohort is of, and return the cohort.

    Where no image could be read before, the model is known from now on by the first that can, and the
    classes of a function by its first answer. Where nothing was explained, as by wrong settings, something
    else may be asked: it begins anew.

    Raises
    ------
    InvalidInput
        With what differs. Images of failures may, where they are to be done again.
    """
    place, there = store.place, store.manifest
    if there.cases == asked.cases and there.count == asked.count:
        others = other_images(store, listed, intake, store.failed() if retry_failed else ())
        if others:
            mended = set(others) <= set(store.failed())
            raise InvalidInput(
                f"{place.name} holds another cohort: the images of {first_names(others)} are others than "
                f"were explained there. {MENDED if mended else OTHERS}"
            )
    known = there
    if there.probe is None and asked.probe is not None and not store.explained():
        known = replace(there, probe=asked.probe)
    if not there.classes:
        known = replace(known, classes=asked.classes)
    unlike = known.differences(asked)
    if there.xaimri != asked.xaimri and (
        len(store.finished()) < store.parts or (retry_failed and store.failed())
    ):
        unlike.append(f"xaimri's version ({there.xaimri} there, {asked.xaimri} here)")
    if unlike:
        if not store.explained():
            store.clear()  # before the record: rows without one of theirs are refused
            return begin(place, asked, explainers)
        raise InvalidInput(
            f"{place.name} holds another cohort, which differs in {'; '.join(unlike)}: give another folder, "
            "or ask for the same."
        )
    if there != known:
        known.write(place)
    return Store(place, known)


def refuse_other_model(
    store: Store, listed: Sequence[Listed], model: Model, passed: Collection[str] = ()
) -> None:
    """See that the model says of the case that it was least sure of what the rows say: one more prediction.

    Of volumes that reach it slice by slice the rows have no answer that one slice gives.

    Raises
    ------
    InvalidInput
        If it says another thing.
    """
    known = None if model.intake.slices is not None else store.least_sure(passed)
    if known is None:
        return
    case, logits = known
    found = next((probed(model, one) for one in listed if one.about.case == case), None)
    if found is not None and not same_scores(logits, found[1]):
        raise InvalidInput(
            f"{store.place.name} holds another cohort, which differs in the model, which gives other scores "
            f"of `{case}`: give another folder, or ask for the same."
        )
