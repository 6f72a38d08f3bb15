"""The parts that a training reads: those of their cases that can be read, as the network takes them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import keras

from xaimri.adapters.keras.order import order_of
from xaimri.data.case import Dataset
from xaimri.data.stack import stack_images
from xaimri.data.unread import check_classes, say_lost, say_unread, without_unread
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.training.intensities import check_intensities
from xaimri.training.part import Part
from xaimri.training.recipe import Recipe


def check_parts(model: keras.Model, training: Dataset, validation: Dataset) -> None:
    """Hold the parts against each other and against the model, before an image is read.

    Raises
    ------
    InvalidInput
        If they don't fit.
    """
    if not len(training):
        raise InvalidInput("the training part is empty: split so that it holds at least one case.")
    if training.classes != validation.classes:
        raise InvalidInput(
            f"both parts must have the same classes, got {training.classes} and {validation.classes}."
        )
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) not in (4, 5) or None in shape[1:]:
        raise InvalidInput(f"the model must take one input of fixed (*space, channels), got {shape}.")
    order = order_of(model, shape[1:], partial(model, training=False))
    if order is not None:
        raise InvalidInput(
            f"the model takes {shape[1:]}, and images are trained on as (*space, channels): train "
            f"{order.before(shape[1:])}."
        )
    number = len(training.classes)
    if model.output_shape != (None, number):
        raise InvalidInput(
            f"the model must give one probability for each of the {number} classes, and its output "
            f"has the shape {model.output_shape}."
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """The two parts as they were read, a failure for each case that is left out, and sentences on these."""

    training: Part
    validation: Part
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def read_parts(model: keras.Model, training: Dataset, validation: Dataset, recipe: Recipe) -> Parts:
    """Read both parts as the network takes them; cases that can't be read are left out, with a warning.

    Raises
    ------
    InvalidInput
        If nothing is left of a part, or nothing of a class in it; or the intensities are not those that the
        network is made for.
    """
    parts, failures, notes = list[Part](), list[Failure](), list[str]()
    *space, channels = model.input_shape[1:]
    for data, what in ((training, "training cases"), (validation, "validation cases")):
        stack = stack_images(data, space, channels, recipe.fit, recipe.window, recipe.layout)
        left = without_unread(data, stack.failures, what)
        check_classes(data, left, stack.failures, what)
        if recipe.window is None:
            check_intensities(model, stack.images)
        parts.append(Part(stack.images, left.labels))
        failures += stack.failures
        notes += [*say_unread(stack.failures, len(data), what), *say_lost(data, stack.failures)]
    if notes:
        warnings.warn(" ".join(notes), stacklevel=3)
    return Parts(parts[0], parts[1], tuple(failures), tuple(notes))
