"""Training a classifier on a split: two phases, early stopping, resumable, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import keras

from xaimri.data.case import Dataset
from xaimri.data.copies import OnCopies, copies_between
from xaimri.data.epoch import Loader, chances
from xaimri.data.loader import read_loader
from xaimri.errors import InvalidInput, shown
from xaimri.failure import Failure
from xaimri.forked import check_process
from xaimri.grid import Fit
from xaimri.images.acquisition import Acquisition
from xaimri.images.channels import Layout
from xaimri.images.window import WindowSource, as_window
from xaimri.training.augment import Augmentation
from xaimri.training.callbacks import check_callbacks, stops_early
from xaimri.training.compiled import check_compiled, rates_of, record_of
from xaimri.training.parts import check_parts, read_parts
from xaimri.training.recipe import Recipe, Schedule, Weighting, class_weights_of
from xaimri.training.resnet import Depth, backbone_of, is_whole
from xaimri.training.run import Run

if TYPE_CHECKING:
    from xaimri.data.splits import Split

COLUMNS = (
    *("epoch", "phase", "loss", "accuracy", "balanced_accuracy"),
    *("val_loss", "val_accuracy", "val_balanced_accuracy", "seconds"),
)
"""Names of the history's columns."""

PRETRAINED = (5, 25)
"""Most epochs of head and unfrozen network, where part of the backbone is frozen."""

RANDOM = (0, 40)
"""The same where nothing is frozen: a head on random features has nothing to learn."""

PATIENCE = 8
"""Epochs without a better one until a phase ends, where no callback says when."""


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training did.

    Attributes
    ----------
    model
        The network that was given, with the weights of its best epoch.
    classes
        Names, in the order of its outputs.
    history
        Column -> one entry per epoch: ``epoch`` (from 1), ``phase`` (``"head"`` or ``"finetune"``),
        ``loss``, ``accuracy``, ``balanced_accuracy`` (of the augmented training images, while the
        weights change), the same with ``val_`` (None without a validation part), ``seconds``, and a
        column for each compiled metric. Losses are cross-entropies, or the compiled loss, weighted by
        class; balanced accuracies are over the classes present.
    best_epoch
        The epoch whose weights were kept: best validation balanced accuracy, then lowest loss; or that
        of ``EarlyStopping`` where it restores weights.
    stopped
        ``"patience"`` where validation no longer improved, ``"callback"`` where a callback ended the
        training, ``"epochs"`` where all were done.
    recipe
        Every setting.
    resumed
        Epochs that were taken over from an earlier, interrupted call.
    notes
        Sentences on the data: images that stand in two parts, cases that could not be read.
    failures
        Why a case could not be read, and was left out, one for each.
    acquisition
        Spacing and orientation of the training images that know them; None where none does.
    """

    model: keras.Model = field(repr=False)
    classes: tuple[str, ...]
    history: Mapping[str, list[Any]] = field(repr=False)
    best_epoch: int
    stopped: str
    recipe: Recipe
    resumed: int = 0
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    acquisition: Acquisition | None = None

    def record(self) -> dict[str, Any]:
        """Return everything but the model as JSON types."""
        return {
            "classes": list(self.classes),
            "history": dict(self.history),
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "recipe": self.recipe.record(),
            "resumed": self.resumed,
            "notes": list(self.notes),
            "failures": [asdict(failure) for failure in self.failures],
            "acquisition": None if self.acquisition is None else self.acquisition.record(),
        }


def train(
    model: keras.Model,
    data: Split | tuple[Dataset | Loader, Dataset | Loader],
    *,
    folder: str | Path | None = None,
    batch: int = 32,
    epochs: int | tuple[int, int] | None = None,
    learning_rate: float | tuple[float, float] | None = None,
    schedule: Schedule = "constant",
    unfreeze: Depth | None = None,
    augment: bool | Augmentation = True,
    class_weights: Weighting = "balanced",
    patience: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
    seed: int = 0,
    progress: bool = True,
    fit: Fit = "stretch",
    window: WindowSource | None = None,
    layout: Layout | None = None,
    copies: OnCopies = "refuse",
) -> TrainingResult:
    """Train a classifier in place, and leave it with the weights of its best epoch.

    First the head alone, on a frozen backbone whose batch norms run as in inference; then what is
    unfrozen. After each epoch the statistics of unfrozen batch norms are estimated anew over training
    images (`Loop.settle`), and the validation part is scored. Adam and cross-entropy; or optimizer, loss
    and metrics of a network that was compiled. The test part of a split is only looked through for
    copies. Cases whose images can't be read are left out, with a warning.

    Parameters
    ----------
    model
        Any Keras classifier with fixed input size and one softmax output; it takes raw pixels. Its
        weights change; what is trainable ends as the second phase has it. Where it was compiled, each
        phase begins with a new optimizer of the compiled one's settings, which itself stays as it is; the
        loss gets integer labels or one-hot ones, as it takes them.
    data
        A split, or its training and validation parts; a loader of Keras or ``tf.data`` is read once, as by
        :func:`xaimri.data.read_loader`, and must not augment by chance. An empty validation part means: no
        early stopping, the last weights are kept, and the ``val_`` columns are None.
    folder
        Where a checkpoint is kept (about 5 times the weights' size), written after every epoch. The
        same call again goes on where that stopped, to the same result.
    batch
        Most images in a step; an epoch is cut into batches of nearly equal size.
    epochs
        Most epochs of (the head, the unfrozen network); a number stands for the second phase alone.
        None: (5, 25), or (0, 40) where nothing is frozen.
    learning_rate
        Of the two phases. None: that of the compiled optimizer, its schedule too; else (1e-3, 1e-4).
    schedule
        ``"constant"``, or ``"cosine"``: down to nearly zero over each phase. Once a callback sets
        another rate, that stays for the rest of the phase.
    unfreeze
        How much of the nested backbone learns in the second phase, see `xaimri.training.unfreeze`.
        None: what is trainable now.
    augment
        True, False, or the ranges; on the training part only, and never inside the model.
    class_weights
        ``"balanced"``, None, or a weight for each name, see `recipe.class_weights_of`.
    patience
        Epochs without a better validation balanced accuracy after which a phase ends. None: 8, or no end
        where an ``EarlyStopping`` among the callbacks decides.
    callbacks
        Of Keras, called as its ``fit`` calls them over both phases. The logs hold ``loss``, ``accuracy``,
        ``balanced_accuracy``, the compiled metrics, and the same with ``val_``. ``stop_training`` ends
        the training. ``EarlyStopping(restore_best_weights=True)`` decides which weights are left. What
        goes on from a folder begins at the right epoch, and ``EarlyStopping``, ``ReduceLROnPlateau`` and
        ``ModelCheckpoint`` know of the epochs before.
    seed
        Fixes order, augmentation and dropout. No global generator is used or changed. The same call
        on the same initial weights gives the same history and weights; on one machine bit for bit as
        far as TensorFlow's kernels are deterministic there.
    progress
        Show a bar, and print one line per epoch, on standard error.
    fit, window, layout
        How images are brought to the model's input, as of :func:`xaimri.open_model`; give the same to
        `xaimri.training.save`.
    copies
        An image that stands in two parts, the test part of a split as well, is refused; ``"tell"`` trains
        on it, and says so in ``notes`` of the result.

    Returns
    -------
    TrainingResult

    Raises
    ------
    InvalidInput
        If the model, the data, a callback or a setting cannot be used, no case of a part or of its class
        can be read, or ``folder`` holds another training.

    Examples
    --------
    >>> from xaimri.data import phantom
    >>> from xaimri.training import build_resnet50, train
    >>> data = phantom.make(subjects=40, slices=4, size=(96, 96))
    >>> model = build_resnet50(data.classes, size=(96, 96), weights=None)
    >>> train(model, (data[:128], data[128:]), epochs=12)  # doctest: +SKIP
    """
    check_process()
    watching = check_callbacks(callbacks)
    check_compiled(model)
    if len(data) != 2 if isinstance(data, tuple) else not hasattr(data, "parts"):
        raise InvalidInput(
            f"`data` must be a split, as of xaimri.data.split, or (training, validation), got {shown(data)}."
        )
    if isinstance(data, tuple):
        data = cast("tuple[Dataset, Dataset]", tuple(map(_read, data)))
    training, validation = data if isinstance(data, tuple) else (data.train, data.validation)
    check_parts(model, training, validation)
    named = zip(("train", "validation"), data, strict=True) if isinstance(data, tuple) else data.parts()
    notes = copies_between(named, copies)
    most = _epochs(model, epochs, unfreeze)
    if patience is None:
        patience = max(1, *most) if stops_early(watching) else PATIENCE
    recipe = Recipe(
        batch=batch,
        epochs=most,
        learning_rate=rates_of(model, learning_rate, schedule),
        schedule=schedule,
        unfreeze=unfreeze,
        augment=Augmentation() if augment is True else (augment or None),
        class_weights=class_weights_of(training.labels, training.classes, class_weights),
        patience=patience,
        seed=seed,
        fit=fit,
        window=None if window is None else as_window(window),
        layout=layout,
        compiled=record_of(model),
    )
    where = None if folder is None else Path(folder)
    parts = read_parts(model, training, validation, recipe)
    weights = class_weights_of(parts.training.labels, training.classes, class_weights)
    axes = parts.training.images.ndim - 2
    done = None if recipe.augment is None else recipe.augment.along(axes)
    recipe = replace(recipe, class_weights=weights, augment=done)
    run = Run(model, recipe, training.classes, parts.training, parts.validation, where, progress, watching)
    run.finish()
    names = dict.fromkeys((*COLUMNS, *(name for row in run.rows for name in row)))
    history = MappingProxyType({name: [row.get(name) for row in run.rows] for name in names})
    return TrainingResult(
        model, training.classes, history, run.best_epoch, run.stopped, recipe, run.resumed,
        (*notes, *parts.notes, *run.notes), parts.failures, parts.training.acquisition,
    )  # fmt: skip


def _read(part: Dataset | Loader) -> Dataset:
    """Read one epoch of a loader, if it is one whose next epoch is the same."""
    if isinstance(part, Dataset):
        return part
    if told := chances(part):
        raise InvalidInput(f"{told[0]} Training would see that draw again and again: augment by `augment=`.")
    return read_loader(part)


def _epochs(model: keras.Model, epochs: int | tuple[int, int] | None, depth: Depth | None) -> tuple[int, int]:
    backbone = backbone_of(model)
    if epochs is None:
        learns = depth == "all" or (depth is None and (backbone is None or is_whole(backbone)))
        return RANDOM if learns else PRETRAINED
    both = epochs if isinstance(epochs, tuple) else (0, epochs)
    if both[0] and backbone is None:
        raise InvalidInput(
            f"`{model.name}` holds no nested backbone, so its head cannot be trained alone: give "
            f"epochs=(0, {both[1] or both[0]})."
        )
    return both
