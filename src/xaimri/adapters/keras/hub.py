"""Tasks of KerasHub: what they do to images in ``predict`` before their network sees them, as part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike, fspath
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import tensorflow as tf

from xaimri.adapters.keras.resize import KerasResize
from xaimri.adapters.keras.tensors import Layer, Network
from xaimri.adapters.options import Preprocess
from xaimri.errors import InvalidInput, MissingCapability, MissingExtra, first_line
from xaimri.forked import check_process


@dataclass(frozen=True, eq=False)
class Preparation:
    """What a task does to a batch of images first; called on one, it does what is left when it was resized.

    Attributes
    ----------
    apply
        Takes images, and returns them as the network is given them.
    resize
        How images are brought to their size before, where that can be read.
    any_size
        Whether ``apply`` does that too, in a way that can't be read: images are given as they are.
    """

    apply: Callable[[Any], Any]
    resize: KerasResize | None = None
    any_size: bool = False

    def __call__(self, images: Any) -> Any:
        """Return the images as the network is given them."""
        return self.apply(images)

    def shape(self, own: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of image that is taken, where the network alone takes ``own``."""
        if self.resize is not None:
            return (*self.resize.size, *own[2:])
        return (None, None, *own[2:]) if self.any_size else own


_kept: WeakKeyDictionary[Network, tuple[object, str, Preparation]] = WeakKeyDictionary()
"""The last preparation of each task, behind the preprocessor and its settings: so it is traced once."""

_lock = Lock()


def preparation_of(model: Network, own: tuple[int | None, ...]) -> Preparation | None:
    """Return what a task does to images in ``predict``; None of any other network, which does nothing then.

    Parameters
    ----------
    model
        Any network.
    own
        ``(*space, channels)`` that it takes when it is called.

    Raises
    ------
    InvalidInput
        If its preprocessor makes images of another size than the network takes.
    """
    if not callable(getattr(model, "preprocess_samples", None)):
        return None
    preprocessor = getattr(model, "preprocessor", None)
    plain = _defines(model, "preprocess_samples") in {"Task", "PipelineModel"}
    if plain and (preprocessor is None or (_is_stock(preprocessor) and preprocessor.image_converter is None)):
        return None
    converter = _converter(preprocessor) if plain else None
    settings = "" if converter is None else repr(_settings(converter))
    with _lock:
        known = _kept.get(model)
        if known is None or known[0] is not preprocessor or known[1] != settings:
            found = _of_samples(model, own) if converter is None else _of_converter(converter, own)
            known = _kept[model] = preprocessor, settings, found
        return known[2]


def load_task(path: str | PathLike[str]) -> Network:
    """Read a classifier from a folder that ``task.save_to_preset`` wrote.

    Raises
    ------
    MissingExtra
        If KerasHub is not installed.
    InvalidInput
        If it holds no classifier of images, or one that can't be read.
    """
    try:
        import keras_hub
    except ImportError:
        raise MissingExtra("keras-hub", "keras-hub", "a preset of KerasHub") from None
    check_process()
    try:
        return keras_hub.models.ImageClassifier.from_preset(fspath(path))
    except Exception as failure:
        raise InvalidInput(
            f"the preset `{fspath(path)}` can't be read as a keras_hub.models.ImageClassifier "
            f"({first_line(failure)}): load it yourself by `from_preset`, and pass the task."
        ) from failure


def choose(given: Preprocess | None, own: Preparation | None) -> Preprocess | None:
    """Return what is done to a batch before the network: as given, or as a task does it itself; not both."""
    if given is not None and own is not None:
        raise InvalidInput(
            "the task prepares images itself, as its `predict` does: leave `preprocess` out, or set "
            "task.preprocessor = None to prepare them by a function of your own."
        )
    return own or given


def _of_converter(converter: Layer, own: tuple[int | None, ...]) -> Preparation:
    """Part what a converter does: resizing, when an image is taken, and the rest, before the network."""
    if converter.data_format == "channels_first":
        raise MissingCapability(
            "the task's preprocessor puts channels first, and images come with their channels last: "
            "pass a function of the images that transposes them and calls `task.predict`."
        )
    rest = type(converter).from_config({**converter.get_config(), "image_size": None})
    if converter.image_size is None:
        return Preparation(rest)
    resize = KerasResize.of_layer(converter.resizing)
    if any(n is not None and n != m for n, m in zip(own[:2], resize.size, strict=False)):
        raise InvalidInput(
            f"the task's preprocessor makes images of {resize.size}, and its network takes {own[:2]}, so "
            f"that its `predict` fails: set task.preprocessor.image_converter.image_size = {own[:2]}."
        )
    return Preparation(rest, resize)


def _of_samples(model: Network, own: tuple[int | None, ...]) -> Preparation:
    """Take what the task does to samples as a whole; the network is not kept alive by it."""
    task = ref(model)

    def prepare(images: Any) -> Any:
        held: Any = task()  # whoever calls this holds it
        return keras.utils.unpack_x_y_sample_weight(held.preprocess_samples(images))[0]

    return Preparation(prepare, any_size=_resizes(prepare, own))


def _resizes(prepare: Callable[[Any], Any], own: tuple[int | None, ...]) -> bool:
    """Tell whether images of any size come out in one: of tensors, as a graph's shapes tell."""
    if len(own) != 3:
        return False
    try:
        traced = tf.function(prepare, autograph=False)
        made = traced.get_concrete_function(tf.TensorSpec((1, None, None, own[-1]), tf.float32))
        sizes: list[int | None] = made.structured_outputs.shape.as_list()[1:3]
    except Exception:  # it works on arrays alone, or on images of one size
        return False
    return None not in sizes


def _converter(preprocessor: object) -> Layer | None:
    """Return the layer that resizes and scales, where a preprocessor does no more than call it."""
    converter = getattr(preprocessor, "image_converter", None)
    stock = _is_stock(preprocessor) and _defines(converter, "call") == "ImageConverter"
    return converter if stock and _defines(converter, "_call_python") == "ImageConverter" else None


def _is_stock(preprocessor: object) -> bool:
    return _defines(preprocessor, "call") == "ImageClassifierPreprocessor"


def _settings(converter: Layer) -> dict[str, Any]:
    resizing = converter.resizing
    return {**converter.get_config(), "fill": resizing.fill_value, "layout": converter.data_format}


def _defines(thing: object, name: str) -> str:
    """Return the name of the class that defines a method of an object; empty where none does."""
    return next((base.__name__ for base in type(thing).__mro__ if name in vars(base)), "")
