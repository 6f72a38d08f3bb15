"""A cohort by Ray Data: its cases as a data set, explained by actors, written by Ray's Parquet writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xaimri.cohort.cases import Listed
from xaimri.cohort.engine import RayEngine
from xaimri.cohort.part_files import PACKED
from xaimri.cohort.progress import Progress
from xaimri.cohort.ray_alone import AloneRun
from xaimri.cohort.ray_parts import CHECKPOINT, arrow_place, packed
from xaimri.cohort.ray_progress import watched
from xaimri.cohort.ray_session import ray_package, ray_session, workers_of
from xaimri.cohort.ray_worker import Explaining, Notes, read_batch
from xaimri.cohort.store import Store
from xaimri.cohort.work import Work
from xaimri.errors import InvalidInput, XaimriError, first_line

SETTINGS: dict[str, Any] = {
    "enable_progress_bars": False,
    "print_on_execution_start": False,
    "max_errored_blocks": -1,  # a part that ends its workers is tried again case by case
    "target_max_block_size": None,  # a part stays one piece
}
"""How Ray Data works here."""

LISTING = 2
"""Processes that deal out the parts. They take no processor, so Ray would begin one for each part."""


def run_on_ray(
    engine: RayEngine,
    store: Store,
    wanted: Sequence[int],
    work: Work,
    listed: Sequence[Listed],
    begun: Progress,
    check: Callable[[], None],
    tell: Callable[[Progress], None],
    timeout: float | None = None,
) -> None:
    """Do parts of a cohort on as many workers as are asked for, in any order.

    Parameters
    ----------
    engine
        How Ray is asked for.
    store, wanted, work, listed
        Where the rows are, which parts are to be done, how, and all cases.
    begun
        How far it is.
    check, tell
        Called while it works: what sees that the place is still its own, and what tells how far it is.
    timeout
        Seconds that reading a case, or explaining it by one method, may take.

    Raises
    ------
    InvalidInput
        If the model or a case can't be sent to other processes, or nothing can be explained.
    Cancelled
        If ``tell`` raised it.
    XaimriError
        If Ray can't go on.
    """
    if not wanted:
        return
    package = ray_package()
    _check_reach(store)
    parcel = packed(work, "the model")
    with _told(package), ray_session(engine) as ray:
        workers = workers_of(ray, engine, len(wanted))
        here = _here(ray)
        notes = ray.remote(Notes).options(num_cpus=0, **here).remote()
        where = here if engine.address is not None and not engine.shared_files else {}
        run = AloneRun(ray, [ray.put(parcel)], notes, engine, where, store, work, listed, timeout)
        try:
            with watched(ray, notes, check, tell, begun):
                _pipeline(run, set(range(store.parts)) - set(wanted), workers)
                missing = ray.get(notes.missing.remote(wanted))
                if missing and ray.get(notes.goes_on.remote()):
                    run.parts(missing, workers)
        finally:
            ray.kill(notes)  # without it nobody writes on, where Ray stays
    missing = sorted(set(wanted) - store.finished())
    if missing:
        raise XaimriError(
            f"Ray ended, and {len(missing):,} parts of {store.place.name} are not there: can every machine "
            "write to it? The same call goes on."
        )


def _pipeline(run: AloneRun, finished: set[int], workers: int) -> None:
    """Let Ray Data do all that its checkpoint does not have."""
    ray, engine, store = run.ray, run.engine, run.store
    from ray.data import ActorPoolStrategy, DataContext

    from xaimri.cohort.ray_cases import cases_of
    from xaimri.cohort.ray_files import parts_of

    first = None if finished else 0
    files, path = parts_of(store, run.notes)
    context = DataContext.get_current()
    kept = {name: getattr(context, name) for name in (*SETTINGS, "checkpoint_config")}
    try:
        for name, value in {
            **SETTINGS,
            "checkpoint_config": _checkpoint(store, run.listed, finished),
        }.items():
            setattr(context, name, value)
        source = cases_of(store, run.listed, finished)
        cases = ray.data.read_datasource(
            source, override_num_blocks=len(source.blocks), concurrency=LISTING,
            ray_remote_args={"num_cpus": 0},
        )  # fmt: skip
        read = cases.map_batches(
            read_batch, batch_size=1, batch_format="pyarrow", num_cpus=0,
            fn_kwargs={
                "intake": packed(run.work.model.intake, "how images reach the model"), "timeout": run.timeout,
            },
            concurrency=2 * workers, max_retries=1, **run.where,
        )  # fmt: skip
        rows = read.map_batches(
            Explaining, batch_size=1, batch_format="pyarrow", zero_copy_batch=True,
            fn_constructor_args=(run.parcel, run.notes, engine.threads, first, workers, run.timeout),
            compute=ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
            num_cpus=engine.threads, num_gpus=engine.gpus, max_restarts=-1, max_task_retries=1,
        )  # fmt: skip
        rows.write_parquet(
            path, filesystem=files, try_create_dir=False, ray_remote_args={"num_cpus": 0, "max_retries": 3},
            concurrency=workers, **PACKED,
        )  # fmt: skip
    except ray.exceptions.RayError:
        if ray.get(run.notes.goes_on.remote()):  # else what stopped it is told
            raise
    finally:
        for name, value in kept.items():
            setattr(context, name, value)


@contextmanager
def _told(ray: Any) -> Iterator[None]:
    """Tell in one sentence that Ray can't go on, whichever of its processes is lost."""
    try:
        yield
    except ray.exceptions.RayError as fault:
        raise XaimriError(
            f"Ray can't go on ({first_line(getattr(fault, 'cause', None) or fault)}): what is written "
            "stays, and the same call goes on."
        ) from fault


def _checkpoint(store: Store, listed: Sequence[Listed], finished: set[int]) -> Any:
    """Return Ray's record of finished rows, which begins with those that the store has."""
    import pyarrow
    from pyarrow import fs, parquet
    from ray.data.checkpoint import CheckpointConfig

    files, root = arrow_place(store)
    path = f"{root}/{CHECKPOINT}"
    if files.get_file_info(path).type == fs.FileType.Directory:
        files.delete_dir(path)
    ids = [listed[place].about.case for part in sorted(finished) for place in store.bounds(part)]
    if ids:
        files.create_dir(path, recursive=True)
        parquet.write_table(pyarrow.table({"case": ids}), f"{path}/store.parquet", filesystem=files)
    return CheckpointConfig(id_column="case", checkpoint_path=path, override_filesystem=files)


def _check_reach(store: Store) -> None:
    """Refuse a place that is in the memory of this process."""
    own = getattr(getattr(store.place, "files", None), "protocol", ())
    if "memory" in ((own,) if isinstance(own, str) else own):
        raise InvalidInput(
            f"{store.place.name} is in the memory of this process, which Ray's workers don't see: give a "
            "folder, or an object store."
        )


def _here(ray: Any) -> dict[str, Any]:
    """Return options by which a process runs on this machine."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return {
        "scheduling_strategy": NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
    }
