"""A plain function of a batch of images as a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xaimri.arrays import Array, Images, Scores
from xaimri.caveats import saturation
from xaimri.classifier import CLIP, Outputs, checked_outputs, class_names
from xaimri.errors import InvalidInput, said


class FunctionClassifier:
    """Any callable ``(batch, *space, channels) -> (batch, classes)``, such as another framework's model.

    Parameters
    ----------
    function
        Called with a float32 copy of the images.
    classes
        Names of the classes; None names them ``class_0``, ... after the first call.
    preprocess
        Applied to each batch before the function; given a copy.
    outputs
        What the function gives: ``"probabilities"`` (rows that add up to 1; their logarithm, clipped at
        1e-7, serves as logits; one column is the probability of the second of two classes) or ``"logits"``.
    input_shape
        ``(*space, channels)`` that the function takes; None where any shape does.

    Examples
    --------
    >>> half = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("no", "yes"))
    >>> half.logits(np.zeros((1, 4, 5, 1), "float32")).round(3)
    array([[-0.693, -0.693]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        classes: Sequence[str] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        outputs: Outputs = "probabilities",
        input_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        self._function, self._preprocess, self._outputs = function, preprocess, checked_outputs(outputs)
        self._classes = () if classes is None else class_names(classes)
        self._input_shape = input_shape or ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits; none before the first call unless given."""
        return self._classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; empty where any shape does."""
        return self._input_shape

    def logits(self, images: Images, /) -> Scores:
        """Call the function and return logits, ``(batch, classes)``."""
        given = np.array(images, dtype=np.float32)
        given = given if self._preprocess is None else self._preprocess(given)
        answer = self._function(given)
        try:
            answer = np.asarray(answer, dtype=np.float32)
        except (TypeError, ValueError) as failure:
            raise InvalidInput(
                f"the function must give numbers, one row of class scores per image ({said(failure)}): check "
                "what it returns."
            ) from None
        if answer.ndim == 1 or (answer.ndim == 2 and answer.shape[1] == 1):
            answer = self._two_columns(answer.reshape(len(answer), 1))
        if answer.ndim != 2 or len(answer) != len(images) or not np.isfinite(answer).all():
            raise InvalidInput(
                f"the function must give one finite row of class scores per image, got shape {answer.shape} "
                f"for {len(images)} images: check what it returns."
            )
        self._name(answer.shape[1])
        return answer if self._outputs == "logits" else self._log(answer)

    def doubts(self, images: Images, probabilities: Scores, /) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Say which probabilities are too near 0 and 1 to be explained."""
        return tuple(saturation(row) if self._outputs == "probabilities" else () for row in probabilities)

    def _two_columns(self, answer: Array) -> Array:
        pair = [-answer / 2, answer / 2] if self._outputs == "logits" else [1 - answer, answer]
        return np.concatenate(pair, axis=1)

    def _name(self, count: int) -> None:
        if not self._classes:
            self._classes = tuple(f"class_{i}" for i in range(count))
        if len(self._classes) != count:
            raise InvalidInput(
                f"the function gives {count} scores per image, and `classes` has {len(self._classes)} names: "
                "give one name per score."
            )

    def _log(self, probabilities: Scores) -> Scores:
        if probabilities.min() < -1e-3 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-2:
            raise InvalidInput(
                f"the function's outputs are not probabilities (the first row adds up to "
                f'{float(probabilities[0].sum()):.3g}): if they are logits, pass outputs="logits".'
            )
        logs: Array = np.log(np.clip(probabilities, CLIP, 1))
        return logs
