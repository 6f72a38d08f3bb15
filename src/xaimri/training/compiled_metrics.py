"""Whether the metrics of a compiled network can say what is true of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from xaimri.errors import InvalidInput

OURS = ("loss", "accuracy", "balanced_accuracy")
"""What the logs hold in any case."""

BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")
"""Texts for which Keras chooses the metric by the form of the labels."""

ALIKE = (keras.metrics.CategoricalAccuracy, keras.metrics.SparseCategoricalAccuracy)
"""Metrics that are our ``accuracy``, and may have its name."""


def check_names(model: keras.Model) -> None:
    """See that no compiled metric has the name of one that a training tells in any case.

    Raises
    ------
    InvalidInput
        If one has.
    """
    for metric in _made(model):
        name = _name(metric)
        if name in OURS and not (name == "accuracy" and isinstance(metric, ALIKE)):
            raise InvalidInput(
                f"the compiled metric `{name}` has the name of one that `train` tells in any case: give it "
                "another `name`."
            )


def check_labels(model: keras.Model, one_hot: bool) -> None:
    """See that the compiled metrics take labels as the loss does.

    Keras hands the same labels to loss and metrics, and ``CategoricalAccuracy`` of integer labels is a number
    without meaning.

    Parameters
    ----------
    model
        Compiled.
    one_hot
        Whether its loss takes one number for each class.

    Raises
    ------
    InvalidInput
        If a metric takes the other form.
    """
    for metric in _made(model):
        sparse = _takes_indices(metric)
        if sparse is not None and sparse == one_hot:
            raise InvalidInput(
                f"the compiled metric `{_name(metric)}` takes {_labels(sparse)}, and the compiled loss "
                f"{_labels(not one_hot)}: compile with a loss or a metric of the other form, which has "
                "`sparse` in its name if it takes integers."
            )


def _made(model: keras.Model) -> list[Any]:
    """Return the compiled metrics, but those that Keras chooses by the form of the labels."""
    config = model._compile_config.config
    given = keras.tree.flatten([config.get("metrics"), config.get("weighted_metrics")])
    chosen = [m for m in given if m is not None and not (isinstance(m, str) and m in BY_SHAPE)]
    return [keras.metrics.get(metric) for metric in chosen]


def _name(metric: Any) -> str:
    return str(getattr(metric, "name", getattr(metric, "__name__", type(metric).__name__)))


def _takes_indices(metric: Any) -> bool | None:
    """Whether a metric of Keras takes integer labels; None of others, and of those that look at no labels."""
    kind = type(metric) if isinstance(metric, keras.metrics.Metric) else metric
    inner = getattr(metric, "_fn", metric)
    if not str(getattr(kind, "__module__", "")).startswith("keras."):
        return None
    if kind in (keras.metrics.Mean, keras.metrics.Sum):
        return None
    settings = metric.get_config() if isinstance(metric, keras.metrics.Metric) else {}
    if isinstance(settings, Mapping) and "sparse_y_true" in settings:
        return bool(settings["sparse_y_true"])
    if not str(getattr(inner, "__module__", "keras.")).startswith("keras."):
        return None  # a function of somebody else in a wrapper of Keras
    return "sparse" in str(getattr(kind, "__name__", "")).lower()


def _labels(sparse: bool) -> str:
    return "integer labels" if sparse else "one number for each class"
