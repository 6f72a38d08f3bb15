"""Explain a whole cohort into a folder: what is finished stays, and the same call goes on after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import Any

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.cohort.cases import Listed, listed_cases, notes_of
from xaimri.cohort.cohort import Cohort
from xaimri.cohort.engine import CohortEngine, engine_of
from xaimri.cohort.isolation import Bench, Isolated, Rows, isolation
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.parts import plan, rows_of_parts
from xaimri.cohort.place import Place, place_of
from xaimri.cohort.progress import CohortWatcher, Progress, noted
from xaimri.cohort.ray_engine import run_on_ray
from xaimri.cohort.ray_session import ray_package
from xaimri.cohort.request import first_probed, manifest_of, probed
from xaimri.cohort.resumption import begin, go_on, kept_at, refuse_other_model
from xaimri.cohort.schema import KeptMaps, Precision, arrow
from xaimri.cohort.store import ROWS, Store
from xaimri.cohort.work import PREDICTED, refuse_hopeless
from xaimri.errors import Cancelled, StorageFault
from xaimri.explainer import require
from xaimri.kinds import Anything, Function
from xaimri.methods import Methods, build_named, held_methods
from xaimri.objective import Of
from xaimri.options import open_with
from xaimri.rules import Number, OrNone
from xaimri.sources import Sources

AGAIN = "the same call goes on."
"""Says what to do after a stop."""


@check_arguments(
    methods=Anything(), cases=Anything(), out=Anything(), target=Anything(), against=Anything(),
    progress=OrNone(Function(("told",))), timeout=OrNone(Number(above=0)),
)  # fmt: skip
def explain_cohort(
    model: ModelLike,
    cases: Sources,
    methods: Methods = "gradcam",
    *,
    out: str | PathLike[str],
    target: str | int | None = PREDICTED,
    of: Of | None = None,
    against: str | int | None = None,
    maps: KeptMaps = "whole",
    precision: Precision = "float32",
    engine: CohortEngine = "local",
    isolated: bool = False,
    timeout: float | None = None,
    retry_failed: bool = False,
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
        another cohort is refused, unless not one of its cases could be explained.
    target
        ``"predicted"`` (or None), ``"label"`` (each case's own class), or a class for all, by name or index.
    of, against
        As of :func:`xaimri.explain`.
    maps
        ``"whole"``; ``"cells"``: of class activation maps the cells of the layer, which give the same map
        again, to a millionth of its largest value, of methods that work on regions these, of others nothing;
        ``"regions"``: these alone; or ``"none"``.
    precision
        ``"float32"``, or ``"float16"``, which takes half the room: each map over its largest value, so that
        the error of a value is at most 1/2,048 of itself, or 1/33,000,000 of the largest.
    engine
        ``"local"``: this process. ``"ray"``: workers on all processors of this machine; a `RayEngine` says
        how many, with which threads and GPUs, or names a cluster. Either goes on with what the other began.
    isolated
        True explains in one process beside this one, where the model is opened a second time. A case that
        ends that process (a crash, or no memory) is tried once more alone, then is a row with a failure.
        Workers of Ray are always so.
    timeout
        Seconds that reading a case, or explaining it by one method, may take; one that takes longer is tried
        once more alone, then is a row with a failure. Isolates. None for ever.
    retry_failed
        True explains anew the parts that have failures, such as of files that were mended since.
    progress
        Called with a `Progress` after every part; one that returns ``False`` stops the run.

    Returns
    -------
    Cohort
        Reads lazily; one row for each case and method. An image that can't be read or explained is a row with
        its sentence in ``failure``.

    Raises
    ------
    MissingCapability
        If the model can't be sent to a process of its own, where that is asked for or a run was killed there.
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
    slice), by which the model is known again; where a run goes on, of the case too that it was least sure of.

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
    ray = engine_of(engine)
    if ray is not None:
        ray_package()
    bench = _bench_of(model, methods, options)
    place, listed = place_of(out), listed_cases(cases, bench.model.intake)
    always, local = isolated or timeout is not None, ray is None
    with place.held() as check, noted(place, len(place.names(ROWS))) as note, ExitStack() as ends:
        there = kept_at(place)
        apart = isolation(
            bench, timeout, always=always and local, retry=retry_failed and local, deaths=note.deaths
        )
        if apart is not None:
            ends.callback(apart.close)
        if there is None:
            note.tell(Progress(0, len(listed), 0, 0.0, 0))
        asked = target, of, against, maps, precision
        notes = notes_of(cases, bench.model.intake) if there is None else there.notes
        store = _store_at(place, there, bench, apart, listed, asked, notes, retry_failed=retry_failed)
        wanted = plan(store, listed, isolated=always, retry_failed=retry_failed, killed=note.deaths > 0)
        begun = Progress(len(listed) - store.count(wanted.all), len(listed), 0, 0.0, 0)
        note.tell(begun)  # before the first part, which may kill this process
        work = bench.work(store.manifest)

        def tell(told: Progress) -> None:
            note.tell(told)
            if progress is not None and progress(told) is False:
                raise Cancelled(f"the run was stopped: {AGAIN}")

        if ray is not None:
            run_on_ray(ray, store, sorted(wanted.all), work, listed, begun, check, tell, timeout)
        else:
            _run_here(store, begun, rows_of_parts(store, listed, wanted, work, apart), check, tell)
    return Cohort(store)


def _bench_of(model: ModelLike, methods: Methods, options: Mapping[str, Any]) -> Bench:
    """Return the model, opened, and the methods, each of which it can serve."""
    held = held_methods(methods)
    opened, settings = open_with(model, options, held)
    explainers = build_named(held, settings)
    for explainer in explainers.values():
        require(explainer, opened.classifier)
    return Bench(opened, explainers)


def _store_at(
    place: Place,
    there: Manifest | None,
    bench: Bench,
    apart: Isolated | None,
    listed: Sequence[Listed],
    asked: tuple[str | int | None, Of | None, str | int | None, KeptMaps, Precision],
    notes: tuple[str, ...],
    *,
    retry_failed: bool,
) -> Store:
    """Begin the cohort that is asked for; where one is there, see that it is this one."""
    model, explainers = bench.model, bench.explainers
    ask = partial(probed, model) if apart is None or there is not None else apart.probe
    known = None if there is None or there.probe is None else there.probe[0]
    probe = first_probed(ask, listed, known)
    manifest = replace(manifest_of(model, probe, explainers, listed, asked), notes=notes)
    if there is None:
        return begin(place, manifest, explainers)
    store = go_on(Store(place, there), manifest, explainers, listed, model.intake, retry_failed=retry_failed)
    refuse_other_model(store, listed, model, store.failed() if retry_failed else ())
    return store


def _run_here(
    store: Store,
    begun: Progress,
    made: Iterable[tuple[int, Rows]],
    check: Callable[[], None],
    tell: Callable[[Progress], None],
) -> None:
    """Write every part as it is made, and see in the end that all of them are there."""
    for told in _written(store, begun, made):
        check()
        tell(told)
    gone = store.parts - len(store.finished())
    if gone:
        raise StorageFault(
            f"the rows of {gone:,} parts in {store.place.name} were taken away meanwhile: {AGAIN}"
        )


def _written(store: Store, told: Progress, made: Iterable[tuple[int, Rows]]) -> Iterator[Progress]:
    """Write the rows of each part, and yield how far the run is then; ``told`` is how far it was."""
    begun = time.monotonic()
    for part, rows in made:
        if not told.done:
            refuse_hopeless(rows)
        store.write(part, rows)
        count, failed = len(store.bounds(part)), sum(row["failure"] is not None for row in rows)
        seconds = time.monotonic() - begun
        told = Progress(told.done + count, told.total, told.failures + failed, seconds, told.fresh + count)
        yield told
