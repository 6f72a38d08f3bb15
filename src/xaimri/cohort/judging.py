"""Whether a cohort can be judged by what is given: told before hours of work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xaimri.adapters.options import ModelLike
from xaimri.cohort.cases import Listed, listed_cases
from xaimri.cohort.chosen import Chosen
from xaimri.cohort.judge import Judging
from xaimri.cohort.judgement import subjects_of
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.progress import CohortWatcher
from xaimri.cohort.store import Store
from xaimri.data.case import Case
from xaimri.errors import InvalidInput, shown
from xaimri.judging.judge import check_heeded
from xaimri.metric import Metric
from xaimri.model import OPTIONS, Model, open_model
from xaimri.names import known_name
from xaimri.sources import Sources


def judge_cohort(
    cohort: Chosen,
    store: Store,
    metrics: Mapping[str, Metric],
    model: ModelLike | None,
    images: Sources | None,
    independent: bool,
    progress: CohortWatcher | None,
    options: Mapping[str, Any],
) -> None:
    """Judge the maps of a cohort by metrics, as of `Cohort.judge`."""
    manifest = store.manifest
    if cohort.where is not None:
        raise InvalidInput("these are some of the rows: judge the whole cohort, and filter what comes of it.")
    if manifest.maps == "none":
        raise InvalidInput('no maps are kept here: run the cohort with maps="whole" or maps="cells".')
    for name in ("of", "against"):
        if getattr(manifest, name) is not None:
            check_heeded(name, metrics)
    heads = cohort.table(["case", "subject", "source", "stage"]).to_pylist()
    if not heads:
        raise InvalidInput("this cohort has no rows yet: run it first.")
    subjects_of(heads, independent)
    opened = _opened(manifest, model, options)
    listed = None if images is None else _listed(images, opened, {row["case"] for row in heads})
    if listed is None:
        memory = {row["case"] for row in heads if row["source"] is None and row["stage"] != "read"}
        if memory:
            raise InvalidInput(f"{len(memory):,} images were in memory: give them by `images`.")
    for metric in metrics.values():
        if "region" in metric.needs and not _has_mask(listed):
            raise InvalidInput(
                f"{metric.name!r} needs a region, and no case has a mask: give a data set with masks by "
                "`images`, or leave it out."
            )
    with store.place.held() as check:
        Judging(store, opened, metrics, listed).run(check, progress)


def _opened(manifest: Manifest, model: ModelLike | None, options: Mapping[str, Any]) -> Model:
    """Open the model, and see that images reach it as they reached the one that explained the cohort."""
    if model is None and (manifest.model is None or not Path(manifest.model).exists()):
        raise InvalidInput("it is not known where the model is: give the model that explained the cohort.")
    for name in options:
        known_name(name, OPTIONS, "option of a model")
    opened = open_model(manifest.model if model is None else model, **options)
    if opened.intake.slices is not None:
        raise InvalidInput(
            "metrics ask the network about the images that it takes, here slices of volumes: explain slices "
            "by a model that was opened without `slices`, and judge these."
        )
    unlike = []
    if opened.classes and opened.classes != manifest.classes:
        unlike.append("the model's classes")
    if tuple(opened.intake.describe()) != manifest.intake:
        unlike.append(f"how images reach the model ({', '.join(manifest.intake)} there)")
    if unlike:
        raise InvalidInput(
            f"this is another model than explained the cohort, by {' and '.join(unlike)}: give that one, "
            "with its options."
        )
    return opened


def _listed(images: Sources, model: Model, cases: set[str]) -> Mapping[str, Listed]:
    """Return the images by case."""
    listed = {one.about.case: one for one in listed_cases(images, model.intake)}
    missing = sorted(cases - listed.keys())
    if missing:
        raise InvalidInput(f"`images` has no entry for {shown(missing[0])}: give one for each case.")
    return listed


def _has_mask(listed: Mapping[str, Listed] | None) -> bool:
    return listed is not None and any(
        isinstance(one.image, Case) and one.image.mask is not None for one in listed.values()
    )
