"""Which of a network's outputs is explained, and how its numbers lie: one row per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.ending import ending
from xaimri.adapters.keras.tensors import Network, Structure, Tensor
from xaimri.adapters.meaning import Activation
from xaimri.errors import InvalidInput, shown


@dataclass(frozen=True)
class Output:
    """The output that is explained.

    Attributes
    ----------
    stated
        ``(batch, columns)``: what the network puts out.
    scores
        ``(batch, columns)``: what stands before its softmax or sigmoid; the same where there is none.
    activation
        What the network ends in.
    sink
        The tensor of the network in which the scores stand.
    name
        The output's name, where it was picked from several.
    """

    stated: Tensor
    scores: Tensor
    activation: Activation
    sink: Tensor
    name: str | None


def output_of(answer: Structure, names: Sequence[str], output: str | int | None, images: Tensor) -> Output:
    """Return the output to explain, or say what to do.

    Of several the one is taken that was named, else the only one that is a distribution over classes.

    Parameters
    ----------
    answer
        What the network returned for the images.
    names
        The names of its outputs, where it has them.
    output
        Which one to explain, by name or index.
    """
    several = by_name(answer, names)
    if output is None and len(several) == 1:
        return _read(next(iter(several.values())), images, None)
    if output is not None:
        return _read(_member(several, output), images, None)
    read = {k: _read(t, images, k) for k, t in several.items() if tf.is_tensor(t) and _columns(t) is not None}
    sure = [one for one in read.values() if _distributes(one)]
    doubtful = [
        one for one in read.values() if one.activation in {"plain", "sigmoids"} and _shares(one.stated)
    ]
    if len(sure) == 1 and not doubtful:
        return sure[0]
    return _read(_member(several, None), images, None)


def _distributes(one: Output) -> bool:
    """Tell whether an output is a distribution over classes."""
    columns = one.stated.shape[-1] or 0
    if one.activation == "sigmoid":
        return bool(columns == 1)
    return one.activation in {"softmax", "log_softmax"} and columns > 1


def _shares(stated: Tensor) -> bool:
    """Tell whether numbers of which the graph shows no softmax may still be a distribution."""
    op = stated.op
    while op.type in {"Identity", "Cast", "Reshape", "Squeeze"}:
        op = op.inputs[0].op
    return op.type not in {"Relu", "Relu6", "Tanh", "Elu", "Selu", "Softplus", "LeakyRelu"}


def _read(tensor: Structure, images: Tensor, name: str | None) -> Output:
    """Read one output, or say why it is no classifier's."""
    if not tf.is_tensor(tensor):
        raise InvalidInput(
            f"the network's output is a {type(tensor).__name__}, not one tensor (batch, classes): give a "
            "function that returns the one to explain."
        )
    columns = _columns(tensor)
    if columns is None or not tensor.shape[:1].is_compatible_with(images.shape[:1]):
        raise InvalidInput(
            f"the network's output has the shape {tuple(tensor.shape)} for {images.shape[0]} images, not "
            "(batch, classes): only classifiers of whole images can be explained."
        )
    end = ending(tensor, images)
    scores = _rows(end.scores, columns)
    if end.activation in {"softmax", "log_softmax"} and end.scores.shape[-1] == 1:
        scores = scores[:, :1]  # of one unit each, whatever stands beside it
    return Output(_rows(tensor, columns), scores, end.activation, end.scores, name)


def _columns(tensor: Tensor) -> int | None:
    """Return how many numbers there are per image; None where that is not fixed, or along several axes."""
    shape = tensor.shape
    if shape.rank is None or shape.rank == 0:
        return None
    lengths = shape.as_list()[1:]
    known = None not in lengths and sum(n != 1 for n in lengths) <= 1
    return int(prod(lengths)) if known else None


def _rows(tensor: Tensor, columns: int) -> Tensor:
    """Return numbers as one row per image."""
    return tensor if tensor.shape.rank == 2 else tf.reshape(tensor, (-1, columns))


def check_count(stated: Tensor, images: int) -> None:
    """See that there is one row per image, where the traced shapes left it open."""
    if stated.shape[0] != images:
        raise InvalidInput(
            f"the network gives {stated.shape[0]} rows for {images} images, and only classifiers of whole "
            "images can be explained: end it in one row per image."
        )


def units(model: Network, output: str | int | None) -> int | None:
    """Return how many numbers the explained output has, where the network tells."""
    try:
        given = model.output if model.built else None
    except (AttributeError, ValueError):
        given = None
    if given is None:
        shape = getattr(model, "output_shape", None) if model.built else None
        if not isinstance(shape, tuple) or not shape or isinstance(shape[0], tuple):
            return None
        return _counted(shape)
    named = by_name(given, list(getattr(model, "output_names", [])))
    if output is None and len(named) > 1:
        return None
    chosen = next(iter(named.values())) if output is None else _member(named, output)
    return _counted(tuple(chosen.shape)) if hasattr(chosen, "shape") else None


def _counted(shape: tuple[int | None, ...]) -> int | None:
    """Return how many numbers there are per image, of a shape with its batch axis."""
    return None if None in shape[1:] else int(prod(cast(tuple[int, ...], shape[1:])))


def by_name(answer: Structure, names: Sequence[str]) -> dict[str, Any]:
    """Return outputs by name: a mapping's keys, else the layers' names, else their numbers."""
    if isinstance(answer, Mapping):
        return dict(answer)
    listed = list(answer) if isinstance(answer, list | tuple) else [answer]
    unique = len(set(names)) == len(names) == len(listed)
    labels = names if unique else [str(i) for i in range(len(listed))]
    return dict(zip(labels, listed, strict=True))


def _member(outputs: Mapping[str, Any], output: str | int | None) -> Any:
    """Return one of several outputs by name or index, or name them all."""
    if isinstance(output, str) and output in outputs:
        return outputs[output]
    number = isinstance(output, int | np.integer) and not isinstance(output, bool)
    if number and 0 <= cast(int, output) < len(outputs):
        return list(outputs.values())[cast(int, output)]
    got = "" if output is None else f", not {shown(output)}"
    raise InvalidInput(
        f"the network's outputs are {', '.join(map(repr, outputs))}: pick the one to explain by `output=`, "
        f"such as output={next(iter(outputs))!r}{got}."
    )
