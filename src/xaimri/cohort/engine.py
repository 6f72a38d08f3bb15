"""What does the work of a cohort: this process, or Ray on this machine or a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from xaimri.errors import InvalidInput, shown
from xaimri.rules import Flag, Name, Number, OrNone, WholeNumber
from xaimri.settings import check, document, setting


@document
@dataclass(frozen=True)
class RayEngine:
    """Ray, and how much of it a run may take.

    A Ray that this process is connected to already is used as it is, and stays when the run ends.

    Raises
    ------
    InvalidInput
        If a setting is none of those allowed.

    Examples
    --------
    >>> RayEngine(workers=2, threads=4)
    RayEngine(workers=2, threads=4, gpus=0.0, address=None, shared_files=False)
    """

    workers: int | None = setting(
        None,
        OrNone(WholeNumber(1)),
        doc="Processes that hold the model, each opened once. None: as many as there are processors for, or "
        "GPUs where some are asked for.",
    )
    threads: int = setting(1, WholeNumber(1), doc="Processors of each worker.")
    gpus: float = setting(
        0.0, Number(least=0, most=1024), doc="GPUs of each worker: 0, 1 or more, or a share such as 0.25."
    )
    address: str | None = setting(
        None,
        OrNone(Name()),
        doc='Of the head of a cluster, such as ``"10.0.0.1:6379"``, or ``"auto"``; this process must run on '
        "one of its machines. None: this machine alone.",
    )
    shared_files: bool = setting(
        False,
        Flag(),
        doc="Whether every machine sees the images at the same paths and reads them itself. Otherwise this "
        "machine reads them and sends them on, and nothing is shared but the place that is written to.",
    )

    def __post_init__(self) -> None:
        check(self)
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise InvalidInput(f"`gpus` must be a whole number or below 1, got {shown(self.gpus)}.")
        if self.address is not None and ("://" in self.address or not self.address.strip()):
            raise InvalidInput(
                f'`address` must be of the cluster\'s head, such as "10.0.0.1:6379" or "auto", got '
                f"{shown(self.address)}: run this on one of the cluster's machines."
            )


CohortEngine: TypeAlias = Literal["local", "ray"] | RayEngine
"""What does the work."""


def engine_of(given: object) -> RayEngine | None:
    """Return how Ray is asked for; None for this process.

    Raises
    ------
    InvalidInput
        If it is no engine.
    """
    if isinstance(given, RayEngine):
        return given
    if isinstance(given, str) and given in ("local", "ray"):
        return RayEngine() if given == "ray" else None
    raise InvalidInput(f"`engine` must be 'local' or 'ray' or a RayEngine, got {shown(given)}.")
