"""A plain function of a batch of images as a classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from xaimri.adapters.answers import Answers
from xaimri.adapters.options import Preprocess
from xaimri.arguments import check_arguments
from xaimri.arrays import Images, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import Outputs
from xaimri.doubts.alone import Identical
from xaimri.doubts.predict import predict_doubts, predict_of
from xaimri.kinds import Anything
from xaimri.user_function import called


class FunctionClassifier:
    """Any callable ``(batch, *space, channels) -> (batch, classes)``, such as another framework's model.

    Parameters
    ----------
    function
        Called with a float32 copy of the images. Beside what a method asks, three batches of two images are
        asked once a function, to see that its answers depend on one image alone.
    classes
        Names of the classes; None names them ``class_0``, ... after the first call.
    preprocess
        Applied to each batch before the function; given a copy.
    outputs
        What the function gives: ``"probabilities"`` (rows that add up to 1; their logarithm, clipped at
        1e-7, serves as logits; one column is the probability of the second of two classes) or ``"logits"``.
        ``"auto"`` takes rows for probabilities, and of one column asks which it is.
    input_shape
        ``(*space, channels)`` that the function takes; None where any shape does.

    Raises
    ------
    InvalidInput
        If the function raises an error, which is shown with what the function was given; or if what it
        returns is neither.

    Examples
    --------
    >>> half = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("no", "yes"))
    >>> half.logits(np.zeros((1, 4, 5, 1), "float32")).round(3)
    array([[-0.693, -0.693]], dtype=float32)
    """

    @check_arguments(classes=Anything())
    def __init__(
        self,
        function: Callable[[Any], Any],
        classes: Sequence[str] | None = None,
        preprocess: Preprocess | None = None,
        outputs: Outputs = "auto",
        input_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        self._function, self._preprocess = function, preprocess
        self._answers = Answers("function", outputs)
        self._classes = self._answers.first_names(None, classes)
        self._input_shape = input_shape or ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits; none before the first call unless given."""
        return self._classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; empty where any shape does."""
        return self._input_shape

    @property
    def stands_for(self) -> tuple[object, Hashable]:
        """The function, or the object whose method it is."""
        given: object = self._function
        owner: object = given
        method: object = None
        if isinstance(given, MethodType):  # made anew whenever it is named
            owner, method = given.__self__, given.__func__
        return owner, (Identical(method), Identical(self._preprocess), self._answers)

    def logits(self, images: Images, /) -> Scores:
        """Call the function and return logits, ``(batch, classes)``."""
        given = np.array(images, dtype=np.float32)
        if self._preprocess is not None:
            given = called("`preprocess`", self._preprocess, given)
        rows = self._answers.rows(called("the function", self._function, given), len(images))
        self._classes = self._answers.names(self._classes, max(rows.shape[1], 2))  # one logit is two classes
        self._answers.check_rows(rows)
        return self._answers.logits(rows)

    def tempered(self, temperature: float, /) -> FunctionClassifier:
        """Return the same classifier with all logits divided by a number."""
        other = copy.copy(self)
        other._answers = self._answers.tempered(temperature)
        return other

    @property
    def findings(self) -> dict[str, str]:
        """What the rows were taken for."""
        return {"outputs": self._answers.meaning()}

    def doubts(self, images: Images, probabilities: Scores, /) -> tuple[tuple[Caveat, ...], ...]:
        """Say which probabilities are too near 0 and 1, and where ``predict`` of what is called differs."""
        first = np.array(images[:1], dtype=np.float32)
        seen = [first] if self._preprocess is None else [first, self._preprocess(first.copy())]
        stated = self._answers.stated(probabilities[:1])[0]
        differs = predict_doubts(self._function, predict_of(self._function), seen, stated)
        return tuple((*own, *differs) for own in self._answers.doubts(probabilities))
