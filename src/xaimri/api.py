"""The one call: turn what the user has into the three nouns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from jaxtyping import Float

from xaimri.adapters import as_classifier
from xaimri.arrays import Array, Image
from xaimri.classifier import Classifier, Of, Outputs, Sized
from xaimri.data.images import read
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer, Target, each_target
from xaimri.explainers import build
from xaimri.explanation import Explanation
from xaimri.grid import Fit, Grid

if TYPE_CHECKING:
    from xaimri.render import Comparison

CHUNK = 32
"""Images explained at once, at most."""


@overload
def explain(
    model: Any,
    image: list[Any] | tuple[Any, ...],
    method: str | Explainer[Any] = ...,
    *,
    target: Target | Sequence[Target] = ...,
    of: Of | None = ...,
    classes: Sequence[str] | None = ...,
    preprocess: Callable[[Any], Any] | None = ...,
    outputs: Outputs = ...,
    fit: Fit | None = ...,
    **settings: Any,
) -> list[Explanation]: ...
@overload
def explain(
    model: Any,
    image: Any,
    method: str | Explainer[Any] = ...,
    *,
    target: Target = ...,
    of: Of | None = ...,
    classes: Sequence[str] | None = ...,
    preprocess: Callable[[Any], Any] | None = ...,
    outputs: Outputs = ...,
    fit: Fit | None = ...,
    **settings: Any,
) -> Explanation: ...
def explain(
    model: Any,
    image: Any,
    method: str | Explainer[Any] = "gradcam",
    *,
    target: Target | Sequence[Target] = None,
    of: Of | None = None,
    classes: Sequence[str] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    outputs: Outputs = "probabilities",
    fit: Fit | None = None,
    **settings: Any,
) -> Explanation | list[Explanation]:
    """Explain why a model scores an image as it does.

    Parameters
    ----------
    model
        A Keras model however built, the path of a saved one (``.keras``, ``.h5``) or of a folder that
        ``xaimri.training.save`` wrote, a function of a batch of images, or any
        :class:`~xaimri.classifier.Classifier`.
    image
        A path, PIL image or array, grey or colour, of any size; a list of them gives a list. Pixel
        values are given to the model as they are.
    method
        A name of ``xaimri.EXPLAINERS`` with its settings beside it, or an
        :class:`~xaimri.explainer.Explainer`.
    target
        The class to explain, by name or index; None takes the predicted one.
    of
        ``"logit"``, ``"log_odds"`` or ``"probability"``; None takes the method's default (the logit;
        for LIME the probability).
    classes
        Names of the classes; ``class_0``, ... by default.
    preprocess
        What must be done to a batch before the model, if the model doesn't do it itself.
    outputs
        What the model gives: ``"probabilities"`` or ``"logits"``.
    fit
        How an image of another shape is brought to the model's input: ``"stretch"`` (the default) or
        ``"pad"``, which keeps the proportions; None takes a stored bundle's own.
    **settings
        Settings of the named method, such as ``layer=`` or ``samples=``.

    Returns
    -------
    Explanation or list of Explanation
        The map lies on the grid of the image as it was given.

    Raises
    ------
    InvalidInput
        If the image, model, class, method or a setting can't be used; the sentence says what to do.
    MissingCapability
        If the model can't do what the method needs.

    Notes
    -----
    Cost: Grad-CAM about one forward pass, LIME ``samples`` forward passes.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = xaimri.LinearClassifier.random((16, 16, 1), classes=3, seed=0, patch=4)
    >>> scan = np.random.default_rng(0).integers(0, 255, (30, 20), dtype=np.uint8)
    >>> explanation = xaimri.explain(model, scan, target="class_1")
    >>> explanation.values.shape
    (30, 20)
    """
    explainer = build(method, settings)
    classifier, fit = opened(model, classes=classes, preprocess=preprocess, outputs=outputs, fit=fit)
    several = isinstance(image, list | tuple)
    sources = list(image) if several else [image]
    if not sources:
        raise InvalidInput("the list of images is empty: give at least one image.")
    targets = each_target(target, len(sources))
    found: list[Explanation] = []
    for first in range(0, len(sources), CHUNK):
        part = slice(first, first + CHUNK)
        found += _explained(classifier, explainer, sources[part], targets[part], of, fit)
    return found if several else found[0]


def compare(
    model: Any,
    image: Any,
    methods: Iterable[str | Explainer[Any]] = ("gradcam", "lime"),
    *,
    target: Target = None,
    of: Of | None = None,
    classes: Sequence[str] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    outputs: Outputs = "probabilities",
    fit: Fit | None = None,
) -> Comparison:
    """Explain one image by several methods; the result draws itself.

    Parameters are those of :func:`explain`; to give a method settings, pass an explainer such as
    ``LIME(samples=300)`` in place of its name.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = xaimri.LinearClassifier.random((16, 16, 1), classes=3, seed=0, patch=4)
    >>> scan = np.random.default_rng(0).random((16, 16))
    >>> comparison = xaimri.compare(model, scan, ["gradcam", xaimri.LIME(samples=50)])
    >>> [explanation.method["name"] for explanation in comparison]
    ['gradcam', 'lime']
    """
    from xaimri.render import Comparison

    listed = list(methods)
    if isinstance(methods, str) or not listed:
        raise InvalidInput('`methods` must be a list of methods, such as ["gradcam", "lime"].')
    explainers = [build(method) for method in listed]
    classifier, chosen = opened(model, classes=classes, preprocess=preprocess, outputs=outputs, fit=fit)
    return Comparison(_explained(classifier, e, [image], [target], of, chosen)[0] for e in explainers)


def opened(
    model: Any,
    *,
    classes: Sequence[str] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    outputs: Outputs = "probabilities",
    fit: Fit | None = None,
) -> tuple[Classifier, Fit]:
    """Turn whatever :func:`explain` takes as a model into a classifier, and say how images are fitted to it.

    Do this once, and pass both on, where many images are explained one by one by a saved network.
    """
    if isinstance(model, str | Path) and Path(model).is_dir():
        from xaimri.training.bundle import load

        bundle = load(Path(model))
        model, classes, fit = bundle.model, bundle.classes if classes is None else classes, fit or bundle.fit
    classifier = as_classifier(model, classes=classes, preprocess=preprocess, outputs=outputs)
    return classifier, fit or "stretch"


def _explained(
    classifier: Classifier,
    explainer: Explainer[Any],
    sources: Sequence[Any],
    targets: Sequence[Target],
    of: Of | None,
    fit: Fit,
) -> list[Explanation]:
    """Fit images to the model, explain them together where their shapes allow, and carry the maps back."""
    shape = classifier.input_shape if isinstance(classifier, Sized) else ()
    if shape and len(shape) not in (3, 4):
        raise InvalidInput(
            f"the network's input {shape} is no image: pass a function of images (batch, *space, channels) "
            "that brings them into that form and calls it."
        )
    images = [read(source, _rank(source, shape), shape[-1] if shape else None) for source in sources]
    grids = [Grid.fitted(image.shape[:-1], _space(image, shape), fit) for image in images]
    fitted = [_fitted(image, grid) for image, grid in zip(images, grids, strict=True)]
    together = len({x.shape for x in fitted}) == 1
    batches = [list(range(len(fitted)))] if together else [[i] for i in range(len(fitted))]
    found: list[Explanation] = []
    for rows in batches:
        batch = np.stack([fitted[i] for i in rows])
        found += explainer.explain(classifier, batch, [targets[i] for i in rows], of=of)
    return [e.carried(grid, image) for e, grid, image in zip(found, grids, images, strict=True)]


def _fitted(image: Image, grid: Grid) -> Float[Array, ...]:
    """Bring an image to the model's grid, channel by channel."""
    channels = grid.sample(np.moveaxis(image, -1, 0))
    return np.ascontiguousarray(np.moveaxis(channels, 0, -1))


def _rank(source: Any, shape: tuple[int | None, ...]) -> int:
    """Return how many spatial axes the model's input has; where it doesn't say, what the array suggests."""
    if shape:
        return len(shape) - 1
    if isinstance(source, np.ndarray) and source.ndim > 2:
        return source.ndim - 1 if source.shape[-1] in (1, 3, 4) else source.ndim
    return 2


def _space(image: Image, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    own = image.shape[:-1]
    if not shape:
        return own
    return tuple(n if wanted is None else wanted for wanted, n in zip(shape[:-1], own, strict=False))
