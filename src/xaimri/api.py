"""The one call: turn what the user has into the three nouns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from xaimri.adapters import as_classifier, is_saved_model
from xaimri.adapters.keras.engine import Engine
from xaimri.classifier import Classifier, Outputs, Sized
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer, Target, each_target, is_listed
from xaimri.explainers import build, settings_of
from xaimri.explaining import explain_folder, explain_taken, parts
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.grid import Fit
from xaimri.images.intake import Intake
from xaimri.images.read import Layout
from xaimri.images.window import Window, as_window
from xaimri.objective import Of
from xaimri.perturb.progress import Watcher, watched

if TYPE_CHECKING:
    from xaimri.render import Comparison


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
    unit: int | None = ...,
    output: str | int | None = ...,
    inputs: Any = ...,
    engine: Engine = ...,
    fit: Fit | None = ...,
    window: Window | tuple[float, float] | None = ...,
    layout: Layout | None = ...,
    progress: bool | Watcher = ...,
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
    unit: int | None = ...,
    output: str | int | None = ...,
    inputs: Any = ...,
    engine: Engine = ...,
    fit: Fit | None = ...,
    window: Window | tuple[float, float] | None = ...,
    layout: Layout | None = ...,
    progress: bool | Watcher = ...,
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
    unit: int | None = None,
    output: str | int | None = None,
    inputs: Any = None,
    engine: Engine = "auto",
    fit: Fit | None = None,
    window: Window | tuple[float, float] | None = None,
    layout: Layout | None = None,
    progress: bool | Watcher = False,
    **settings: Any,
) -> Explanation | list[Explanation] | Explanations:
    """Explain why a model scores an image as it does.

    Parameters
    ----------
    model
        A Keras model however built, the path of a saved one (``.keras``, ``.h5``, a SavedModel) or of a
        folder that ``xaimri.training.save`` wrote, a function of a batch of images, or any
        :class:`~xaimri.classifier.Classifier`.
    image
        A path, the bytes of a file, a PIL image or an array, grey or colour, of any size; a list of them
        gives a list. Pixel values are given to the model as they are, unless there is a window. A folder
        gives :class:`~xaimri.explanations.Explanations`: one for each image in it that can be read, and
        a sentence in ``failures`` for each that can't.
    method
        A name of ``xaimri.EXPLAINERS`` with its settings beside it, or an
        :class:`~xaimri.explainer.Explainer`.
    target
        The class to explain, by name or index; None takes the predicted one. A list of classes for one image
        gives a list of explanations, from the same predictions where the method is one of perturbation.
    of
        ``"logit"``, ``"log_odds"`` or ``"probability"``; None takes the method's default (the logit;
        for LIME the probability).
    classes
        Names of the classes; ``class_0``, ... by default.
    preprocess
        What must be done to a batch before the model, if the model doesn't do it itself.
    outputs
        What the model gives: ``"probabilities"`` or ``"logits"``.
    unit
        Which of several independent sigmoids to present as two classes.
    output
        Which of several outputs to explain, by name or index.
    inputs
        The inputs beside the image, for one image and without a batch axis: by name, such as
        ``{"age": 71.0}``, or as the network takes them, ``...`` where the image goes: ``[..., 71.0]``. For a
        list of images, a list of such mappings.
    engine
        What runs a Keras network where a method needs many predictions: ``"tensorflow"``, ``"openvino"``
        (extra ``openvino``), or ``"auto"``: OpenVINO where it is installed and pays off.
    fit
        How an image of another shape is brought to the model's input: ``"stretch"`` (the default) or
        ``"pad"``, which keeps the proportions; None takes a stored bundle's own.
    window
        Stored intensities to spread over 0..255, such as ``(0, 4000)``, or a :class:`~xaimri.Window`, which
        can also go by percentiles. The limits are kept in ``explanation.diagnostics["window"]``.
    layout
        ``"channels_first"`` for arrays that have their channels first.
    progress
        ``True`` shows a bar of the perturbed images that were predicted; or a function of ``(done, total)``,
        called after each batch, that returns ``False`` to cancel.
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
    Cancelled
        If ``progress`` returned ``False``.

    Notes
    -----
    Cost: a class activation map about one forward pass, a gradient method one gradient pass or as many as
    it averages, LIME ``samples`` forward passes; each method's page tells.

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
    _unambiguous(window, method)
    options: dict[str, Any] = {
        "classes": classes,
        "preprocess": preprocess,
        "outputs": outputs,
        "unit": unit,
        "output": output,
        "engine": engine,
        "fit": fit,
    }
    several = isinstance(image, list | tuple)
    sources = list(image) if several else [image]
    if not several and is_listed(target) and not _is_folder(image):
        if not len(target):
            raise InvalidInput("the list of targets is empty: give at least one class, or None.")
        sources, several = sources * len(target), True
    if not sources:
        raise InvalidInput("the list of images is empty: give at least one image.")
    each = _each_inputs(inputs, len(sources)) if isinstance(image, list | tuple) else None
    classifier, chosen = opened(model, inputs=each[0] if each else inputs, **options)
    intake = _intake(classifier, chosen, window, layout)
    with watched(progress):
        if _is_folder(image):
            return explain_folder(classifier, explainer, Path(image), target, of, intake)
        targets = each_target(target, len(sources))
        found: list[Explanation] = []
        for part in [slice(i, i + 1) for i in range(len(sources))] if each else parts(len(sources)):
            own = cast(Any, classifier).with_inputs(each[part.start]) if each else classifier
            taken = [intake.take(source) for source in sources[part]]
            found += explain_taken(own, explainer, taken, targets[part], of)
    return found if several else found[0]


def _unambiguous(window: Any, method: str | Explainer[Any]) -> None:
    """Refuse a window that could be one of intensities, or the method's own."""
    if window is None or isinstance(window, Window) or not isinstance(method, str):
        return
    if "window" in settings_of(method):
        raise InvalidInput(
            f"`window` beside {method!r} could be one of intensities, or the method's own: write "
            f"xaimri.{type(build(method)).__name__}(window={window!r}) for its own, or window="
            "xaimri.Window(low, high) for intensities."
        )


def _is_folder(image: Any) -> bool:
    return isinstance(image, str | Path) and os.path.isdir(image)  # noqa: PTH112 - a name may be too long


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
    unit: int | None = None,
    output: str | int | None = None,
    inputs: Any = None,
    engine: Engine = "auto",
    fit: Fit | None = None,
    window: Window | tuple[float, float] | None = None,
    layout: Layout | None = None,
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

    listed = list(methods) if isinstance(methods, Iterable) and not isinstance(methods, str) else []
    if not listed:
        raise InvalidInput('`methods` must be a list of methods, such as ["gradcam", "lime"].')
    explainers = [build(method) for method in listed]
    options: dict[str, Any] = {
        "classes": classes,
        "preprocess": preprocess,
        "outputs": outputs,
        "unit": unit,
        "output": output,
        "engine": engine,
        "fit": fit,
    }
    classifier, chosen = opened(model, inputs=inputs, **options)
    taken = [_intake(classifier, chosen, window, layout).take(image)]
    return Comparison(explain_taken(classifier, e, taken, [target], of)[0] for e in explainers)


def opened(model: Any, *, fit: Fit | None = None, **options: Any) -> tuple[Classifier, Fit]:
    """Turn whatever :func:`explain` takes as a model into a classifier, and say how images are fitted to it.

    ``options`` are those of :func:`explain` that belong to the model. Do this once, and pass both on, where
    many images are explained one by one by a saved network.
    """
    if isinstance(model, str | Path) and Path(model).is_dir() and not is_saved_model(model):
        from xaimri.adapters.keras.bundle import load

        bundle = load(Path(model))
        model, fit = bundle.model, fit or bundle.fit
        options["classes"] = options.get("classes") or bundle.classes
    return as_classifier(model, **options), fit or "stretch"


def _each_inputs(inputs: Any, count: int) -> list[Any] | None:
    """Return the other inputs of every image, where they are given one by one."""
    if not isinstance(inputs, list) or not all(isinstance(one, Mapping) for one in inputs):
        return None
    if len(inputs) != count:
        raise InvalidInput(f"{len(inputs)} `inputs` were given for {count} images: give one each.")
    return inputs


def _intake(
    classifier: Classifier, fit: Fit, window: Window | tuple[float, float] | None, layout: Layout | None
) -> Intake:
    """Say how images are brought to a classifier."""
    shape = classifier.input_shape if isinstance(classifier, Sized) else ()
    return Intake(tuple(shape), fit, None if window is None else as_window(window), layout)
