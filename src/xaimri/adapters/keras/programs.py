"""Compiled functions of a network: traced once per shape and purpose, kept in a small cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, TypeAlias

import tensorflow as tf

import keras
from xaimri.adapters.keras.geometry.lattice import grid_of
from xaimri.adapters.keras.graph import Head, head
from xaimri.adapters.keras.layer import chosen_map
from xaimri.adapters.keras.range import Scaling, scaling
from xaimri.adapters.keras.shuffled import Shadows, traced_with
from xaimri.adapters.keras.signature import Ports
from xaimri.adapters.keras.trace import TRACING, layers_by_path, recording, traits
from xaimri.classifier import CLIP, Outputs
from xaimri.errors import InvalidInput, MissingCapability, said
from xaimri.grid import Grid
from xaimri.objective import Of

Purpose: TypeAlias = Literal["logits", "gradient", "maps"]
CAPACITY = 64
"""Compiled functions kept at once."""


@dataclass(frozen=True)
class Request:
    """What a compiled function is for; the key of the cache together with the network.

    ``scale`` multiplies the score before its gradient is taken and divides the gradient: half precision
    would round small gradients to 0.
    """

    purpose: Purpose
    shape: tuple[int, ...]
    outputs: Outputs = "probabilities"
    unit: int | None = None
    of: Of = "logit"
    layer: str | None = None
    scale: float = 1.0


NO_GRID = Grid((), (), (), ())
"""Stands where a compiled function opens no layer."""


@dataclass(frozen=True)
class Program:
    """A compiled function ``(images, targets, *others) -> tensors`` and what its trace found out.

    ``outer`` and ``inner`` tell how images as they come, and what the network itself is given after any
    preprocessing, are scaled first.
    """

    run: Callable[..., Any]
    kind: str
    outer: Scaling | None = None
    inner: Scaling | None = None
    grid: Grid = NO_GRID
    layer: str = ""
    why: str = ""


_programs: OrderedDict[tuple[Any, ...], tuple[Any, Program]] = OrderedDict()
_traceable: OrderedDict[tuple[Any, ...], tuple[Any, bool]] = OrderedDict()
_lock = Lock()


def program(
    model: keras.Model,
    ports: Ports,
    preprocess: Callable[[Any], Any] | None,
    request: Request,
    shadows: Shadows | None = None,
) -> Program:
    """Return the compiled function for a request, tracing it on first use, or after a layer was exchanged."""
    owner = (id(model), ports.signature, id(preprocess), id(shadows), request)
    key, _ = _key(owner, model)
    with _lock:
        if key in _programs:
            _programs.move_to_end(key)
            return _programs[key][1]
    with TRACING:
        with _lock:
            if key in _programs:  # another thread traced it meanwhile
                return _programs[key][1]
        made = _traced(model, ports, preprocess, request, shadows)
        key, parts = _key(owner, model)  # a network that was not built has its weights only now
        with _lock:
            kept = model, preprocess, shadows, parts  # holding them keeps their ids theirs
            _programs[key] = kept, made
            while len(_programs) > CAPACITY:
                _programs.popitem(last=False)
    return made


def _key(owner: tuple[Any, ...], model: keras.Model) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the key of a compiled function: names by themselves, objects by identity; and those objects."""
    layers = (model, *layers_by_path(model).values())
    parts = [part for layer in layers for part in traits(layer)]
    return (*owner, *(p if isinstance(p, str | bool | None) else id(p) for p in parts)), parts


def answered(compiled: Program, given: Iterable[Any], others: Sequence[Any]) -> Sequence[Any]:
    """Run a compiled function, or say in one sentence that the network fails."""
    try:
        results: Sequence[Any] = compiled.run(*given, *others)
    except tf.errors.OpError as failure:
        raise InvalidInput(
            f"the network fails on these images ({said(failure)}): check their range, and its other inputs."
        ) from failure
    return results


def clear_cache() -> None:
    """Forget every compiled function."""
    with _lock:
        _programs.clear()
        _traceable.clear()


def traceable(preprocess: Callable[[Any], Any], shape: tuple[int | None, ...]) -> bool:
    """Tell whether a function works on symbolic tensors; asked once."""
    key = (id(preprocess), shape)
    with _lock:
        if key in _traceable:
            return _traceable[key][1]
    try:
        traced = tf.function(preprocess, autograph=False, reduce_retracing=True)
        traced.get_concrete_function(tf.TensorSpec((1, *(s or 64 for s in shape)), tf.float32))
        works = True
    except Exception:
        works = False
    with _lock:
        _traceable[key] = (preprocess, works)
        while len(_traceable) > CAPACITY:
            _traceable.popitem(last=False)
    return works


def _traced(
    model: keras.Model,
    ports: Ports,
    preprocess: Callable[[Any], Any] | None,
    request: Request,
    shadows: Shadows | None,
) -> Program:
    found: dict[str, Any] = {}

    def body(images: Any, targets: Any, *others: Any) -> tuple[Any, ...]:
        with recording(model) as outputs:
            prepared = images if preprocess is None else preprocess(images)
            with traced_with(shadows):
                answer = _called(model, ports.filled(prepared, others), images)
        output = ports.chosen(answer, list(getattr(model, "output_names", None) or []))
        before = head(output)
        logits = _logits(before, request, output)
        found.update(kind=before.kind, outer=scaling(images), inner=scaling(prepared))
        stated = tf.cast(output, tf.float32)
        if request.purpose == "logits":
            return logits, stated
        inner = images
        if request.purpose == "maps":
            chosen = chosen_map(outputs, request.layer, images, before.scores)
            found.update(grid=grid_of(chosen.tensor, images), layer=chosen.path, why=_why(request.layer))
            inner = chosen.tensor
        total = request.scale * tf.reduce_sum(_scores(logits, targets, request.of))
        gradient = _gradient(total, inner)
        return logits, stated, tf.cast(inner, tf.float32), tf.cast(gradient, tf.float32) / request.scale

    specs = [(request.shape, tf.float32), (request.shape[:1], tf.int32), *ports.specs]
    signature = [tf.TensorSpec(shape, kind) for shape, kind in specs]
    run = tf.function(body, autograph=False, input_signature=signature).get_concrete_function()
    return Program(run, **found)


def _gradient(total: Any, inner: Any) -> Any:
    """Differentiate the sum of the scores, or say what works where that can't be done."""
    try:
        (gradient,) = tf.gradients(total, [inner])
    except LookupError:  # TensorFlow knows no gradient of an operation on the way
        gradient = None
    if gradient is None:
        raise MissingCapability(
            "an operation on the way to the output, such as rounding or stopping gradients, has no gradient: "
            "name another layer, or use a perturbation method such as LIME."
        )
    return tf.convert_to_tensor(gradient)


def _called(model: keras.Model, given: Any, images: Any) -> Any:
    """Call the network, or say in one sentence that it does not take such images."""
    try:
        return model(given, training=False)
    except Exception as failure:
        raise InvalidInput(
            f"the network does not take images of shape {tuple(images.shape[1:])} ({said(failure)}): give "
            "images of the size and channels that it was built for."
        ) from failure


def _why(layer: str | None) -> str:
    return "named by the caller" if layer else "the last map through which everything flows to the output"


def _logits(before: Head, request: Request, output: Any) -> Any:
    scores = tf.cast(before.scores, tf.float32)
    units = scores.shape[-1]
    if before.kind != "plain" and request.outputs == "logits":
        raise InvalidInput(
            f"the network ends in a {before.kind}, so its outputs are probabilities: leave "
            '`outputs="logits"` away.'
        )
    if before.kind == "softmax" and units == 1:
        raise InvalidInput(
            "the network ends in a softmax over one unit, which is 1 whatever the image: end it in a sigmoid."
        )
    if before.kind == "softmax":
        if request.unit is not None:
            raise InvalidInput(
                "the network ends in a softmax, so its outputs are one distribution over the classes: leave "
                "`unit` away, and name the class by `target`."
            )
        return scores
    if before.kind == "sigmoid" or units == 1 or request.unit is not None:
        if before.kind == "plain" and request.outputs == "probabilities":
            p = tf.clip_by_value(scores, CLIP, 1 - CLIP)
            scores = tf.math.log(p) - tf.math.log1p(-p)
        return _two_classes(scores, request.unit)
    if request.outputs == "logits":
        return scores
    return tf.math.log(tf.clip_by_value(tf.cast(output, tf.float32), CLIP, 1.0))


def _two_classes(scores: Any, unit: int | None) -> Any:
    """Present one sigmoid unit ``z`` as the two logits ``(-z/2, z/2)``."""
    units = scores.shape[-1]
    if units > 1 and unit is None:
        raise InvalidInput(
            f"the network ends in {units} independent sigmoids, which are no distribution over classes: "
            f"pick the one to explain by `unit=`, in 0..{units - 1}."
        )
    if not 0 <= (unit or 0) < units:
        raise InvalidInput(f"`unit` must be in 0..{units - 1}, got {unit}.")
    z = scores[:, unit or 0 : (unit or 0) + 1]
    return tf.concat([-z / 2, z / 2], axis=-1)


def _scores(logits: Any, targets: Any, of: Of) -> Any:
    """Return the explained score of every image; a target of -1 stands for the predicted class."""
    predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
    chosen = tf.one_hot(tf.where(targets < 0, predicted, targets), logits.shape[-1])
    if of == "probability":
        return tf.reduce_sum(tf.nn.softmax(logits) * chosen, axis=-1)
    score = tf.reduce_sum(logits * chosen, axis=-1)
    if of == "logit":
        return score
    return score - tf.reduce_logsumexp(logits + tf.where(chosen > 0, -1e30, 0.0), axis=-1)
