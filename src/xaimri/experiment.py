"""The whole journey on one data set: train, evaluate on held-out subjects, explain a case of each class.

Everything it makes lies in one folder: the network with its split (a bundle), the report as text and
JSON, and figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri import archive
from xaimri.adapters.options import ModelLike
from xaimri.arrays import Scores
from xaimri.charts import confusion_matrix, training_curves
from xaimri.data import Case, Dataset, Split, read_loader
from xaimri.data.attendance import absences_beside, trained_on
from xaimri.data.epoch import Loader, chances
from xaimri.data.unread import say_lost, say_unread, without_unread
from xaimri.endings import predict
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.evaluation import classification
from xaimri.evaluation.report import ClassificationReport
from xaimri.failure import Failure
from xaimri.grid import Fit
from xaimri.images.files import holds_volume
from xaimri.images.ranges import Ranges
from xaimri.images.read import Layout, read_image
from xaimri.images.window import WindowSource
from xaimri.methods import Method
from xaimri.model import Model, open_model
from xaimri.options import open_with
from xaimri.render import Comparison, save
from xaimri.sources import Named, attempt

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
    window: WindowSource | None = None,
    layout: Layout | None = None,
    dropout: float = 0.5,
    width: float = 1.0,
    seed: int = 0,
    **settings: Any,
) -> Bundle:
    """Build a ResNet50, or a small network of volumes, train it, and keep it with its split and curves.

    Parameters
    ----------
    dataset
        All cases; its classes are the network's.
    split
        Its parts; of the test part, only whether an image of it is in another part. Cases whose images can't
        be read are left out, and kept as the bundle's ``failures``.
    folder
        Where everything is kept. The same call again goes on where an interrupted one stopped.
    size, weights, fit, window, layout, dropout, width, seed
        As in :func:`xaimri.training.build_resnet50` and :func:`xaimri.training.train`. Three sides ask for
        :func:`xaimri.training.build_cnn3d`, which has no ``weights`` and no ``width``.
    settings
        The rest of :func:`xaimri.training.train`'s arguments.
    """
    from xaimri import training

    target = Path(folder)
    reach: dict[str, Any] = {"fit": fit, "window": window, "layout": layout}
    channels = _channels(dataset, len(size), layout)
    if len(size) == 3:
        if weights is not None or width != 1.0:
            raise InvalidInput(
                "a network of volumes starts from random weights: leave `weights` and `width` out."
            )
        model = training.build_cnn3d(dataset.classes, size, channels, dropout=dropout, seed=seed)
    else:
        model = training.build_resnet50(
            dataset.classes, size, weights, channels, dropout=dropout, seed=seed, width=width
        )
    result = training.train(model, split, folder=target / "checkpoint", seed=seed, **reach, **settings)
    kept: dict[str, Any] = {"split": split.record(), "history": result.history, "origin": dataset.origin}
    kept |= {"failures": result.failures, "acquisition": result.acquisition}
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
    the network was trained on, how many can't be read, what is odd about how the images reach the network,
    such as another window than the bundle's, and whether images of 0 to 1 stand beside others. Writes
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
        If the cases have a class that the network does not know, or none of them can be read.
    """
    opened = open_model(model, **options)
    read = part if isinstance(part, Dataset) else read_loader(part, axes=len(opened.intake.shape) or 3)
    cases = read.with_classes(opened.classes)
    independent = independent or (opened.split is not None and opened.split["by"] == "case")
    target = Path(folder)
    found = predict_cases(opened, cases)
    report = classification.evaluate(found.probabilities, found.cases, independent=independent)
    odd = [*([] if isinstance(part, Dataset) else chances(part)), *found.notes]
    if opened.split is not None:
        odd += (
            *trained_on(found.cases, opened.split, opened.origin),
            *absences_beside(found.cases, opened.split),
        )
    report = replace(report, remarks=tuple(odd), failures=found.failures)
    report.save(target / "report.json")
    archive.write_text(target / "report.txt", f"{report}\n")
    for level in ("slice", "subject"):
        save(confusion_matrix(report, level), target / f"confusion_{level}.png")
    return report


def _counted(odd: Sequence[tuple[str, str]], images: int) -> str:
    """Say what is odd about some of the images, and of how many."""
    name, text = odd[0]
    return text if len(odd) == images else f"{len(odd):,} of {images:,} images, such as `{name}`: {text}"


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model says of those cases that can be read, why of the others nothing, and what is odd."""

    cases: Dataset
    probabilities: Scores
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


def predict_cases(model: Model, cases: Dataset) -> Predicted:
    """Predict every case whose image can be read, once; each is read when its turn comes.

    Raises
    ------
    InvalidInput
        If none can be read.
    """
    seen, failures = Ranges(), list[Failure]()
    odd: dict[str, list[tuple[str, str]]] = {}

    def whole() -> Iterator[Named]:
        for case in cases:
            taken = attempt(Named(case.id, case), model.intake)
            if isinstance(taken, Failure):
                failures.append(taken)
                continue
            seen.note(case.id, taken.image, taken.outside)
            for caveat in taken.caveats:
                odd.setdefault(caveat.name, []).append((case.id, caveat.text))
            yield Named(case.id, taken)
        without_unread(cases, failures)

    probabilities = predict(model.classifier, model.intake, whole())
    left = without_unread(cases, failures)
    notes = [*say_unread(failures, len(cases)), *say_lost(cases, failures)]
    notes += [_counted(images, seen.images) for images in odd.values()]
    if model.intake.window is None and seen.fault is not None:
        notes.append(seen.fault)
    return Predicted(left, probabilities, tuple(failures), tuple(notes))


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
    class has none there, in validation, then in training. Every figure says which. Where an image can't be
    read, that is announced, and the next one is taken.
    """
    opened, settings = open_with(model, options, methods)
    found = []
    for label, name in enumerate(opened.classes):
        for case, part in representatives(split, label):
            taken = attempt(Named(case.id, case), opened.intake)
            if isinstance(taken, Failure):
                announce(f"{name}: {taken}")
                continue
            made = opened.compare(taken, methods, target=label, **settings)
            explained = _drawn(made, case, part, name, Path(folder))
            announce(f"{name}: {case.id} ({part} part) -> {explained.figures[-1].name}")
            found.append(explained)
            break
        else:
            announce(f"{name}: no case in any part.")
    return tuple(found)


def representatives(split: Split, label: int) -> Iterator[tuple[Case, str]]:
    """Yield the cases of a class with their part, the one to show first.

    The test part comes first, then validation, then training; the subjects go by name, and the slices of
    each from the middle outwards.
    """
    parts = dict(split.parts())
    for part in PARTS:
        cases = [case for case in parts[part] if case.label == label]
        for subject in sorted({str(case.subject) for case in cases}):
            own = [case for case in cases if str(case.subject) == subject]
            slices = sorted(own, key=lambda case: (case.slice or 0, case.id))
            for place in sorted(range(len(slices)), key=lambda place: abs(place - len(slices) // 2)):
                yield slices[place], part


def _channels(dataset: Dataset, axes: int, layout: Layout | None) -> int:
    """Return how many channels the first image has that can be read."""
    first: UnusableImage | None = None
    for case in dataset:
        try:
            return int(read_image(case.source, axes, layout=layout).shape[-1])
        except UnusableImage as fault:
            if axes == 2 and holds_volume(case.source):
                raise InvalidInput(
                    f"`{case.id}` is a volume, and a size of two sides asks for a network of slices: give "
                    "three sides, such as 40,56,48."
                ) from fault
            first = first or fault
    raise InvalidInput(f"none of {len(dataset)} cases can be read; the first: {first}") from first


def _drawn(comparison: Comparison, case: Case, part: str, truth: str, folder: Path) -> Explained:
    """Draw each explanation and their comparison, with the case's origin as heading."""
    heading = f"{case.id} ({part} part), true class {truth}"
    stem = "".join(c if c.isalnum() else "_" for c in truth)
    drawn = {e.method["name"]: e.figure(heading=heading) for e in comparison}
    drawn["comparison"] = comparison.figure(heading=heading)
    files = tuple(save(figure, folder / f"{stem}_{name}.png") for name, figure in drawn.items())
    return Explained(case, part, comparison, files)
