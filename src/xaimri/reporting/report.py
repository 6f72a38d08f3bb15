"""The report of a cohort or of a network: one page that holds all that it shows."""

from __future__ import annotations

from os import PathLike, fspath
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.atlas import Atlas
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.cohort import Cohort
from xaimri.cohort import open as open_cohort
from xaimri.cohort.manifest import FILE, least_sure, same_scores
from xaimri.data import Dataset
from xaimri.errors import InvalidInput, XaimriError, shown
from xaimri.images.taken import Taken
from xaimri.kinds import Anything
from xaimri.model import Model, open_model
from xaimri.perturb.progress import Watcher, watched
from xaimri.regular_file import path_of, quoted
from xaimri.reporting.entry import Reader
from xaimri.reporting.evidence import evidence_of
from xaimri.reporting.judged import judged_of
from xaimri.reporting.layers import Size
from xaimri.reporting.page import write_page
from xaimri.reporting.similar import Similar
from xaimri.rules import WholeNumber
from xaimri.sources import Named, attempt

BUNDLE = "bundle.json"
"""The record by which the folder of a trained network is known."""

UNTOLD = "No folder of the network is known, so it can't be seen whether it is the one of {}."
"""Says what is shown in good faith."""

SUFFIXES = (".html", ".htm")


@check_arguments(
    source=Anything(), model=Anything(), atlas=Anything(), names=Anything(), progress=Anything(),
    neighbours=WholeNumber(1, most=50), width=WholeNumber(32, most=1024), quality=WholeNumber(1, most=100),
)  # fmt: skip
def report(
    source: Cohort | str | PathLike[str],
    path: str | Path = "report.html",
    *,
    model: ModelLike | None = None,
    training: Dataset | None = None,
    evaluation: str | Path | None = None,
    split_audit: str | Path | None = None,
    model_audit: str | Path | None = None,
    answers: str | Path | None = None,
    atlas: AtlasLike | None = None,
    names: Names | None = None,
    independent: bool = False,
    neighbours: int = 3,
    width: int = 176,
    quality: int = 75,
    title: str | None = None,
    progress: bool | Watcher = False,
) -> Path:
    """Write the report of a cohort, or of a trained network, as one HTML file that fetches nothing.

    A cohort's report has a table of its cases, to sort, filter and search, with failures and caveats first.
    Each case has a panel: all maps side by side, the strongest regions in words, how sure the maps are, and
    the training cases that are like it. Mean maps of the classes, what metrics say of the maps where the
    cohort was judged, the model card, the evaluation and the audits stand beside, where they are known. It
    shows images and the ids of cases: keep it as you keep
    these.

    Cases are read and written one at a time. 5,000 slices of 208 x 176 pixels by three methods take about
    80 MB, and three minutes.

    Parameters
    ----------
    source
        A cohort, its folder or address; or the folder of a trained network, whose report has no cases.
    path
        The file to write; it ends in ``.html``.
    model
        Of a cohort: the network that explained it; by default the folder of a trained network that it was
        read from, where that is still there. Such a folder brings its card and what lies beside it. It is
        known again by its scores of a case.
    training
        The cases that the network learned from, to find those that are like each case; costs one forward pass
        for each of them and for each case.
    evaluation, split_audit, model_audit
        Files that `xaimri evaluate`, `audit split` and `audit model` wrote as JSON; by default
        ``report.json``, ``split_audit.json`` and ``model_audit.json`` in the network's folder, where they
        are.
    answers
        As of `xaimri.card.model_card`.
    atlas, names
        As of :meth:`xaimri.Atlas.read`: regions of maps whose method has none of its own.
    independent
        True states that each case without a subject is of a person of its own, for the errors of mean maps
        and the intervals of metrics.
    neighbours
        Similar training cases of each side, at most.
    width, quality
        Of the pictures: pixels along a plane's longer side, at most, and the quality of WebP, 1 to 100.
    title
        Heading of the page.
    progress
        As of :func:`xaimri.explain`; counts the images whose features are asked for.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidInput
        If ``source`` is neither, the model is another one than the cohort's, a file is of another network, or
        there are no cases yet.
    StorageFault
        If the system can't write.

    Examples
    --------
    >>> import tempfile, xaimri
    >>> model = xaimri.LinearClassifier.random((8, 8, 1), classes=2, seed=0)
    >>> images = {f"{n}.png": np.random.default_rng(n).random((8, 8)) for n in range(3)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cohort = xaimri.explain_cohort(model, images, ["saliency"], out=f"{folder}/cohort")
    ...     written = report(cohort, f"{folder}/report.html")
    ...     "3 cases by" in written.read_text()
    True
    """
    target = path_of(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"`{target.name}` must end in .html to be a report.")
    evidence: dict[str, Any] = {
        "evaluation": evaluation, "split_audit": split_audit, "model_audit": model_audit, "answers": answers
    }  # fmt: skip
    cohort = _cohort(source)
    if cohort is None:
        _refuse_cases(model, training, atlas)
        bundle = Path(fspath(source))  # type: ignore[arg-type]
        found = evidence_of(bundle, **evidence)
        return write_page(target, title or f"Report of {bundle.absolute().name}", found)
    cohort = cohort.still()
    if not len(cohort):
        raise InvalidInput("this cohort has no rows yet, or none that are chosen: run it first.")
    laid = None if atlas is None else Atlas.read(atlas, names)
    opened, notes = _network(cohort, model)
    notes = (*notes, *cohort.notes)
    bundle_of = opened.path if opened is not None and opened.sha256 else None
    found = evidence_of(bundle_of, **evidence, classes=cohort.manifest.classes)
    if bundle_of is None and found.sources:
        notes = (*notes, UNTOLD.format(" and ".join(found.sources)))
    with watched(progress):
        similar = Similar.of(cohort, opened, training, neighbours)
    judged = judged_of(cohort, independent)
    reader = Reader(cohort, similar, Size(width, quality), laid, judged)
    heading = title or f"Report of {_name(source, cohort)}"
    return write_page(target, heading, found, reader, opened, independent=independent, notes=notes)


def _cohort(source: object) -> Cohort | None:
    """Return the cohort that is meant; None where it is the folder of a network."""
    if isinstance(source, Cohort):
        return source
    if not isinstance(source, str | PathLike):
        raise InvalidInput(
            f"`source` must be a cohort, its folder, or the folder of a trained network, got {shown(source)}."
        )
    words = fspath(source)
    if "://" in words:
        return open_cohort(words)
    folder = path_of(words, "folder")
    if isfile(folder / FILE):  # noqa: PTH113 - any name will do
        return open_cohort(folder)
    if isfile(folder / BUNDLE):  # noqa: PTH113
        return None
    raise InvalidInput(
        f"{quoted(folder)} is neither a cohort's folder nor a trained network's: give one of these."
    )


def _refuse_cases(model: object, training: object, atlas: object) -> None:
    """Refuse what belongs to cases, where there are none."""
    given = {"model": model, "training": training, "atlas": atlas}
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(f"a trained network alone has no cases: leave `{name}` out, or give a cohort.")


def _name(source: object, cohort: Cohort) -> str:
    place = cohort.store.place.name.strip("`")
    return place.rstrip("/").rpartition("/")[2] or place


def _network(cohort: Cohort, given: ModelLike | None) -> tuple[Model | None, tuple[str, ...]]:
    """Open the network that explained a cohort: the one given, else the folder that it was read from."""
    if given is not None:
        opened = open_model(given)
        return opened, _same(cohort, opened)
    kept = cohort.manifest.model
    if kept is None or not isfile(Path(kept) / BUNDLE):  # noqa: PTH113
        return None, ()
    try:
        opened = open_model(kept)
        return opened, _same(cohort, opened)
    except XaimriError as fault:
        return None, (f"The network that explained these cases is not told of: {fault}",)


def _same(cohort: Cohort, model: Model) -> tuple[str, ...]:
    """See that the model is the one that explained the cohort; say so where that can't be told.

    Raises
    ------
    InvalidInput
        If it is another one.
    """
    asked = cohort.manifest
    if model.classes and model.classes != asked.classes:
        raise InvalidInput(
            f"the cohort was explained by a network of the classes {', '.join(asked.classes)}, and `model` "
            f"has {', '.join(model.classes)}: give the network that explained it."
        )
    rows = cohort.filter(failed=False).table(["case", "source", "logits"]).to_pylist()
    if not rows:
        return ()
    files = [each for each in rows if each["source"] is not None] or rows
    row = files[least_sure([each["logits"] for each in files])]
    untold = (
        f"Whether the model given is the one that explained these cases could not be told: `{row['case']}`"
    )
    if row["source"] is None:
        return (f"{untold} was in memory.",)
    taken = attempt(Named(row["case"], row["source"]), model.intake)
    if not isinstance(taken, Taken):
        return (f"{untold} can't be read again as one image.",)
    if not same_scores(row["logits"], model.classifier.logits(taken.fitted[None].astype(np.float32))[0]):
        raise InvalidInput(
            f"`model` is another one than explained this cohort: its scores of `{row['case']}` differ. Give "
            "the network that explained it, opened as it was then."
        )
    return ()
