"""The command that runs the whole journey on phantoms, and ends in a page to look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from xaimri.arrays import Array, Mask
from xaimri.cli.demo_page import Part, write_page
from xaimri.cli.options import Folder

if TYPE_CHECKING:
    from xaimri.explainer import Explainer
    from xaimri.explanation import Explanation
    from xaimri.judgement import Judgement

SIZE = (128, 128)

STAGES = (0, 3)
"""Those that even the true volume of the ventricles tells apart: see ``benchmarks/phantom_ceiling.py``."""

CHANGES: tuple[Literal["ventricles", "all"], ...] = ("ventricles", "all")
"""A change whose answer methods find, and one where they don't."""

LAST_SEED = 2**31 - 1
"""The weights learned from subjects of the seeds above it, which no demonstration may use."""

LEVEL = 2
"""The slice of a subject that is explained: it cuts the ventricles."""

SCORE: Literal["log_odds"] = "log_odds"
"""What is explained: a network this sure leaves probabilities nothing to move, and log-odds still move."""

WHY = {
    "ventricles": "The ventricles alone change, so a network that is right must look at them.",
    "all": "Ventricles, hippocampi and sulci all change. A network needs only one of them to be right, and a "
    "map of what it uses can't find the rest: a low gain here is no fault of the map.",
}


def demo(
    out: Folder = Path("xaimri-demo"),
    subjects: Annotated[int, typer.Option(help="Subjects of each phantom.", min=40)] = 80,
    epochs: Annotated[int, typer.Option(help="Epochs.", min=1)] = 6,
    cases: Annotated[
        int, typer.Option(help="Held-out subjects on which the methods are judged.", min=5)
    ] = 20,
    seed: Annotated[int, typer.Option(help="Same seed, same result.", min=0, max=LAST_SEED)] = 0,
) -> None:
    """Run the whole journey on phantoms: train, evaluate, explain, judge. Minutes, no download."""
    start = time.perf_counter()
    parts: list[Part] = []
    for change in CHANGES:
        folder = out if change == "ventricles" else out / change
        typer.echo(f"\n{WHY[change]}")
        parts.append(_journey(change, folder, subjects, epochs, cases, seed))
    page = write_page(out, parts)
    typer.echo(f"\n{time.perf_counter() - start:.0f} s. Look at {page.resolve()}. On your own data:\n")
    typer.echo("\n".join(NEXT))


NEXT = (
    "  xaimri train FOLDER --out runs/mine --subject '(?P<subject>sub-[0-9]+)'",
    "  xaimri explain runs/mine scan.jpg --method lime",
    "  xaimri judge runs/mine FOLDER --method gradcam,lime --subject '(?P<subject>sub-[0-9]+)'",
)
"""What to type next."""


def _journey(
    change: Literal["ventricles", "all"], folder: Path, subjects: int, epochs: int, cases: int, seed: int
) -> Part:
    """Audit the split of one kind of phantom, train on it, explain and judge."""
    from xaimri import experiment
    from xaimri.audit import audit_split
    from xaimri.data import phantom, split
    from xaimri.model import open_model

    dataset = phantom.make(subjects, 4, SIZE, seed, change=change, stages=STAGES)
    parts = split(dataset, validation=0, test=0.4, seed=seed)
    audit = audit_split(parts.train, parts.test, seed=seed)
    told = f"{audit.verdict}: {audit.reason}"
    typer.echo(f"Training and test are {told}")
    typer.echo(f"{subjects} phantoms made; the last block of a ResNet50 that knows other phantoms learns ...")
    bundle = experiment.train(
        dataset, parts, folder, size=SIZE, weights="phantom", width=0.25, dropout=0.2, seed=seed,
        epochs=(0, epochs), learning_rate=1e-3, schedule="cosine", progress=sys.stderr.isatty(),
    )  # fmt: skip
    report = experiment.evaluate(bundle, parts.test, folder)
    typer.echo(f"Balanced accuracy of held-out subjects: {report.subject.balanced_accuracy}")
    methods, opened = _methods(), open_model(bundle)
    level = [number for number, case in enumerate(parts.test) if case.slice == LEVEL]
    shown = parts.test.take(level)
    figures, seconds = _drawn(opened, shown, methods, folder)
    found = opened.judge(
        shown.take(range(min(cases, len(shown)))), methods, _metrics(), target="label", of=SCORE
    )
    found.save(folder / "judgement.json")
    table = _table(found, seconds)
    typer.echo("\n".join(table))
    return Part(change, WHY[change], told, f"{report.subject.balanced_accuracy}", table, figures)


def _methods() -> dict[str, Explainer[Any]]:
    from xaimri import LIME, SHAP, LayerCAM

    return {
        "LayerCAM": LayerCAM(layer="conv4_block6_out"),
        "LIME": LIME(samples=200),
        "SHAP": SHAP(samples=200, regions=20),
    }


def _metrics() -> list[Any]:
    from xaimri.metric import Metric

    gain = Metric("relevance_gain", relevance_gain, "higher", ("region", "within"), chance="1")
    return [gain, "deletion", "insertion"]


def relevance_gain(
    explanations: Sequence[Explanation], region: Sequence[Mask], within: Sequence[Mask]
) -> Array:
    """Tell how many times its share of the brain the answer holds of the relevance; 0 where there is none."""
    from xaimri.metrics import relevance_mass

    share = np.array([np.asarray(a)[b].mean() for a, b in zip(region, within, strict=True)])
    gains: Array = np.nan_to_num(np.asarray(relevance_mass(explanations, region, within)) / share)
    return gains


def _drawn(
    opened: Any, cases: Any, methods: dict[str, Explainer[Any]], folder: Path
) -> tuple[list[Path], dict[str, float]]:
    """Draw the first held-out subject of each stage, and time the methods."""
    from xaimri.render import save

    figures, seconds = [], {}
    for label, name in enumerate(cases.classes):
        case = next(case for case in cases if case.label == label)
        made = []
        for title, method in methods.items():
            start = time.perf_counter()
            made.append(opened.explain(case.source, method, target=label, of=SCORE))
            seconds[title] = time.perf_counter() - start  # of the last stage: what is done once is done
        figure = _figure(case, name, dict(zip(methods, made, strict=True)))
        figures.append(save(figure, folder / f"{name.replace(' ', '_')}_comparison.png"))
    return figures, seconds


def _figure(case: Any, name: str, made: dict[str, Explanation]) -> Any:
    """Draw slice, known answer and maps in one row."""
    from matplotlib.figure import Figure

    from xaimri.render import plot

    figure = Figure(figsize=(2.15 * (2 + len(made)) + 0.4, 2.8), layout="constrained")
    axes = figure.subplots(1, 2 + len(made))
    first = next(iter(made.values()))
    plot(first, axes[0], style="image", title="slice")
    plot(first, axes[1], style="image", title="known answer")
    axes[1].imshow(np.where(case.mask, 1.0, np.nan), cmap="autumn", alpha=0.8, vmin=0, vmax=1)
    for ax, (title, each) in zip(axes[2:], made.items(), strict=True):
        plot(each, ax, title=title)
        ax.contour(case.mask, levels=[0.5], colors="#ffd500", linewidths=0.9)
    p = first.probabilities[case.label]
    figure.suptitle(
        f"{case.id}, held out: {name}, p = {p:.2f}; warm speaks for it, cool against it", fontsize=11
    )
    return figure


def _table(found: Judgement, seconds: dict[str, float]) -> list[str]:
    from xaimri.table import align

    heads = ["method", "relevance gain", "deletion", "insertion", "seconds"]
    rows = [
        [name, *(str(found.mean(name, metric).estimate) for metric in found.metrics), f"{seconds[name]:.2f}"]
        for name in found.explainers
    ]
    told = [
        f"Caveats on maps of {name}: {', '.join(f'{each} {count}' for each, count in counts.items())}"
        for name, counts in found.caveats.items()
    ]
    return [*align(heads, rows), *told]
