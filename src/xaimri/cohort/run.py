"""Explain a whole cohort into a folder: what is finished stays, and the same call goes on after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from os import PathLike
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.ahead import read_ahead
from xaimri.arguments import check_arguments
from xaimri.capacity import capacity
from xaimri.cohort.cases import Listed, digest, listed_cases
from xaimri.cohort.cohort import Cohort
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.place import LEASE, Place, place_of
from xaimri.cohort.sameness import other_images
from xaimri.cohort.schema import KeptMaps, Precision, arrow
from xaimri.cohort.store import Store
from xaimri.cohort.work import LABEL, PREDICTED, Read, Work
from xaimri.errors import Cancelled, InvalidInput, XaimriError
from xaimri.explainer import require
from xaimri.failure import Failure
from xaimri.images.scan import TakenScan
from xaimri.kinds import Anything
from xaimri.methods import Methods, build_named, held_methods
from xaimri.model import Model
from xaimri.names import first_names, known_name
from xaimri.objective import Of
from xaimri.options import open_with
from xaimri.sources import Named, Sources, attempt
from xaimri.targets import resolve_targets

TOGETHER = 32
"""Cases of one file of rows, at most: what a stop costs is no more than these."""

CohortEngine: TypeAlias = Literal["local"]
"""What does the work."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total
        Cases with their rows written, and all.
    failures
        Rows with a failure, of those written in this run.
    seconds
        Since this run began.
    fresh
        Cases that this run has done.
    """

    done: int
    total: int
    failures: int
    seconds: float
    fresh: int

    @property
    def rate(self) -> float:
        """Cases a second in this run."""
        return self.fresh / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float:
        """Seconds until the end, if it goes on so."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


CohortWatcher: TypeAlias = Callable[[Progress], object]
"""Called after every part; one that returns False stops the run, which goes on another time."""


@check_arguments(
    methods=Anything(), cases=Anything(), out=Anything(), target=Anything(), against=Anything(),
    progress=Anything(),
)  # fmt: skip
def explain_cohort(
    model: ModelLike,
    cases: Sources,
    methods: Methods = "gradcam",
    *,
    out: str | PathLike[str],
    target: str | int = PREDICTED,
    of: Of | None = None,
    against: str | int | None = None,
    maps: KeptMaps = "whole",
    precision: Precision = "float32",
    engine: CohortEngine = "local",
    progress: CohortWatcher | None = None,
    **options: Any,
) -> Cohort:
    """Explain every case by every method into Parquet files; the same call goes on after a stop.

    Cases are read while the network works on those before. Rows are written part by part, each file whole or
    not at all: a crash costs the part that was at work. Memory doesn't grow with the number of cases.

    Parameters
    ----------
    model, **options
        As of :func:`xaimri.explain_all`: options of the model, and settings of the methods by name.
    cases
        A data set, a folder, a list of images, or a table of paths (``.csv``, ``.tsv``, ``.parquet``) with
        the columns ``path`` and, where they are known, ``case``, ``subject`` and ``label``.
    methods
        Names or explainers; in a mapping under names of your own.
    out
        Folder, or address of an object store such as ``"s3://bucket/run"`` (by fsspec). One that holds
        another cohort is refused.
    target
        ``"predicted"``, ``"label"`` (each case's own class), or a class for all, by name or index.
    of, against
        As of :func:`xaimri.explain`.
    maps
        ``"whole"``; ``"regions"``: of methods that work on regions these, of others nothing; or ``"none"``.
    precision
        ``"float32"``, or ``"float16"``, which takes half the room: each map over its largest value, so that
        the error of a value is at most 1/2,048 of itself, or 1/33,000,000 of the largest.
    engine
        ``"local"``: this process.
    progress
        Called with a `Progress` after every part; one that returns ``False`` stops the run.

    Returns
    -------
    Cohort
        Reads lazily; one row for each case and method. An image that can't be read or explained is a row with
        its sentence in ``failure``.

    Raises
    ------
    InvalidInput
        If an argument can't be used, the folder holds another cohort (the sentence says what differs), or not
        one of the first cases can be explained.
    StorageFault
        If another run is writing there, or the system can't write.
    Cancelled
        If ``progress`` returned ``False``; what is written stays.

    Notes
    -----
    Costs each method once per case, and one more prediction of the first case (of a volume, of its first
    slice), by which the model is known again.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> from tempfile import TemporaryDirectory
    >>> model = xaimri.LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> scans = {f"scan {n}": np.random.default_rng(n).random((8, 9)) for n in range(40)}
    >>> with TemporaryDirectory() as folder:
    ...     cohort = xaimri.explain_cohort(model, scans, ["saliency", "hirescam"], out=folder)
    ...     cohort
    ...     cohort.explanation("scan 7", "saliency", image=scans["scan 7"]).values.shape
    <Cohort: 40 cases by saliency and hirescam, finished>
    (8, 9)
    """
    arrow()
    held = held_methods(methods)
    opened, settings = open_with(model, options, held)
    explainers = build_named(held, settings)
    for explainer in explainers.values():
        require(explainer, opened.classifier)
    place, listed = place_of(out), listed_cases(cases, opened.intake)
    with place.held() as renew:
        asked = _manifest(opened, explainers, listed, (target, of, against, maps, precision))
        store = _begun(place, asked, listed, opened)
        _run(store, Work(opened, explainers, store.manifest), listed, renew, progress)
    return Cohort(store)


def _begun(place: Place, asked: Manifest, listed: Sequence[Listed], model: Model) -> Store:
    """Begin a cohort, or go on with the same."""
    there = Manifest.read(place)
    if there is None:
        if set(place.names("")) - {LEASE}:
            raise InvalidInput(
                f"{place.name} holds other things: give a new folder, or one that holds this cohort."
            )
        asked.write(place)
        return Store(place, asked)
    store = Store(place, there)
    others = other_images(store, listed, model.intake) if there.cases == asked.cases else []
    if others:
        raise InvalidInput(
            f"{place.name} holds another cohort: the images of {first_names(others)} are others than were "
            "explained there. Give another folder, or the same images."
        )
    unlike = there.differences(asked)
    if unlike:
        raise InvalidInput(
            f"{place.name} holds another cohort, which differs in {'; '.join(unlike)}: give another folder, "
            "or ask for the same."
        )
    return store


def _run(
    store: Store,
    work: Work,
    listed: Sequence[Listed],
    renew: Callable[[], None],
    progress: CohortWatcher | None,
) -> None:
    """Do the parts that are not finished, in order."""
    finished = store.finished()
    wanted = [part for part in range(store.parts) if part not in finished]
    done = len(listed) - sum(len(store.bounds(part)) for part in wanted)
    begun, fresh, failures = time.monotonic(), 0, 0

    def read(part: int) -> list[Read]:
        return work.read([listed[place] for place in store.bounds(part)])

    for part, cases in read_ahead(wanted, read):
        rows = work.rows(cases)
        if not fresh and not done:
            _refuse_hopeless(rows)
        store.write(part, rows)
        renew()
        fresh += len(cases)
        failures += sum(row["failure"] is not None for row in rows)
        told = Progress(done + fresh, len(listed), failures, time.monotonic() - begun, fresh)
        if progress is not None and progress(told) is False:
            raise Cancelled("the run was stopped: the same call goes on.")


def _refuse_hopeless(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to go on where all that could be read fails: it is the model or a setting that is at fault."""
    tried = [row for row in rows if row["stage"] != "read"]
    for method in dict.fromkeys(row["method"] for row in tried):
        own = [row["failure"] for row in tried if row["method"] == method]
        if len(own) > 1 and None not in own and len(set(own)) == 1:
            raise InvalidInput(f"{method} can't explain any of the first {len(own)} cases: {own[0]}")


def _manifest(
    model: Model,
    explainers: Mapping[str, Any],
    listed: Sequence[Listed],
    asked: tuple[str | int, Of | None, str | int | None, KeptMaps, Precision],
) -> Manifest:
    """Say what is asked of which model and cases."""
    target, of, against, maps, precision = asked
    probe = _probe(model, listed)
    classes = model.classes
    intake = model.intake
    return Manifest(
        cases=digest(listed),
        count=len(listed),
        together=_together(model, probe),
        methods={name: explainer.record() for name, explainer in explainers.items()},
        target=_target(target, listed, classes),
        of=of,
        against=None if against is None else _class_name(against, classes),
        maps=maps,
        precision=precision,
        classes=classes,
        intake=tuple(intake.describe()),
        channels=intake.shape[-1] if intake.shape else None,
        axes=3 if intake.volumes else 2,
        layout=intake.layout,
        probe=None if probe is None else (probe[0], probe[1]),
        xaimri=version("xaimri"),
    )


def _target(target: str | int, listed: Sequence[Listed], classes: Sequence[str]) -> str:
    """Return what is explained, in words."""
    if target in (PREDICTED, LABEL) and target in classes:
        raise InvalidInput(
            f"`target={target!r}` has a meaning of its own here, and a class is called so: give the class "
            "by its index."
        )
    if target == LABEL:
        for one in listed:
            if one.about.label is None:
                raise InvalidInput(
                    f'target="label" needs a label of every case, and `{one.about.case}` has none.'
                )
            known_name(one.about.label, classes, "class")
    if target in (PREDICTED, LABEL):
        return str(target)
    return _class_name(target, classes)


def _class_name(given: str | int, classes: Sequence[str]) -> str:
    """Return the name of a class that is given by name or index."""
    (index,) = resolve_targets(given, tuple(classes), 1)
    return classes[cast(int, index)]


def _together(model: Model, probe: tuple[str, Any, int] | None) -> int:
    """Return how many cases make a file: fewer of volumes, whose maps are held until it is written."""
    return TOGETHER if probe is None else max(1, capacity([probe[2], 1], TOGETHER))


def _probe(model: Model, listed: Sequence[Listed]) -> tuple[str, tuple[float, ...], int] | None:
    """Return the first case that can be predicted, the model's logits of it, and how many pixels it has."""
    for one in listed:
        taken = attempt(Named(one.about.case, one.image), model.intake)
        if not isinstance(taken, Failure):
            seen = taken.take(taken.places[0]) if isinstance(taken, TakenScan) else taken
            try:
                found = model.classifier.logits(seen.fitted[None])[0]
            except XaimriError:
                continue  # whoever explains it says why
            told = tuple(float(np.float32(each)) for each in found)
            return one.about.case, told, int(np.prod(taken.image.shape[:-1]))
    return None
