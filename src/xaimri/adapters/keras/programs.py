"""Compiled functions of a network: traced once per shape and purpose, kept in a small cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any, Literal, TypeAlias

import tensorflow as tf

from xaimri.adapters.answers import Answers
from xaimri.adapters.arithmetic import Arithmetic
from xaimri.adapters.keras.geometry.lattice import mergers_of
from xaimri.adapters.keras.geometry.shares import energies
from xaimri.adapters.keras.identity import forget, identity_of
from xaimri.adapters.keras.innermap import Lattices, Lay, beside
from xaimri.adapters.keras.layer import finer_map, map_to_open
from xaimri.adapters.keras.network import EAGER
from xaimri.adapters.keras.output import output_of
from xaimri.adapters.keras.purity import is_pure
from xaimri.adapters.keras.range import Scaling, scaling
from xaimri.adapters.keras.readout import check_readout, features_of
from xaimri.adapters.keras.shadows import Shadows, tracing
from xaimri.adapters.keras.signature import Signature
from xaimri.adapters.keras.tensors import Compiled, Network, Structure, Tensor
from xaimri.adapters.keras.trace import TRACING, recording
from xaimri.adapters.meaning import Activation
from xaimri.adapters.options import Preprocess
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput, MissingCapability, first_line
from xaimri.forked import check_process
from xaimri.grid import Grid
from xaimri.objective import Of

Purpose: TypeAlias = Literal["logits", "gradient", "maps", "places", "features"]
CAPACITY = 64
"""Compiled functions kept at once."""

TENSORFLOW = Arithmetic(tf.clip_by_value, tf.math.log, tf.math.log1p, partial(tf.concat, axis=-1))


@dataclass(frozen=True)
class Request:
    """What a compiled function is for; the key of the cache together with the network.

    ``scale`` multiplies the score before its gradient is taken and divides the gradient: half precision
    would round small gradients to 0.
    """

    purpose: Purpose
    shape: tuple[int, ...]
    answers: Answers
    of: Of = "logit"
    layer: str | None = None
    scale: float = 1.0


NO_GRID = Grid((), (), (), ())
"""Stands where a compiled function opens no layer."""


@dataclass(frozen=True)
class Program:
    """A compiled function ``(images, asked, *others) -> tensors`` and what its trace found out.

    ``asked`` is ``(batch, 2)``: of every image the target, -1 for the predicted class, and the class that it
    is held against, -1 for none.

    ``activation`` is what the network ends in, ``output`` the output that was picked from several.
    ``outer`` and ``inner`` tell how images as they come, and what the network itself is given after any
    preprocessing, are scaled first. ``pure`` where the graph proves that an image's logits depend on nothing
    but that image. ``family`` is alike for functions that differ in the size of their batches alone.
    """

    run: Compiled
    activation: Activation
    output: str | None = None
    outer: Scaling | None = None
    inner: Scaling | None = None
    grid: Grid = NO_GRID
    layer: str = ""
    why: str = ""
    caveats: tuple[Caveat, ...] = ()
    finer: str = ""
    place: Lattices | None = None
    mergers: tuple[str, ...] = ()
    pure: bool = False
    family: Hashable = None


_programs: OrderedDict[tuple[Any, ...], tuple[Any, Program]] = OrderedDict()
_traceable: OrderedDict[tuple[Any, ...], tuple[Any, bool]] = OrderedDict()
_lock = Lock()


def program(
    model: Network,
    signature: Signature,
    preprocess: Preprocess | None,
    request: Request,
    shadows: Shadows | None = None,
) -> Program:
    """Return the compiled function for a request, tracing it on first use, or after a layer was exchanged."""
    owner = (id(model), signature.key, id(preprocess), id(shadows), request)
    key = (*owner, identity_of(model).key)
    with _lock:
        if key in _programs:
            _programs.move_to_end(key)
            return _programs[key][1]
    with TRACING:
        with _lock:
            if key in _programs:  # another thread traced it meanwhile
                return _programs[key][1]
        made = _trace(model, signature, preprocess, request, shadows)
        made_of = identity_of(model)  # a network that was not built has its weights only now
        plain = replace(request, shape=request.shape[1:])
        made = replace(made, family=(*owner[:-1], plain, made_of.key))
        with _lock:
            kept = model, preprocess, shadows, made_of  # holding them keeps their ids theirs
            _programs[*owner, made_of.key] = kept, made
            while len(_programs) > CAPACITY:
                _programs.popitem(last=False)
    return made


def run(compiled: Program, given: Iterable[Tensor], others: Sequence[Tensor]) -> Sequence[Tensor]:
    """Run a compiled function, or say in one sentence that the network fails."""
    check_process()
    if not tf.executing_eagerly():
        raise MissingCapability(EAGER)
    try:
        results: Sequence[Tensor] = compiled.run(*given, *others)
    except tf.errors.OpError as failure:
        raise InvalidInput(
            f"the network fails on these images ({first_line(failure)}): check their range, and its other "
            "inputs."
        ) from failure
    return results


def clear_cache() -> None:
    """Forget every compiled function."""
    forget()
    with _lock:
        _programs.clear()
        _traceable.clear()


def traceable(preprocess: Preprocess, shape: tuple[int | None, ...]) -> bool:
    """Tell whether a function makes images of symbolic tensors; asked once."""
    key = (id(preprocess), shape)
    with _lock:
        if key in _traceable:
            return _traceable[key][1]
    try:
        traced = tf.function(preprocess, autograph=False, reduce_retracing=True)
        found = traced.get_concrete_function(tf.TensorSpec((1, *(s or 64 for s in shape)), tf.float32))
        given = found.structured_outputs
        works = bool(tf.is_tensor(given) and given.shape.rank == len(shape) + 1)
    except Exception:
        works = False
    with _lock:
        _traceable[key] = (preprocess, works)
        while len(_traceable) > CAPACITY:
            _traceable.popitem(last=False)
    return works


def _trace(
    model: Network,
    signature: Signature,
    preprocess: Preprocess | None,
    request: Request,
    shadows: Shadows | None,
) -> Program:
    found: dict[str, Any] = {}

    def body(images: Tensor, asked: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        with recording(model) as outputs:
            prepared = images if preprocess is None else preprocess(images)
            with tracing(shadows):
                answer = _call(model, signature, prepared, others)
        names = list(getattr(model, "output_names", None) or [])
        said = output_of(answer, names, signature.output, images)
        logits = request.answers.logits(tf.cast(said.scores, tf.float32), said.activation, TENSORFLOW)
        found.update(activation=said.activation, output=said.name, pure=is_pure(images, logits))
        found.update(outer=scaling(images), inner=scaling(prepared))
        stated = tf.cast(said.stated, tf.float32)
        if request.purpose == "logits":
            return logits, stated
        if request.purpose == "places":
            chosen = map_to_open(outputs, request.layer, images, said.scores)
            mergers = mergers_of(chosen.tensors, images)
            found.update(place=chosen.place, mergers=tuple(m.name for m in mergers))
            return logits, stated, *(energies(merger, images) for merger in mergers)
        inner: tuple[Tensor, ...] = (images,)
        lay: Lay = beside
        if request.purpose == "maps":
            chosen = map_to_open(outputs, request.layer, images, said.sink)
            told = ("grid", "layer", "why", "caveats")
            found.update({name: getattr(chosen, name) for name in told})
            inner, lay = chosen.tensors, chosen.lay
            found["finer"] = finer_map(outputs, chosen, images, said.sink)
        if request.purpose == "features":
            check_readout(request.answers, said.activation)
            inner = features_of(said.sink, images)
        total = request.scale * tf.reduce_sum(_scores(logits, asked, request.of))
        gradient = lay(_gradients(total, inner))
        return logits, stated, tf.cast(lay(inner), tf.float32), tf.cast(gradient, tf.float32) / request.scale

    specs = [(request.shape, tf.float32), ((request.shape[0], 2), tf.int32), *signature.specs]
    given = [tf.TensorSpec(shape, kind) for shape, kind in specs]
    run = tf.function(body, autograph=False, input_signature=given).get_concrete_function()
    return Program(run, **found)


def _gradients(total: Tensor, inner: Sequence[Tensor]) -> list[Tensor]:
    """Differentiate the sum of the scores by each tensor, the others held, or say what works instead."""
    try:
        gradients = tf.gradients(total, list(inner), stop_gradients=list(inner))
    except LookupError:  # TensorFlow knows no gradient of an operation on the way
        gradients = [None]
    if any(gradient is None for gradient in gradients):
        raise MissingCapability(
            "an operation on the way to the output, such as rounding or stopping gradients, has no gradient: "
            "name another layer, or use a perturbation method such as LIME."
        )
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def _call(model: Network, signature: Signature, images: Tensor, others: Sequence[Tensor]) -> Structure:
    """Call the network, or say in one sentence why that fails."""
    try:
        return signature.call(model, images, others)
    except Exception as failure:
        shape, wanted = tuple(images.shape[1:]), signature.image_shape
        of_size = isinstance(failure, ValueError | tf.errors.InvalidArgumentError)
        if of_size and (wanted != shape or not wanted):
            raise InvalidInput(
                f"the network does not take images of shape {shape} ({first_line(failure)}): give images of "
                "the size and channels that it was built for."
            ) from failure
        raise InvalidInput(
            f"the network fails when it is called ({type(failure).__name__}: {first_line(failure)}): see "
            f"that `model(batch, training=False)` works on a batch of shape {tuple(images.shape)}."
        ) from failure


def _scores(logits: Tensor, asked: Tensor, of: Of) -> Tensor:
    """Return the explained score of every image; ``asked`` as of :class:`Program`."""
    targets, against = asked[:, 0], asked[:, 1]
    predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
    chosen = tf.one_hot(tf.where(targets < 0, predicted, targets), logits.shape[-1])
    if of == "probability":
        return tf.reduce_sum(tf.nn.softmax(logits) * chosen, axis=-1)
    score = tf.reduce_sum(logits * chosen, axis=-1)
    if of == "logit":
        return score - tf.reduce_sum(logits * tf.one_hot(against, logits.shape[-1]), axis=-1)
    return score - tf.reduce_logsumexp(logits + tf.where(chosen > 0, -1e30, 0.0), axis=-1)
