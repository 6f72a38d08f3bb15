"""The whole journey on one data set: train, evaluate on held-out subjects, explain a case of each class.

Everything it makes lies in one folder: the network with its split (a bundle), the report as text and
JSON, and figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri import archive
from xaimri.adapters.options import ModelLike
from xaimri.charts import confusion_matrix, training_curves
from xaimri.data import Case, Dataset, Split, read_loader
from xaimri.data.attendance import absences_beside, trained_on
from xaimri.data.epoch import Loader, chances
from xaimri.endings import predict
from xaimri.evaluation import classification
from xaimri.evaluation.report import ClassificationReport
from xaimri.grid import Fit
from xaimri.images.ranges import Ranges
from xaimri.images.read import Layout, read_image
from xaimri.images.window import Window
from xaimri.methods import Method
from xaimri.model import open_model
from xaimri.options import open_with
from xaimri.render import Comparison, save
from xaimri.sources import Named, name_images, take

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle

PARTS = ("test", "validation", "train")
"""Where the explained cases are looked for, in this order."""


def train(
    dataset: Dataset,
    split: Split,
    folder: str | Path,
    *,
    size: Sequence[int] = (96, 96),
    weights: str | Path | None = None,
    fit: Fit = "stretch",
    window: Window | tuple[float, float] | None = None,
    layout: Layout | None = None,
    dropout: float = 0.5,
    seed: int = 0,
    **settings: Any,
) -> Bundle:
    """Build a ResNet50, train it, and keep it in the folder with its split and curves.

    Parameters
    ----------
    dataset
        All cases; its classes are the network's.
    split
        Its parts; of the test part, only whether an image of it is in another part.
    folder
        Where everything is kept. The same call again goes on where an interrupted one stopped.
    size, weights, fit, window, layout, dropout, seed
        As in :func:`xaimri.training.build_resnet50` and :func:`xaimri.training.train`.
    settings
        The rest of :func:`xaimri.training.train`'s arguments.
    """
    from xaimri import training

    target = Path(folder)
    reach: dict[str, Any] = {"fit": fit, "window": window, "layout": layout}
    channels = read_image(dataset[0].source, len(size), layout=layout).shape[-1]
    model = training.build_resnet50(dataset.classes, size, weights, channels, dropout=dropout, seed=seed)
    result = training.train(model, split, folder=target / "checkpoint", seed=seed, **reach, **settings)
    kept: dict[str, Any] = {"split": split.record(), "history": result.history, "origin": dataset.origin}
    training.save(target, model, dataset.classes, **reach, **kept)
    save(training_curves(result.history), target / "curves.png")
    return training.load(target)


def evaluate(
    model: ModelLike,
    part: Dataset | Loader,
    folder: str | Path,
    *,
    independent: bool = False,
    **options: Any,
) -> ClassificationReport:
    """Evaluate on cases that the network has not seen, and keep report and confusion matrices.

    Classes are matched by name. The report says who of the recorded split is missing, how many of the cases
    the network was trained on, what is odd about how the images reach the network, such as another window
    than the bundle's, and whether images of 0 to 1 stand beside others. Writes
    ``report.txt``, ``report.json``, ``confusion_slice.png`` and ``confusion_subject.png``.

    Parameters
    ----------
    model, **options
        As of :func:`xaimri.open_model`.
    part
        The cases; or a loader of Keras or ``tf.data``, as of :func:`xaimri.data.read_loader`.
    folder
        Made if it is missing.
    independent
        True states that every case without a subject is of a person of its own.

    Raises
    ------
    InvalidInput
        If the cases have a class that the network does not know.
    """
    opened = open_model(model, **options)
    read = part if isinstance(part, Dataset) else read_loader(part, axes=len(opened.intake.shape) or 3)
    cases = read.with_classes(opened.classes)
    independent = independent or (opened.split is not None and opened.split["by"] == "case")
    target = Path(folder)
    seen = Ranges()
    odd_images: dict[str, list[tuple[str, str]]] = {}

    def noted(image: Named) -> Named:
        taken = take(image.source, opened.intake)
        seen.note(image.name, taken.image, opened.intake.window)
        for caveat in taken.caveats:
            odd_images.setdefault(caveat.name, []).append((image.name, caveat.text))
        return Named(image.name, taken)

    named = map(noted, name_images(cases, opened.intake))
    p = predict(opened.classifier, opened.intake, named)
    report = classification.evaluate(p, cases, independent=independent)
    odd = [] if isinstance(part, Dataset) else [*chances(part)]
    odd += [_counted(images, seen.images) for images in odd_images.values()]
    if opened.intake.window is None and seen.fault is not None:
        odd.append(seen.fault)
    if opened.split is not None:
        odd += (*trained_on(cases, opened.split, opened.origin), *absences_beside(cases, opened.split))
    report = replace(report, remarks=tuple(odd))
    report.save(target / "report.json")
    archive.write_text(target / "report.txt", f"{report}\n")
    for level in ("slice", "subject"):
        save(confusion_matrix(report, level), target / f"confusion_{level}.png")
    return report


def _counted(odd: Sequence[tuple[str, str]], images: int) -> str:
    """Say what is odd about some of the images, and of how many."""
    name, text = odd[0]
    return text if len(odd) == images else f"{len(odd):,} of {images:,} images, such as `{name}`: {text}"


@dataclass(frozen=True)
class Explained:
    """The explanations of one case, where it comes from, and the figures drawn."""

    case: Case
    part: str
    comparison: Comparison
    figures: tuple[Path, ...]


def explain_classes(
    model: ModelLike,
    split: Split,
    folder: str | Path,
    methods: Sequence[Method] = ("gradcam", "lime"),
    announce: Callable[[str], object] = print,
    **options: Any,
) -> tuple[Explained, ...]:
    """Explain one case of every class and draw it by every method, and all methods side by side.

    The case is the middle slice of the class's first subject (by name) in the test part; where the
    class has none there, in validation, then in training. Every figure says which.
    """
    opened, settings = open_with(model, options, methods)
    found = []
    for label, name in enumerate(opened.classes):
        chosen = representative(split, label)
        if chosen is None:
            announce(f"{name}: no case in any part.")
            continue
        case, part = chosen
        made = opened.compare(case.source, methods, target=label, **settings)
        explained = _drawn(made, case, part, name, Path(folder))
        announce(f"{name}: {case.id} ({part} part) -> {explained.figures[-1].name}")
        found.append(explained)
    return tuple(found)


def representative(split: Split, label: int) -> tuple[Case, str] | None:
    """Return the middle slice of a class's first subject, and the part it is from: test, if it can be."""
    parts = dict(split.parts())
    for part in PARTS:
        cases = [case for case in parts[part] if case.label == label]
        if cases:
            first = min(str(case.subject) for case in cases)
            slices = sorted((c for c in cases if str(c.subject) == first), key=lambda c: (c.slice or 0, c.id))
            return slices[len(slices) // 2], part
    return None


def _drawn(comparison: Comparison, case: Case, part: str, truth: str, folder: Path) -> Explained:
    """Draw each explanation and their comparison, with the case's origin as heading."""
    heading = f"{case.id} ({part} part), true class {truth}"
    stem = "".join(c if c.isalnum() else "_" for c in truth)
    drawn = {e.method["name"]: e.figure() for e in comparison} | {"comparison": comparison.figure()}
    for figure in drawn.values():
        figure.suptitle(heading, fontsize=10)
    files = tuple(save(figure, folder / f"{stem}_{name}.png") for name, figure in drawn.items())
    return Explained(case, part, comparison, files)
