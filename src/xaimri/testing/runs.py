"""What a promise is checked on, an explainer or a classifier with images, and how it becomes public."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from xaimri.arrays import Array, Images, Scores
from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation
from xaimri.objective import Of
from xaimri.targets import Target
from xaimri.testing.generators import global_seeds

PromiseT = TypeVar("PromiseT")

TOLERANCE = 1e-5
"""By how much values that should agree may differ, in units of the largest."""

SLOPE_TOLERANCE = 0.02
"""By how much a slope may differ from finite differences, in units of the slope."""


@runtime_checkable
class ExplainerPromise(Protocol):
    """A function that raises AssertionError, with one sentence, if an explainer breaks the promise."""

    __name__: str

    def __call__(
        self, explainer: Explainer[Any], model: Classifier, images: Images, *, tolerance: float = TOLERANCE
    ) -> None:
        """Check it on this model and at least two images ``(batch, *space, channels)``."""
        ...


@runtime_checkable
class ClassifierPromise(Protocol):
    """A function that raises AssertionError, with one sentence, if a classifier breaks the promise."""

    __name__: str

    def __call__(
        self,
        model: Classifier,
        images: Images,
        outputs: Array | None = None,
        *,
        tolerance: float = TOLERANCE,
        slope_tolerance: float = SLOPE_TOLERANCE,
    ) -> None:
        """Check it on at least two images; what asks for a capability that the model lacks is kept."""
        ...


class ScoresOnly:
    """The same classifier with nothing but its scores."""

    def __init__(self, model: Classifier) -> None:
        self._model = model

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self._model.classes

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``."""
        return self._model.logits(images)


@dataclass(frozen=True, eq=False)
class ExplainerOnImages:
    """An explainer, and a model and images to run it on."""

    explainer: Explainer[Any]
    model: Classifier
    images: Images
    tolerance: float

    def explanations(
        self,
        images: Images | None = None,
        targets: Target | Sequence[Target] = None,
        model: Classifier | None = None,
        seeds: tuple[int, int] = (0, 0),
        of: Of | None = None,
        against: Sequence[Target] | None = None,
    ) -> tuple[Explanation, ...]:
        """Explain a copy of the images.

        The global generators (Python's and numpy's) start from these seeds at every call, so that an
        explainer that draws from them breaks no promise but those about chance and global state.
        """
        own = (self.images if images is None else images).copy()
        with global_seeds(*seeds):
            asked = self.model if model is None else model
            return self.explainer.explain(asked, own, targets, of=of, against=against)


@dataclass(frozen=True, eq=False)
class ClassifierOnImages:
    """A classifier, images to ask it about, and its own outputs of them where they are known."""

    model: Any
    images: Images
    outputs: Array | None
    tolerance: float
    slope_tolerance: float


def explainer_promise(check: Callable[[ExplainerOnImages], None]) -> ExplainerPromise:
    """Make a check a public promise: a function of explainer, model and images."""

    def promise(
        explainer: Explainer[Any], model: Classifier, images: Images, *, tolerance: float = TOLERANCE
    ) -> None:
        check(ExplainerOnImages(explainer, model, np.array(images, dtype=np.float32), tolerance))

    return _named_as(check, promise)


def classifier_promise(
    needs: type = object,
) -> Callable[[Callable[[ClassifierOnImages], None]], ClassifierPromise]:
    """Make a check a public promise of the classifiers that have a capability; the others keep it."""

    def decorate(check: Callable[[ClassifierOnImages], None]) -> ClassifierPromise:
        def promise(
            model: Classifier,
            images: Images,
            outputs: Array | None = None,
            *,
            tolerance: float = TOLERANCE,
            slope_tolerance: float = SLOPE_TOLERANCE,
        ) -> None:
            if isinstance(model, needs):
                own = np.array(images, dtype=np.float32)
                check(ClassifierOnImages(model, own, outputs, tolerance, slope_tolerance))

        return _named_as(check, promise)

    return decorate


def _named_as(check: Callable[..., None], promise: PromiseT) -> PromiseT:
    """Give a promise the name, the sentence and the module of its check."""
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(promise, name, getattr(check, name))
    return promise
