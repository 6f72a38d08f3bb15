"""The model that a metric asks: opened from whatever the user has, and held against the images explained."""

from __future__ import annotations

from collections.abc import Sequence

from xaimri.adapters.bundles import open_classifier
from xaimri.adapters.options import ModelLike
from xaimri.classifier import Classifier, Sized
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation


def classifier_of(model: ModelLike) -> Classifier:
    """Return the classifier of whatever the user has: the one door of all metrics and controls.

    Raises
    ------
    InvalidInput
        If it is no model.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> classifier_of(model) is model, classifier_of(lambda images: images[:, 0, 0]).classes
    (True, ())
    """
    window = getattr(getattr(model, "intake", None), "window", None)
    if window is not None:
        raise InvalidInput(
            "the model sees images through a window, and an explanation holds them as they were given: use "
            "`model.judge` or xaimri.evaluate_explanations, which measure on the model's own grid."
        )
    return open_classifier(model)[0]


def image_shape(explanations: Sequence[Explanation], classifier: Classifier) -> tuple[int, ...]:
    """Return the one shape of the explained images, if the classifier can be shown them as they are."""
    if len(shapes := {each.image.shape for each in explanations}) > 1:
        raise InvalidInput(f"the explained images have different shapes, {sorted(shapes)}: give them apart.")
    wanted = tuple(classifier.input_shape) if isinstance(classifier, Sized) else ()
    (shape,) = shapes
    same = len(wanted) == len(shape) and all(w in (None, n) for w, n in zip(wanted, shape, strict=True))
    if wanted and not same:
        raise InvalidInput(
            f"the explained image has the shape {shape}, and the classifier takes {wanted}: explain it on "
            "the classifier's own grid, with `explainer.explain(classifier, images)`, or use "
            "xaimri.evaluate_explanations, which does."
        )
    return shape
