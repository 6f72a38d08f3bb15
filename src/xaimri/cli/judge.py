"""The command that judges explanations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xaimri.archive import whole_folder
from xaimri.cli.arguments import engine_note, methods_of, names_of, target_of
from xaimri.cli.data import bids_of, check_data, held_of
from xaimri.cli.options import (
    METHOD,
    MODEL,
    AgainstOption,
    AimOption,
    CasesOption,
    DataPath,
    Folder,
    Force,
    IndependentOption,
    LabelOption,
    MasksOption,
    MethodsOption,
    MetricsOption,
    ModelPath,
    OfOption,
    PartOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.judging import Judgement

CURVES = ("deletion", "insertion")

STEPS = 20
"""Model calls that a curve costs."""


@takes(METHOD, MODEL)
def judge(
    model: ModelPath,
    data: DataPath,
    method: MethodsOption = None,
    metric: MetricsOption = None,
    target: AimOption = "predicted",
    of: OfOption = None,
    against: AgainstOption = None,
    cases: CasesOption = 20,
    part: PartOption = None,
    masks: MasksOption = None,
    out: Folder = Path("judgement"),
    force: Force = False,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Judge methods by metrics on held-out cases: a table with intervals over subjects, and figures.

    Of each case, deletion and insertion take about 20 model calls for every method, and a method as many as
    it takes by itself: LIME 1000 unless --samples says otherwise, a gradient method one or a few. Written
    are the table (judgement.csv, judgement.json), heat.png, and a figure of each curve.
    """
    from xaimri.judging.catalogue import METRICS, as_metric
    from xaimri.methods import build_named
    from xaimri.options import open_with

    names = methods_of(method)
    against_masks = CURVES if masks is None else (*CURVES, "relevance_mass")
    measures = [as_metric(name) for name in names_of(metric, against_masks, METRICS, "metric")]
    check_data(data)
    if masks is not None and not any("region" in each.needs for each in measures):
        raise InvalidInput("no metric asks for the masks: add one to --metric, such as relevance_mass.")
    with whole_folder(out, replace=force) as folder:
        typer.echo(engine_note(names, options), nl=False)
        opened, settings = open_with(model, options, names)
        explainers = build_named(names, settings)
        bids = bids_of(label, suffix)
        held = held_of(
            opened, data, part, seed, subject, bids, subjects=subjects, masks=masks, independent=independent
        )
        some = drawn_cases(held.cases, cases, seed, independent=held.independent)
        if target == "label":
            typer.echo(_matched(some, opened.classes), nl=False)
        typer.echo(_plan(list(explainers.values()), [each.name for each in measures], some, held.where))
        found = opened.judge(
            some, explainers, measures, target=target, of=of, against=target_of(against, opened.classes),
            independent=held.independent, seed=seed, progress=sys.stderr.isatty(),
        )  # fmt: skip
        if all(row.failure is not None for row in found.rows):
            raise InvalidInput(f"nothing could be measured: {next(iter(found.failures))}")
        typer.echo(f"\n{found}")
        write_judgement(found, folder)
    typer.echo(f"\nKept in {out.resolve()}.")


def drawn_cases(dataset: Dataset, count: int, seed: int, *, independent: bool) -> Dataset:
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


def write_judgement(found: Judgement, folder: Path) -> None:
    """Write tables and figures."""
    from xaimri.charts import heat_table, metric_curves
    from xaimri.render import save

    found.save(folder / "judgement.csv")
    found.save(folder / "judgement.json")
    save(heat_table(found), folder / "heat.png")
    for metric in dict.fromkeys(metric for _, metric in found.curves):
        save(metric_curves(found, metric), folder / f"{metric}.png")
