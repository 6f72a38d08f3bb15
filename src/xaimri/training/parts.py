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
from xaimri.grid import Fit
from xaimri.images.channels import Layout
from xaimri.images.window import Window
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
    for data, what in ((training, "training cases"), (validation, "validation cases")):
        part, unread, told = read_part(model, data, what, recipe.fit, recipe.window, recipe.layout)
        parts.append(part)
        failures += unread
        notes += told
    if notes:
        warnings.warn(" ".join(notes), stacklevel=3)
    return Parts(parts[0], parts[1], tuple(failures), tuple(notes))


def read_part(
    model: keras.Model, data: Dataset, what: str, fit: Fit, window: Window | None, layout: Layout | None
) -> tuple[Part, tuple[Failure, ...], tuple[str, ...]]:
    """Read one part as the network takes it: what can be read, why the rest can't, and sentences on that.

    Raises
    ------
    InvalidInput
        As :func:`read_parts`.
    """
    *space, channels = model.input_shape[1:]
    stack = stack_images(data, space, channels, fit, window, layout)
    left = without_unread(data, stack.failures, what)
    check_classes(data, left, stack.failures, what)
    if window is None:
        check_intensities(model, stack.images)
    notes = [*say_unread(stack.failures, len(data), what), *say_lost(data, stack.failures)]
    return Part(stack.images, left.labels, stack.acquisition), tuple(stack.failures), tuple(notes)
