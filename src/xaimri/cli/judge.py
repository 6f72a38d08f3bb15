"""The command that judges explanations."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xaimri.cli.arguments import given, methods_of, names_of, samples_of
from xaimri.cli.data import dataset_of
from xaimri.cli.options import (
    AimOption,
    CasesOption,
    DataPath,
    EngineOption,
    FitOption,
    Folder,
    IndependentOption,
    LayerOption,
    MethodsOption,
    MetricsOption,
    ModelPath,
    OutputOption,
    OutputsOption,
    PartOption,
    SamplesOption,
    Seed,
    SubjectOption,
    UnitOption,
    WindowOption,
)
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.classifier import Classifier
    from xaimri.data import Dataset
    from xaimri.judging import Judgement

CURVES = ("deletion", "insertion")

STEPS = 20
"""Model calls that a curve costs."""


def judge(
    model: ModelPath,
    data: DataPath,
    methods: MethodsOption = None,
    metrics: MetricsOption = None,
    target: AimOption = "predicted",
    cases: CasesOption = 20,
    part: PartOption = None,
    out: Folder = Path("judgement"),
    subject: SubjectOption = None,
    independent: IndependentOption = False,
    layer: LayerOption = None,
    samples: SamplesOption = None,
    fit: FitOption = None,
    window: WindowOption = None,
    outputs: OutputsOption = None,
    output: OutputOption = None,
    unit: UnitOption = None,
    engine: EngineOption = None,
    seed: Seed = 0,
) -> None:
    """Judge methods by metrics on held-out cases: a table with intervals over subjects, and figures.

    Of each case, deletion and insertion take about 20 model calls for every method, and a method as many as
    it takes by itself: LIME 1000 unless --samples says otherwise, a gradient method one or a few. Written
    are the table (judgement.csv, judgement.json), heat.png, and a figure of each curve.
    """
    from xaimri import evaluate_explanations
    from xaimri.judging.catalogue import as_metric

    explainers = methods_of(
        names_of(methods, ("gradcam", "lime")), given(layer=layer, samples=samples_of(samples))
    )
    measures = [as_metric(name) for name in names_of(metrics, CURVES)]
    with whole(out) as folder:
        dataset = dataset_of(data, seed, subject)
        asked = given(outputs=outputs, output=output, unit=unit, engine=engine)
        classifier, fitted, split = _opened(model, fit, asked)
        held, where = _part(dataset, split, part)
        alone = independent or (split is not None and held is not dataset and split["by"] == "case")
        chosen = some(held, cases, seed, independent=alone)
        if target == "label":
            typer.echo(_matched(chosen, classifier.classes), nl=False)
        typer.echo(_plan(explainers, [metric.name for metric in measures], chosen, where))
        found = evaluate_explanations(
            explainers, classifier, chosen, measures, target=target, fit=fitted, window=window,
            independent=alone, seed=seed, progress=sys.stderr.isatty(),
        )  # fmt: skip
        if all(row.failure is not None for row in found.rows):
            raise InvalidInput(f"nothing could be measured: {next(iter(found.failures))}")
        typer.echo(f"\n{found}")
        _write(found, folder)
    typer.echo(f"\nKept in {out.resolve()}.")


def _opened(model: Path, fit: Any, asked: dict[str, Any]) -> tuple[Classifier, Any, Mapping[str, Any] | None]:
    """Return the classifier, how images are fitted to it, and the split that it was trained on."""
    from xaimri.adapters import is_saved_model
    from xaimri.api import opened

    if not model.is_dir() or is_saved_model(model):
        return *opened(model, fit=fit, **asked), None
    from xaimri import training

    bundle = training.load(model)
    classifier, fitted = opened(bundle.model, fit=fit or bundle.fit, classes=bundle.classes, **asked)
    return classifier, fitted, bundle.split


def _part(dataset: Dataset, split: Mapping[str, Any] | None, part: str | None) -> tuple[Dataset, str]:
    """Return the part that is judged, and how it is called."""
    from xaimri.data import Split

    if part == "all" or (part is None and split is None):
        return dataset, "all of the data"
    if split is None:
        raise InvalidInput(f"the model records no split, so it has no {part} part: use --part all.")
    try:
        parts = Split.from_record(dataset, split)
    except InvalidInput as error:
        raise InvalidInput(f"{str(error)[:-1]}; for data the network never saw use --part all.") from error
    name = part or "test"
    chosen = parts.part(name)
    if not len(chosen):
        raise InvalidInput(f"the {name} part has no case in this data: use another --part, or all.")
    return chosen, f"{name} part of the recorded split"


def some(dataset: Dataset, count: int, seed: int, *, independent: bool) -> Dataset:
    """Return at most so many cases, by chance, of as many subjects as possible, in the data's order.

    Raises
    ------
    InvalidInput
        If subjects are unknown, and the images are not said to be independent.
    """
    import numpy as np

    unknown = sum(case.subject is None for case in dataset)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(dataset)} images have no subject, and the intervals are over subjects: give "
            "--subject with a pattern of the file names, or --independent if each is of a person of its own."
        )
    taken: dict[str, int] = {}
    turns: list[tuple[int, int, int]] = []
    for place in np.random.default_rng(seed).permutation(len(dataset)).tolist():
        case = dataset.cases[place]
        person = f"case {case.id}" if case.subject is None else f"subject {case.subject}"
        taken[person] = taken.get(person, 0) + 1
        turns.append((taken[person], len(turns), place))
    return dataset.take(sorted(place for _, _, place in sorted(turns)[:count]))


def _matched(dataset: Dataset, classes: Sequence[str]) -> str:
    """Say how labels are brought to the network's classes where it has no names for them, else nothing."""
    held = [dataset.classes[label] for label in sorted(set(dataset.labels.tolist()))]
    unknown = [name for name in held if name not in classes]
    if not unknown:
        return ""
    nameless = tuple(classes) == tuple(f"class_{i}" for i in range(len(classes)))
    if nameless and len(dataset.classes) == len(classes):
        return f"The network's classes have no names: they are taken to be {', '.join(dataset.classes)}.\n"
    raise InvalidInput(
        f"the network knows {', '.join(map(repr, classes))}, and the data holds {unknown[0]!r}: name the "
        'folders as its classes are named, or use --target "predicted".'
    )


def _plan(explainers: Sequence[Any], metrics: Sequence[str], cases: Dataset, where: str) -> str:
    """Say what is to be done, and what it costs at least."""
    samples = [getattr(explainer, "samples", 1) for explainer in explainers]
    each = sum(n if isinstance(n, int) else 1 for n in samples)
    each += STEPS * len(explainers) * sum(name in CURVES for name in metrics)
    people = len({case.subject or case.id for case in cases})
    return (
        f"Judging {', '.join(explainer.name for explainer in explainers)} by {', '.join(metrics)} on "
        f"{len(cases)} cases of {people} subjects ({where}): at least {len(cases) * each:,} model calls ..."
    )


def _write(found: Judgement, folder: Path) -> None:
    """Write tables and figures."""
    from xaimri.charts import heat_table, metric_curves
    from xaimri.render import save

    found.save(folder / "judgement.csv")
    found.save(folder / "judgement.json")
    save(heat_table(found), folder / "heat.png")
    for metric in dict.fromkeys(metric for _, metric in found.curves):
        save(metric_curves(found, metric), folder / f"{metric}.png")


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes ``out`` at the end; after an error it is gone.

    That it can't become ``out`` is said at once, before hours of work.
    """
    target = out.resolve()
    near = next(folder for folder in (target, *target.parents) if folder.exists())
    if not near.is_dir():
        raise InvalidInput(f"`{near}` is a file, not a folder: give another --out.")
    if near == target and any(target.iterdir()):
        raise InvalidInput(f"`{out}` is there already, and not empty: give a new folder as --out.")
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=near))
    except OSError as failure:
        raise InvalidInput(f"`{out}` can't be written ({failure.strerror}): give another --out.") from failure
    try:
        yield partial
        if near == target:
            for file in list(partial.iterdir()):
                file.replace(target / file.name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.chmod(0o755)
            partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
