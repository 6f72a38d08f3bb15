"""Train a network on one data set, and keep it with its split and curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri.charts import training_curves
from xaimri.data import Dataset, Split
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.experiment.temperature import calibrated_bundle, keep_temperature
from xaimri.grid import Fit
from xaimri.images.channels import Layout
from xaimri.images.files import holds_volume
from xaimri.images.read import read_image
from xaimri.images.window import WindowSource
from xaimri.render import save

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


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
    made = {"weights": None if weights is None else str(weights), "dropout": dropout, "width": width}
    outcome = {"best_epoch": result.best_epoch, "stopped": result.stopped}
    kept["recipe"] = {**result.recipe.record(), **made, **outcome}
    before = calibrated_bundle(target)
    training.save(target, model, dataset.classes, **reach, **kept)
    save(training_curves(result.history), target / "curves.png")
    if before is not None:
        keep_temperature(target, before)
    return training.load(target)


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
