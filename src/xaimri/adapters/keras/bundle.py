"""A trained network in a folder, with what its use needs, and a check that it still answers as it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import keras

from xaimri.adapters.keras import bundle_record
from xaimri.adapters.keras.bundle_record import MODEL, RECORD, REMEDY, next_of
from xaimri.adapters.keras.hub import preparation_of
from xaimri.adapters.keras.randomness import keep_python_random
from xaimri.adapters.keras.reference import answers_of, check_answers
from xaimri.archive import make_folder, remove_partials, whole_file, write_text
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, first_line, shown
from xaimri.failure import Failure
from xaimri.folder_lock import lock
from xaimri.forked import check_process
from xaimri.grid import Fit, check_fit
from xaimri.images.acquisition import Acquisition
from xaimri.images.channels import Layout, check_layout
from xaimri.images.window import Window, WindowSource, as_window
from xaimri.kinds import Anything, Several
from xaimri.regular_file import path_of, quoted, sha256_of
from xaimri.sealed import unseal
from xaimri.temperature import TemperatureScaling

Record: TypeAlias = Mapping[str, Any]
"""What is kept beside a network, as JSON types."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A network and how to use it.

    Attributes
    ----------
    model
        Takes raw pixels, gives probabilities.
    classes
        Names, in the order of its outputs.
    fit, window, layout
        How an image was brought to its input in training, as of :func:`xaimri.explain`.
    split
        The record of the split it was trained on, or None.
    history
        Column -> one entry per epoch, or None.
    origin
        How its data were made, as `xaimri.data.remake` takes it, or None.
    failures
        Why a case could not be read in training, and was left out, one for each.
    acquisition
        Spacing and orientation of its training images, or None.
    versions
        Of xaimri, Keras and TensorFlow, when it was saved.
    scaling
        What the logits of ``model`` are divided by where the bundle is opened as a model, or None. ``model``
        itself gives its probabilities without it.
    recipe
        How it was trained, setting by setting, or None.
    sha256
        Of ``model.keras``: which network it is.
    """

    model: keras.Model = field(repr=False)
    classes: tuple[str, ...]
    fit: Fit = "stretch"
    window: Window | None = None
    layout: Layout | None = None
    split: Record | None = field(default=None, repr=False)
    history: Mapping[str, list[Any]] | None = field(default=None, repr=False)
    origin: Record | None = field(default=None, repr=False)
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    acquisition: Acquisition | None = field(default=None, repr=False)
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)
    scaling: TemperatureScaling | None = None
    recipe: Record | None = field(default=None, repr=False)
    sha256: str = field(default="", repr=False)


@check_arguments(model=Anything(), classes=Several(Anything()), window=Anything())
def save(
    folder: str | Path,
    model: keras.Model,
    classes: Sequence[str],
    *,
    fit: Fit = "stretch",
    window: WindowSource | None = None,
    layout: Layout | None = None,
    split: Record | None = None,
    history: Mapping[str, Sequence[Any]] | None = None,
    origin: Record | None = None,
    failures: Sequence[Failure] = (),
    acquisition: Acquisition | None = None,
    scaling: TemperatureScaling | None = None,
    recipe: Record | None = None,
) -> Path:
    """Write a bundle: ``model.keras`` and ``bundle.json``.

    Both are written beside the old ones and renamed when they are whole; if the process dies on the
    way, `load` finds the old bundle or the new one, never a mixture. Other files are left alone.

    Parameters
    ----------
    folder
        Made if it is missing.
    model
        Takes one image of fixed size, raw pixels, and gives one probability per class.
    classes
        Names, in the order of its outputs.
    fit, window, layout
        As in training.
    split, history, origin
        As JSON types, such as ``split.record()``, ``result.history`` and ``dataset.origin``.
    failures
        The cases that training left out: ``result.failures``.
    acquisition
        Spacing and orientation of the training images: ``result.acquisition``.
    scaling
        What the logits are divided by, so that the model is as sure as it is right: ``model.scaling`` of
        `xaimri.Model.calibrated`.
    recipe
        How it was trained, as JSON types, such as ``result.recipe.record()``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidInput
        If the names do not fit the outputs, or a record is not made of JSON types.
    StorageFault
        If the system can't write it.

    Examples
    --------
    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((4, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> model.add(keras.layers.Softmax())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(save(folder, model, ["young", "old"])).classes
    ('young', 'old')
    """
    folder = path_of(folder, "folder")
    reach = {
        "fit": fit,
        "window": None if window is None else as_window(window).record(),
        "layout": layout,
    }
    check_fit(fit)
    check_layout(layout)
    kept = {
        "split": None if split is None else dict(split),
        "history": None if history is None else {name: list(column) for name, column in history.items()},
        "origin": unseal(origin),
        "failures": [asdict(failure) for failure in failures],
        "acquisition": None if acquisition is None else acquisition.record(),
        "scaling": None if scaling is None else scaling.record(),
        "recipe": unseal(recipe),
    }
    record = {**_described(model, classes), **reach, **kept}
    bundle_record.text_of(record)  # refuse before anything is written
    with make_folder(folder), lock(folder):
        remove_partials(folder)
        digest, placed = "", False
        try:
            with whole_file(folder / MODEL) as new:
                model.save(new)
                digest = sha256_of(new, REMEDY)
                text = bundle_record.text_of({**record, "sha256": digest})
                write_text(folder / next_of(digest), text)
            placed = True
            # from here to the last step, the model's digest tells `load` which record belongs to it
            write_text(folder / RECORD, text)
            placed = False
        finally:
            for waiting in folder.glob(next_of("*")):
                if not (placed and waiting.name == next_of(digest)):
                    waiting.unlink()
    return folder


@check_arguments()
def load(folder: str | Path) -> Bundle:
    """Read a bundle in Keras' safe mode, and check that the network answers as it did.

    Parameters
    ----------
    folder
        Where `save` put it.

    Returns
    -------
    Bundle

    Raises
    ------
    InvalidInput
        If files are missing or damaged, the model holds code, or its probabilities on the reference
        images differ by more than 1e-4 from those kept.
    """
    check_process()
    folder = path_of(folder, "folder")
    with lock(folder, shared=True):
        record = bundle_record.read(folder)
        model = _network(folder / MODEL, record)
    check_answers(model, record["reference_probabilities"], quoted(folder), record["versions"])
    return Bundle(
        model,
        tuple(record["classes"]),
        fit=record["fit"],
        window=None if record["window"] is None else Window(**record["window"]),
        layout=record["layout"],
        split=_readonly(record["split"]),
        history=_readonly(record["history"]),
        origin=_readonly(record["origin"]),
        failures=tuple(Failure(**failure) for failure in record["failures"]),
        acquisition=None if record["acquisition"] is None else Acquisition.from_record(record["acquisition"]),
        versions=record["versions"],
        scaling=None if record["scaling"] is None else TemperatureScaling.from_record(record["scaling"]),
        recipe=_readonly(record["recipe"]),
        sha256=record["sha256"],
    )


@check_arguments(scaling=Anything())
def keep_scaling(folder: str | Path, scaling: TemperatureScaling | None) -> Path:
    """Write into a bundle what its logits are divided by; None takes it out. The network stays as it is.

    Raises
    ------
    InvalidInput
        If the bundle's files are missing or damaged.
    StorageFault
        If the system can't write it.
    """
    folder = path_of(folder, "folder")
    with lock(folder):
        record = bundle_record.read(folder)
        record["scaling"] = None if scaling is None else scaling.record()
        write_text(folder / RECORD, bundle_record.text_of(record))
        (folder / next_of(record["sha256"])).unlink(missing_ok=True)
    return folder


def _network(path: Path, record: dict[str, Any]) -> keras.Model:
    """Read the network, and see that it takes and gives what its record says."""
    try:
        with keep_python_random():
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types
        raise InvalidInput(
            f"{quoted(path)} cannot be loaded in Keras' safe mode by Keras {keras.__version__} (it was "
            f"saved by {record['versions'].get('keras', 'an unknown version')}): {first_line(error, 160)}."
        ) from error
    shapes = (getattr(model, "input_shape", None), getattr(model, "output_shape", None))
    told = ((None, *record["input"]), (None, len(record["classes"])))
    if shapes != told:
        raise InvalidInput(f"{quoted(path)} takes and gives {shapes}, and its record says {told}: {REMEDY}")
    return model


def _described(model: keras.Model, classes: Sequence[str]) -> dict[str, Any]:
    """Return what ``bundle.json`` says of the network itself."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise InvalidInput(
            f"a bundle needs a model of one input of fixed (*space, channels), got {shown(shape)}."
        )
    if preparation_of(model, shape[1:]) is not None:
        raise InvalidInput(
            "a bundle's network does all in its call, and this task of KerasHub prepares images in `predict` "
            "alone: keep it by task.save_to_preset, which xaimri opens too, or set task.preprocessor = None."
        )
    if isinstance(classes, str) or model.output_shape != (None, len(classes)):
        raise InvalidInput(
            f"`classes` must name each output of the model, whose output shape is {model.output_shape}, "
            f"got {shown(classes)}."
        )
    packages = ("xaimri", "keras", "tensorflow")
    return {
        "classes": [str(name) for name in classes],
        "input": list(shape[1:]),
        "versions": {package: version(package) for package in packages},
        "reference_probabilities": answers_of(model).tolist(),
    }


def _readonly(record: dict[str, Any] | None) -> Record | None:
    return None if record is None else MappingProxyType(record)
