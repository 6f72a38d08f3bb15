"""Judge the maps of a cohort: the values of each metric are written beside the rows, part by part."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from xaimri.ahead import read_ahead
from xaimri.arrays import Stored
from xaimri.cohort.cases import Listed
from xaimri.cohort.judged import Judged, check_name
from xaimri.cohort.manifest import least_sure, same_scores
from xaimri.cohort.on_model import on_model
from xaimri.cohort.progress import CohortWatcher, Progress
from xaimri.cohort.rows import About, Row, explanation_of, rows_of
from xaimri.cohort.sameness import image_sha256, is_same, stamp_of
from xaimri.cohort.store import Store
from xaimri.data.case import Case
from xaimri.endings import Ending
from xaimri.errors import Cancelled, InvalidInput, XaimriError
from xaimri.explainer import Explainer
from xaimri.explainers import from_record
from xaimri.failure import Failure
from xaimri.images.picture import Picture
from xaimri.judging.trials import Result, Trial, measured, trial_of
from xaimri.metric import Curve, MaskEffect, Metric
from xaimri.model import Model

REMEMBERED = ("score", "erased", "alone", "of", "against")
"""Fields of what erasing a mask does."""


@dataclass(frozen=True, eq=False)
class Judging:
    """How the maps of a cohort are judged; it holds the model, and nothing of the cases.

    Attributes
    ----------
    store
        The cohort.
    model
        Opened: the one that explained it.
    metrics
        By name.
    images
        By case, with their masks; None where they are read from where they were.
    """

    store: Store
    model: Model
    metrics: Mapping[str, Metric]
    images: Mapping[str, Listed] | None
    explainers: Mapping[str, Explainer[Any] | None] = field(init=False)

    def __post_init__(self) -> None:
        each: dict[str, Explainer[Any] | None] = dict.fromkeys(self.store.manifest.methods)
        if any(metric.measures == "explainer" for metric in self.metrics.values()):
            for name, record in self.store.manifest.methods.items():
                each[name] = from_record(record, self.store.arrays_of(name))
        object.__setattr__(self, "explainers", each)

    def run(self, check: Callable[[], None], progress: CohortWatcher | None) -> None:
        """Judge the parts that are explained and not judged yet, in order."""
        judged = {name: Judged(self.store, name) for name in self.metrics}
        for name, each in judged.items():
            check_name(name)
            each.begin(self.metrics[name])
        there = {name: each.finished() for name, each in judged.items()}
        self._check_masks(judged)
        parts = sorted(self.store.finished())
        wanted = [part for part in parts if any(part not in done for done in there.values())]
        total = self.store.count(parts)
        done = total - self.store.count(wanted)
        begun, fresh, failures, known = time.monotonic(), 0, 0, False
        for part, read in read_ahead(wanted, self.read):
            known = known or self._knows(read)
            missing = {name: self.metrics[name] for name, parts in there.items() if part not in parts}
            found = self.values(read, missing)
            for name, rows in found.items():
                judged[name].write(part, rows)
                failures += sum(row["failure"] is not None for row in rows)
            check()
            fresh += len(self.store.bounds(part))
            told = Progress(done + fresh, total, failures, time.monotonic() - begun, fresh)
            if progress is not None and progress(told) is False:
                raise Cancelled("judging was stopped: the same call goes on.")

    def read(self, part: int) -> list[Tried]:
        """Read the rows of a part and the images of its cases."""
        by_case: dict[str, dict[str, Row]] = {}
        for row in rows_of(iter(self.store.read(part).to_batches())):
            by_case.setdefault(row["case"], {})[row["method"]] = row
        return [self._tried(rows) for rows in by_case.values()]

    def values(self, read: Sequence[Tried], metrics: Mapping[str, Metric]) -> dict[str, list[Row]]:
        """Return the rows of every metric, in the order of the cohort's."""
        made: dict[tuple[str, int], Ending] = {
            (name, place): self._ending(one, name)
            for name in self.explainers
            for place, one in enumerate(read)
        }
        cases = [(one.case, one.subject, None) for one in read]
        trials = [one.trial for one in read]
        found: dict[tuple[str, str, str], Row] = {}
        of: Any = self.store.manifest.of
        for result in measured(self.explainers, self.model, cases, trials, made, metrics, of):
            row = result.row
            found[row.metric, row.case, row.explainer] = _row(result)
        masks = {one.case.id: one.mask for one in read}
        return {
            metric: [
                {**found[metric, one.case.id, method], **masks[one.case.id], "key": one.rows[method]["key"]}
                for one in read
                for method in self.explainers
            ]
            for metric in metrics
        }

    def _tried(self, rows: Mapping[str, Row]) -> Tried:
        """Read the image of a case, and its mask where a metric asks for one."""
        row = next(iter(rows.values()))
        name = row["case"]
        about = About(name, row["subject"], row["label"], row["source"])
        listed = self.images[name] if self.images is not None else Listed(about, row["source"])
        given = listed.image
        own = given if isinstance(given, Case) else None
        mask = None if own is None else own.mask
        case = Case(name, 0, row["subject"], given if own is None else own.source, mask=mask)
        subject = f"case {name}" if row["subject"] is None else row["subject"]
        masked = any("region" in metric.needs for metric in self.metrics.values())
        told = mask_of(mask) if masked else NO_MASK
        if row["failure"] is not None and row["stage"] == "read":
            failure = Failure(name, "read", row["failure"])
            return Tried(case, subject, failure, rows, told)
        if not is_same(listed, row["stamp"], row["image_sha256"], self.model.intake):
            failure = Failure(
                name, "read", "the image is another one than was explained: give that one by `images`."
            )
            return Tried(case, subject, failure, rows, told)
        trial = trial_of(case, subject, None, self.model, masked=masked)
        return Tried(case, subject, trial, rows, told)

    def _ending(self, one: Tried, method: str) -> Ending:
        """Return the explanation of a row on the network's grid, or why there is none."""
        row, trial = one.rows[method], one.trial
        if row["failure"] is not None:
            return Failure(one.case.id, row["stage"], row["failure"])
        if isinstance(trial, Failure):
            return trial
        manifest = self.store.manifest
        try:
            kept = explanation_of(
                row, trial.taken.image, manifest.classes, manifest.methods[method],
                self.store.arrays_of(method),
            )  # fmt: skip
        except InvalidInput as fault:
            return Failure(one.case.id, "measure", str(fault))
        return on_model(kept, trial.taken)

    def _check_masks(self, judged: Mapping[str, Judged]) -> None:
        """See that the masks are those by which cases were judged before."""
        for name, each in judged.items():
            if self.images is None or "region" not in self.metrics[name].needs:
                continue
            for row in each.table(["case", "mask_sha256", "mask_stamp"]).to_pylist():
                given = self.images[row["case"]].image
                mask = given.mask if isinstance(given, Case) else None
                stamp = stamp_of(mask)
                same = row["mask_sha256"] is mask is None or (
                    stamp is not None and stamp == row["mask_stamp"]
                )
                if not same and mask_sha256(mask) != row["mask_sha256"]:
                    raise InvalidInput(
                        f"the mask of `{row['case']}` is another one than it was judged by: give the same, "
                        f"or remove `{each.folder}` and judge anew."
                    )

    def _knows(self, read: Sequence[Tried]) -> bool:
        """See that the model scores the case that it was least sure of as then; tell whether there is one."""
        told = [
            (one, row["logits"]) for one in read for row in one.rows.values() if row["logits"] is not None
        ]
        tried = [(one, one.trial, logits) for one, logits in told if not isinstance(one.trial, Failure)]
        while tried:
            one, trial, logits = tried.pop(least_sure([each for *_, each in tried]))
            try:
                now = self.model.classifier.logits(trial.taken.fitted[None])[0]
            except XaimriError:
                continue
            if not same_scores(logits, now):
                raise InvalidInput(
                    f"this is another model than explained the cohort, as it gives other scores of "
                    f"`{one.case.id}`: give that one."
                )
            return True
        return False


@dataclass(frozen=True, eq=False)
class Tried:
    """A case of a part: its image on the network's grid or why it isn't there, its rows and its mask."""

    case: Case
    subject: str
    trial: Trial | Failure
    rows: Mapping[str, Row]
    mask: Mapping[str, str | None]


NO_MASK: Mapping[str, str | None] = {"mask_sha256": None, "mask_stamp": None}


def mask_of(mask: object) -> Mapping[str, str | None]:
    """Return by what a mask is known again."""
    return {"mask_sha256": mask_sha256(mask), "mask_stamp": stamp_of(mask)}


def mask_sha256(mask: object) -> str | None:
    """Return the SHA-256 of a mask's file, else of its pixels; None of what can't be read."""
    if mask is None or isinstance(mask, str | PathLike):
        return image_sha256(mask, None)
    pixels = np.ascontiguousarray(mask.pixels if isinstance(mask, Picture) else np.asarray(mask))
    return None if pixels.dtype.hasobject else Stored(pixels).sha256


def _row(result: Result) -> dict[str, Any]:
    """Return a result as a row of its metric's files."""
    row, effect, curve = result.row, result.effect, result.curve
    return {
        "case": row.case,
        "method": row.explainer,
        "value": None if row.failure is not None else row.value,
        "failure": None if row.failure is None else row.failure.sentence,
        "stage": None if row.failure is None else row.failure.stage,
        "curve": None if curve is None else json.dumps(_curve(curve)),
        "erased": None if effect is None else json.dumps(_effect(effect)),
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "fractions": [float(each) for each in curve.fractions],
        "scores": [float(each) for each in curve.scores],
        "change": curve.change,
        "of": curve.of,
        "against": curve.against,
    }


def _effect(effect: MaskEffect | Failure) -> dict[str, Any]:
    if isinstance(effect, Failure):
        return {"failure": effect.sentence, "stage": effect.stage}
    return {name: getattr(effect, name) for name in REMEMBERED}
