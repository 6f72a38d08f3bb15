"""Whatever the user has, as a classifier."""

from __future__ import annotations

from typing import Any

from xaimri.adapters.function import FunctionClassifier
from xaimri.adapters.linear import LinearClassifier
from xaimri.adapters.table import Adapter, adapter_of, is_preset, is_saved_model
from xaimri.classifier import Classifier
from xaimri.doubts.predict import predict_of
from xaimri.errors import InvalidInput

__all__ = [
    "Adapter",
    "FunctionClassifier",
    "LinearClassifier",
    "as_classifier",
    "is_preset",
    "is_saved_model",
]


def as_classifier(model: object, **options: Any) -> Classifier:
    """Turn a Keras model, the path of a saved one, a callable or a classifier into a classifier.

    Models of other frameworks are taken where a package adds an adapter for them by the entry-point group
    ``xaimri.adapters``.

    Parameters
    ----------
    model
        Anything that a row of :mod:`xaimri.adapters.table` claims.
    **options
        Those of :func:`xaimri.open_model` that a classifier is made with; None counts as not given.

    Raises
    ------
    InvalidInput
        If it is none of these, or an option stands beside a model that doesn't take it.

    Examples
    --------
    >>> import numpy as np
    >>> half = as_classifier(lambda images: np.full((len(images), 2), 0.5), classes=["no", "yes"])
    >>> half.classes
    ('no', 'yes')
    """
    adapter = adapter_of(model)
    if adapter is None:
        known = predict_of(model)
        if known is not None:
            name, kind = known[0], type(model).__name__
            raise InvalidInput(
                f"a {kind} can't be called: give a function of a batch of images that returns a row of "
                f"probabilities per image, such as `lambda images: model.{name}(images.reshape(len(images), "
                "-1))` where it takes rows of numbers."
            )
        raise InvalidInput(
            f"a {type(model).__name__} is no model: give a Keras model, the path of a saved one, a function "
            "of a batch of images, or an object with `classes` and `logits(images)`."
        )
    return adapter.wrap(model, options)
