"""Callbacks of Keras: what a network looks at while it is trained."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaimri.archive import make_folder, write_text
from xaimri.endings import Ending
from xaimri.errors import InvalidInput, MissingExtra, XaimriError
from xaimri.explanations import COLUMNS, Explanations, row_of
from xaimri.methods import Method, check_one_method
from xaimri.options import open_with
from xaimri.regular_file import path_of
from xaimri.render import save
from xaimri.rules import WholeNumber
from xaimri.sources import Sources
from xaimri.table import csv_text
from xaimri.targets import Target

__all__ = ["ExplainEachEpoch"]

TABLE = "epochs.csv"
"""Name of the table in the folder."""


class ExplainEachEpoch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Explain the same images after each epoch: a figure of them, and a table of what was said.

    What can't be explained later, as where the weights became NaN, is a warning, and the training goes on.

    The network is explained as it stands, in inference mode; training goes on as it would without. What is
    found lies in ``folder``: ``epoch_0001.png``, ..., and ``epochs.csv`` with a row for each epoch and image;
    a training that goes on after some epochs keeps their rows.

    Parameters
    ----------
    images
        As of :func:`xaimri.explain_all`: paths, arrays, cases, a folder. A few: each costs anew.
    method
        Name of a method, or an explainer.
    folder
        Where figures and table are kept; None keeps none.
    tensorboard
        Folder for TensorBoard's events, which gets the figure of each epoch; None writes none.
    every
        Epochs from one explanation to the next; the last epoch is explained in any case.
    target
        As of :func:`xaimri.explain_all`. None explains what is predicted, which may change from epoch to
        epoch: name the class to compare epochs.
    **options
        The model's, such as ``classes`` and ``preprocess``, and the method's settings.

    Attributes
    ----------
    found : dict of int to Explanations
        By epoch, counted from 1.

    Raises
    ------
    InvalidInput
        If ``every`` is no whole number above 0; or, when the training begins, if the options don't fit the
        network, or none of the images can be explained.
    MissingExtra
        If ``tensorboard`` is given, and the package is missing.

    Notes
    -----
    Costs what the method costs, for each image and epoch.

    Examples
    --------
    >>> import keras, tempfile
    >>> layers = keras.layers
    >>> keras.utils.set_random_seed(0)
    >>> head = [layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")]
    >>> model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3), *head])
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> images = np.random.default_rng(0).random((4, 8, 8, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     watching = ExplainEachEpoch(list(images[:2]), "gradcam", folder, target=1)
    ...     _ = model.fit(images, np.array([0, 1, 0, 1]), epochs=2, callbacks=[watching], verbose=0)
    ...     sorted(file.name for file in Path(folder).iterdir())
    ['epoch_0001.png', 'epoch_0002.png', 'epochs.csv']
    """

    def __init__(
        self,
        images: Sources,
        method: Method = "gradcam",
        folder: str | Path | None = None,
        *,
        tensorboard: str | Path | None = None,
        every: int = 1,
        target: Target | Sequence[Target] = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.folder = None if folder is None else path_of(folder, "folder")
        self.tensorboard = None if tensorboard is None else path_of(tensorboard, "folder")
        if self.tensorboard is not None and find_spec("tensorboard") is None:
            raise MissingExtra("tensorboard", "tensorboard", "`tensorboard=`")
        self.every = WholeNumber(1).convert(every, "every")
        self.found: dict[int, Explanations] = {}
        self._asked: Mapping[str, Any] = {"method": check_one_method(method), "target": target}
        self._images = list(images) if isinstance(images, Iterator) else images
        self._options = options
        self._rows: list[dict[str, Any]] = []
        self._writer: Any = None
        self._epoch = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """See that the images can be explained, before hours of training."""
        self.found, self._rows, self._epoch = {}, [], 0
        with ExitStack() as made:
            for folder in filter(None, (self.folder, self.tensorboard)):
                made.enter_context(make_folder(folder))
            found = self._explained()
            if not len(found):
                failures = ", ".join(map(str, found.failures.values()))
                raise InvalidInput(f"none of the images can be explained: {failures}")

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Where a training goes on, take up the rows of the epochs before."""
        if self._epoch == 0 and epoch and self.folder is not None:
            self._rows = _rows_until(self.folder / TABLE, epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Explain, after every so many epochs."""
        self._epoch = epoch + 1
        if self._epoch % self.every == 0:
            self._try()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Explain the last epoch, if that is not done."""
        if self._epoch % self.every:
            self._try()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _try(self) -> None:
        """Explain; what fails is told, and the training goes on."""
        try:
            self._keep(self._epoch)
        except XaimriError as failure:
            warnings.warn(f"After epoch {self._epoch} nothing is explained: {failure}", stacklevel=2)

    def _explained(self) -> Explanations:
        opened, settings = open_with(self.model, self._options, self._asked["method"])
        return opened.explain_all(self._images, **self._asked, **settings)

    def _keep(self, epoch: int) -> None:
        """Explain the images, and write what was found."""
        found = self._explained()
        self.found[epoch] = found
        endings: dict[str, Ending] = {**dict(found.items()), **found.failures}
        self._rows += [{"epoch": epoch, **row_of(name, each)} for name, each in endings.items()]
        if self.folder is None and self.tensorboard is None:
            return
        drawn = found.figure()
        drawn.suptitle(f"epoch {epoch}", fontsize=10)
        if self.folder is not None:
            save(drawn, self.folder / f"epoch_{epoch:04d}.png")
            write_text(self.folder / TABLE, csv_text(["epoch", *COLUMNS], self._rows))
        if self.tensorboard is not None:
            self._show(drawn, epoch)

    def _show(self, drawn: Any, epoch: int) -> None:
        """Hand the figure to TensorBoard."""
        import tensorflow as tf
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.tensorboard))
        canvas: Any = FigureCanvasAgg(drawn)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[None, ..., :3]
        with self._writer.as_default():
            tf.summary.image("explanations", pixels, step=epoch)
        self._writer.flush()


def _rows_until(table: Path, epoch: int) -> list[dict[str, Any]]:
    """Return the rows that a table holds of the first so many epochs."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kept = [row for row in rows if (row.get("epoch") or "").isdecimal() and int(row["epoch"]) <= epoch]
    # words that begin so have an apostrophe before them: what begins with a minus is a number
    return [
        {name: float(cell) if (cell or "").startswith("-") else cell for name, cell in row.items()}
        for row in kept
    ]
