"""A Keras network as a classifier: scores, gradients at the pixels, and inner maps with their place."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from typing import Any, get_args

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

from xaimri.adapters.answers import Answers
from xaimri.adapters.keras.batches import batch_size, pad
from xaimri.adapters.keras.engine import Engine
from xaimri.adapters.keras.geometry.shares import PEAKS
from xaimri.adapters.keras.hub import choose, preparation_of
from xaimri.adapters.keras.identity import identity_of
from xaimri.adapters.keras.network import check_network, computes_in
from xaimri.adapters.keras.openvino.classifier import OpenVINOClassifier, accelerate
from xaimri.adapters.keras.output import check_count
from xaimri.adapters.keras.places import settled
from xaimri.adapters.keras.predict import own_predict
from xaimri.adapters.keras.preprocessing import prepare_outside
from xaimri.adapters.keras.programs import Program, Purpose, Request, program, run, traceable
from xaimri.adapters.keras.range import range_doubts
from xaimri.adapters.keras.shadows import Shadows, Stand, layers_with_weights, showing, shuffle
from xaimri.adapters.keras.signature import signature_of
from xaimri.adapters.keras.stem import stem_doubts
from xaimri.adapters.keras.tensors import Network, Structure, Tensor
from xaimri.adapters.options import Inputs, Preprocess
from xaimri.arrays import Array, Features, Images, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import FeatureMaps, Gradient, Outputs, Readout
from xaimri.doubts.alone import Identical
from xaimri.doubts.predict import predict_doubts
from xaimri.errors import InvalidInput, MissingCapability, shown
from xaimri.forked import Parcel
from xaimri.grid import Grid
from xaimri.images.intake import Resize
from xaimri.objective import Objective

HALF = 1024.0
"""Factor of the score whose gradient is taken in half precision."""


class KerasClassifier:
    """Any Keras classification network, however it was built; it is never changed or rebuilt.

    Parameters
    ----------
    model
        A Keras model, functional, Sequential or subclassed, nested or flat.
    classes
        Names in the order of the outputs; None names them ``class_0``, ``class_1``, ...
    preprocess
        Applied to each batch of raw images before the network, if the network doesn't do it itself,
        such as ``keras.applications.resnet50.preprocess_input``. It is given a copy. A function that
        works on TensorFlow tensors becomes part of the compiled function and of the gradient. A task of
        KerasHub has its own in ``task.preprocessor``.
    outputs
        ``"auto"``: the network's end decides. A softmax or sigmoid gives probabilities with their logits, a
        last linear layer of several units gives logits. ``"probabilities"`` or ``"logits"`` says what can't
        be found there.
    unit
        Which of several independent sigmoids to present as two classes.
    output
        Which of several outputs to explain, by name or index; None takes the only one that is a distribution
        over classes.
    inputs
        The inputs beside the image, for one image and without a batch axis: by name, such as
        ``{"age": 71.0}``, or as the network takes them, ``...`` where the image goes: ``[..., 71.0]``.
    engine
        As of :func:`xaimri.explain`. OpenVINO's logits are checked on the first batch.

    Notes
    -----
    The logits are the values before the network's softmax or sigmoid, found in the traced graph and
    checked against the network's own output in every batch. Where there is neither, they are ``log p``,
    clipped at 1e-7. What was decided stands in `findings`.

    Raises
    ------
    InvalidInput
        If several inputs or outputs leave open which is meant, or the number of names is wrong.
    """

    def __init__(
        self,
        model: Network,
        classes: Sequence[str] | None = None,
        preprocess: Preprocess | None = None,
        outputs: Outputs = "auto",
        unit: int | None = None,
        output: str | int | None = None,
        inputs: Inputs = None,
        engine: Engine = "auto",
    ) -> None:
        if not isinstance(engine, str) or engine not in get_args(Engine):
            raise InvalidInput(f"`engine` must be one of {get_args(Engine)}, got {shown(engine)}.")
        check_network(model)
        if preprocess is not None and not callable(preprocess):
            raise InvalidInput(
                f"`preprocess` must be a function of a batch of images, got {shown(preprocess)}."
            )
        self._model = model
        self._answers = Answers("network", outputs, unit)
        self._signature = signature_of(model, inputs, output)
        self._preparation = preparation_of(model, self._signature.image_shape)
        self._preprocess = choose(preprocess, self._preparation)
        self._classes = self._answers.first_names(self._signature.units, classes)
        self._scale = HALF if computes_in(model, "float16") else 1.0
        self._others = [tf.constant(other) for other in self._signature.others]
        self._verified: Program | None = None
        self._pure = False
        self._asked_engine: Engine = engine
        self._stand: Stand | None = None

    def __getstate__(self) -> dict[str, Any]:
        given = None if self._preparation is not None else self._preprocess
        # a compiled function stays where it was compiled, and what a task does first is read from it anew
        own = {"_model": Parcel(self._model), "_verified": None, "_preparation": None, "_preprocess": given}
        return {**self.__dict__, **own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _model=state["_model"].network)
        self._preparation = preparation_of(self._model, self._signature.image_shape)
        self._preprocess = choose(self._preprocess, self._preparation)

    @property
    def engine(self) -> str:
        """What runs the network here; see :meth:`accelerated`."""
        return "tensorflow"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the logits; none before the first call of an unbuilt network."""
        return self._classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; None where any size does, empty where the network isn't built yet."""
        own = self._signature.image_shape
        return own if self._preparation is None else self._preparation.shape(own)

    @property
    def resize(self) -> Resize | None:
        """How images are brought to that shape, where the network is a task of KerasHub that does it."""
        return None if self._preparation is None else self._preparation.resize

    @property
    def channels_first(self) -> bool:
        """Whether the network itself takes its channels before the other axes."""
        order = self._signature.order
        return order is not None and order.channels == 0

    @property
    def pure(self) -> bool:
        """Whether what was compiled last proves that an image's scores depend on that image alone."""
        return self._pure

    @property
    def shareable(self) -> bool:
        """Whether threads may ask at once: not of a copy in another's place, nor through a user's code."""
        return self._stand is None and (self._preprocess is None or self._preparation is not None)

    @property
    def stands_for(self) -> tuple[object, Hashable]:
        """The network as it is made now, and what is done before and after it."""
        made_of = identity_of(self._model).key
        return self._model, (made_of, Identical(self._preprocess), self._signature.key, self._answers)

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``; one forward pass."""
        (logits,), _ = self._run("logits", images, Objective())
        return logits

    def gradient(self, images: Images, objective: Objective, /) -> Gradient:
        """Return the derivative of the objective by every pixel; one forward and backward pass."""
        if not self._inside(images):
            raise MissingCapability(
                "`preprocess` doesn't work on TensorFlow tensors, so no gradient passes through it: "
                "write it with "
                "tensor operations, or put it into the network as a layer."
            )
        (logits, _, gradients), _ = self._scaled("gradient", images, objective)
        return Gradient(gradients, logits)

    def feature_maps(self, images: Images, objective: Objective, /, layer: str | None = None) -> FeatureMaps:
        """Return an inner layer's maps and the objective's derivative by them; about one forward pass."""
        if layer is not None and not isinstance(layer, str):
            raise InvalidInput(f"`layer` must be the name or path of a layer, got a {type(layer).__name__}.")
        (logits, maps, gradients), traced = self._scaled("maps", images, objective, layer)
        grid = self._settled(traced, images, layer) if traced.grid.disputed else traced.grid
        return FeatureMaps(
            maps, gradients, logits, grid, traced.layer, traced.why, traced.caveats, traced.finer
        )

    def features(self, images: Images, /) -> Features:
        """Return the input of the last dense layer, ``(batch, features)``; one forward pass.

        Where several layers' outputs are added up or stand side by side, their inputs stand side by side.
        """
        (_, values, _), _ = self._scaled("features", images, Objective())
        return values

    def readout(self, images: Images, /) -> Readout:
        """Return the last dense layer, with whatever scales its output; as many forward passes as classes.

        The weights are the derivative of each class's logit by the features of the first image, by which they
        are the same for every image, and the bias is what is left of that image's logits.
        """
        count = self.logits(images[:1]).shape[1]
        repeated = np.repeat(np.asarray(images[:1]), count, axis=0)
        (logits, values, slopes), _ = self._scaled("features", repeated, Objective(tuple(range(count))))
        weights = slopes.astype(np.float64).T
        return Readout(weights, logits[0].astype(np.float64) - values[0].astype(np.float64) @ weights)

    def doubts(self, images: Images, probabilities: Scores, /) -> tuple[tuple[Caveat, ...], ...]:
        """Say which images lie in another range than the network scales itself, and which saturate it.

        And whether a ``predict`` of the network's own says something else than what is explained.
        """
        traced = self._verified
        if traced is None:
            return ((),) * len(images)
        given = np.asarray(images, dtype=np.float32)
        outer, prepared = traced.outer, given
        if self._preprocess is not None and self._inside(given):
            prepared = np.asarray(self._preprocess(tf.constant(given)))
        elif self._preprocess is not None:
            outer, prepared = None, prepare_outside(self._preprocess, given)
        saturated = self._answers.doubts(probabilities, traced.activation)
        stated = self._answers.stated(probabilities[:1])[0]
        differs = self._predict_doubts((given[:1], prepared[:1]), stated)
        told = [range_doubts(*each, outer, traced.inner) for each in zip(given, prepared, strict=True)]
        trained = [()] * len(images) if self._stand is not None else self._stem_doubts(prepared)
        return tuple(
            (*(own or learned), *further, *differs)
            for own, learned, further in zip(told, trained, saturated, strict=True)
        )

    def _stem_doubts(self, prepared: Float[Array, "batch ..."]) -> list[tuple[Caveat, ...]]:
        """Ask the first batch norm whether it gets what it got in training."""

        def fill(images: Float[Array, "batch ..."]) -> Structure:
            return self._signature.fill(tf.constant(images), self._others)

        return stem_doubts(self._model, prepared, fill, self._signature.key)

    def _predict_doubts(
        self, first: Sequence[Float[Array, "1 ..."]], probabilities: Float[Array, " classes"]
    ) -> tuple[Caveat, ...]:
        """Ask a ``predict`` of the network's own about the first image, as it came and as it was prepared."""
        predict = None if self._stand is not None else own_predict(self._model)
        if predict is None:
            return ()
        given = [self._signature.fill(tf.constant(one), self._others) for one in first]
        output = self.findings.get("output", self._signature.output)
        return predict_doubts(self._model, predict, given, probabilities, output, self._answers.unit)

    @property
    def findings(self) -> dict[str, str]:
        """What was decided about the outputs, and which one was picked from several; empty before a call."""
        traced = self._verified
        if traced is None:
            return {}
        picked = {} if traced.output is None else {"output": traced.output}
        return {"outputs": self._answers.meaning(traced.activation), **picked}

    def with_inputs(self, inputs: Inputs) -> KerasClassifier:
        """Return the same classifier with other values of the inputs beside the image."""
        other = copy.copy(self)
        other._signature = signature_of(self._model, inputs, self._signature.output)
        other._others = [tf.constant(value) for value in other._signature.others]
        return other

    def tempered(self, temperature: float, /) -> KerasClassifier:
        """Return the same classifier with all logits divided by a number; the network stays as it is."""
        other = copy.copy(self)
        other._answers, other._verified = self._answers.tempered(temperature), None
        return other

    @property
    def layers(self) -> tuple[str, ...]:
        """Paths of the layers that have weights, from the output down to the image, as Keras lists them."""
        return layers_with_weights(self._model)

    def randomised(self, layers: Sequence[str], seed: int, /) -> KerasClassifier:
        """Return a classifier on which the entries of these layers' weights have changed places by chance.

        The network itself, which both share, keeps its weights; the copy runs in TensorFlow.
        """
        other = copy.copy(self)
        other._stand = shuffle(self._model, layers, seed) if layers else self._stand
        other._asked_engine = "tensorflow"
        return other

    def accelerated(self, images: int, shape: tuple[int, ...], /) -> KerasClassifier | OpenVINOClassifier:
        """Return the same classifier on the engine that suits so many images of ``(*space, channels)``."""
        return accelerate(self, self._asked_engine, images, shape)

    @property
    def _shadows(self) -> Shadows | None:
        return None if self._stand is None else self._stand.shadows

    @property
    def model(self) -> Network:
        """The network itself."""
        return self._model

    @property
    def others(self) -> list[Tensor]:
        """The inputs beside the image."""
        return self._others

    def prepare(self, images: Images) -> Float[Array, "batch *space features"]:
        """Return images as the compiled function takes them; preprocessing may have changed the channels."""
        batch = np.asarray(images, dtype=np.float32)
        self._check_shape(batch)
        if self._preprocess is not None and not self._inside(batch):
            batch = prepare_outside(self._preprocess, batch)
        return batch

    def trace(self, size: int, shape: tuple[int, ...]) -> Program:
        """Return the compiled function of the logits of so many images of ``(*space, channels)``."""
        inside = self._preprocess is None or traceable(self._preprocess, shape)
        if not inside and self.input_shape[-1:] in ((), (None,)):
            raise InvalidInput("`preprocess` works outside TensorFlow, and may change the channels")
        request = Request("logits", (size, *shape), self._answers)
        return program(
            self._model, self._signature, self._preprocess if inside else None, request, self._shadows
        )

    def checked(self, logits: Scores, stated: Float[Array, "images columns"], traced: Program) -> Scores:
        """Return the logits of a batch whose outputs are what they were taken for, or say what is wrong.

        Of images whose outputs are not finite they are NaN.
        """
        if self._verified is None:
            self._answers.check_finite(stated)
        self._answers.check(logits, stated, traced.activation)
        if self._verified is None:
            self._classes = self._answers.names(self._classes, logits.shape[1])
            self._verified = traced
        logits[~np.isfinite(stated).all(axis=1)] = np.nan
        return logits

    def _settled(self, traced: Program, images: Images, layer: str | None) -> Grid:
        """Return where the cells lie by what each branch carries; in a randomised copy, as in the network."""
        shape, inside = self.prepare(images[:1]).shape[1:], self._inside(np.asarray(images))
        request = Request("places", (len(PEAKS), *shape), self._answers, layer=layer)
        compiled = program(self._model, self._signature, self._preprocess if inside else None, request)
        return settled(compiled, self._model, self._others, traced.grid)

    def _inside(self, images: Images) -> bool:
        """Tell whether the preprocessing becomes part of the compiled function."""
        return self._preprocess is None or traceable(self._preprocess, images.shape[1:])

    def _scaled(
        self, purpose: Purpose, images: Images, objective: Objective, layer: str | None = None
    ) -> tuple[tuple[Array, ...], Program]:
        """Run for a gradient; images for which half precision overflows once more, the score not scaled."""
        found, traced = self._run(purpose, images, objective, layer, self._scale)
        bad = ~np.isfinite(found[-1]).reshape(len(images), -1).all(axis=1)
        if self._scale != 1 and bad.any():
            again, _ = self._run(purpose, images[bad], objective.take(np.flatnonzero(bad).tolist()), layer)
            found[-1][bad] = again[-1]
        return found, traced

    def _run(
        self,
        purpose: Purpose,
        images: Images,
        objective: Objective,
        layer: str | None = None,
        scale: float = 1.0,
    ) -> tuple[tuple[Array, ...], Program]:
        """Run the images through a compiled function in padded batches; logits first, then what it is for."""
        batch = self.prepare(images)
        inside = self._inside(np.asarray(images))
        wanted = _columns(objective, len(batch))
        size = batch_size(len(batch), purpose, batch.shape[1:])
        asked = _asked(purpose, objective, layer, scale)
        request = Request(purpose, (size, *batch.shape[1:]), self._answers, *asked)
        before = self._preprocess if inside else None
        compiled = program(self._model, self._signature, before, request, self._shadows)
        parts = []
        for first in range(0, len(batch), size):
            part, chosen = batch[first : first + size], wanted[first : first + size]
            given = (tf.constant(pad(x, size)) for x in (part, chosen))
            with showing(self._stand):
                results = run(compiled, given, self._others)
            check_count(results[1], size)
            parts.append(tuple(np.asarray(r)[: len(part)] for r in results))  # copied below, once
        logits, outputs, *rest = (np.concatenate(column) for column in zip(*parts, strict=True))
        logits = self.checked(logits, outputs, compiled)
        self._pure = compiled.pure and inside
        objective.resolve(logits)  # no class is held against itself
        return (logits, *rest), compiled

    def _check_shape(self, batch: Images) -> None:
        wanted = self.input_shape
        fits = len(wanted) == batch.ndim - 1 and all(
            w is None or w == n for w, n in zip(wanted, batch.shape[1:], strict=True)
        )
        if wanted and not fits:
            raise InvalidInput(
                f"the network takes images of shape {wanted}, and these have {batch.shape[1:]}: "
                "use xaimri.explain, which fits them, or resize them first."
            )


def _columns(objective: Objective, count: int) -> Int[Array, "batch 2"]:
    """Return what is asked of every image as a compiled function takes it."""
    objective.check(count)
    found = np.full((count, 2), -1, np.int32)
    for column, classes in enumerate((objective.targets, objective.against)):
        if classes is not None:
            found[:, column] = classes
    return found


def _asked(purpose: Purpose, objective: Objective, layer: str | None, scale: float) -> tuple[Any, ...]:
    """Leave out of the request what its purpose does not use, so that equal functions are one."""
    return () if purpose == "logits" else (objective.of, layer, scale)
