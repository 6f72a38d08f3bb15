"""The calls of the README: a few lines each over an open model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.data.case import Case
from xaimri.data.epoch import Loader
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.judgement import Judgement
from xaimri.kinds import Anything
from xaimri.methods import Method, Methods, check_one_method, held_methods, listed_methods
from xaimri.model import Model
from xaimri.objective import Of
from xaimri.options import open_with
from xaimri.perturb.progress import Watcher
from xaimri.questions import each_inputs
from xaimri.sources import Source, Sources
from xaimri.targets import Target

if TYPE_CHECKING:
    from xaimri.judging.judge import Aim, Metrics
    from xaimri.render import Comparison


@check_arguments(method=Anything(), target=Anything(), against=Anything(), progress=Anything())
def explain(
    model: ModelLike,
    image: Source,
    method: Method = "gradcam",
    *,
    target: Target = None,
    of: Of | None = None,
    against: Target = None,
    progress: bool | Watcher = False,
    **options: Any,
) -> Explanation:
    """Explain why a model scores one image as it does, for one class.

    Parameters
    ----------
    model
        Whatever :func:`xaimri.open_model` opens: a Keras model however built, the path of a saved one, a
        bundle's folder, a function of a batch of images, a classifier; or a :class:`~xaimri.Model` that is
        open.
    image
        A path, the bytes of a file, a PIL image or an array (a nested list of numbers is one), grey or
        colour, of any size; with the extra ``neuro`` a scan: a NIfTI or DICOM file, a folder or list of DICOM
        slices as one volume, an image of nibabel, a data set of pydicom.
        Pixel values are given to the model as they are, unless there is a window.
    method
        A name of ``xaimri.EXPLAINERS`` with its settings beside it, or an
        :class:`~xaimri.explainer.Explainer`.
    target
        The class to explain, by name or index; None takes the predicted one.
    of
        ``"logit"``, ``"log_odds"`` or ``"probability"``; None takes the method's default (the logit; for LIME
        the probability).
    against
        Another class, by name or index: explained is by how much the target's logit exceeds its logit, which
        is the logarithm of the ratio of the two probabilities, by every method.
    progress
        ``True`` shows a bar of the perturbed images that were predicted; or a function of ``(done, total)``,
        called after each batch, that returns ``False`` to cancel.
    **options
        Those of the model, as :func:`xaimri.open_model` lists them, such as ``classes=`` or ``window=``; and
        the settings of the named method, such as ``layer=`` or ``samples=``.

    Returns
    -------
    Explanation
        The map lies on the grid of the image as it was given.

    Raises
    ------
    InvalidInput
        If an argument can't be used; the sentence says what to do. Many images, or classes, are for
        :func:`xaimri.explain_all`.
    UnusableImage
        If the image can't be read or explained.
    MissingCapability
        If the model can't do what the method needs.
    Cancelled
        If ``progress`` returned ``False``.

    Notes
    -----
    Cost: a class activation map about one forward pass, a gradient method one gradient pass or as many as it
    averages, LIME ``samples`` forward passes; each method's page tells.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = xaimri.LinearClassifier.random((16, 16, 1), classes=3, seed=0, patch=4)
    >>> scan = np.random.default_rng(0).integers(0, 255, (30, 20), dtype=np.uint8)
    >>> explanation = xaimri.explain(model, scan, target="class_1")
    >>> explanation.values.shape
    (30, 20)
    >>> xaimri.explain(model, scan, "saliency", target="class_1", against="class_0").question
    'class_1 against class_0'
    """
    opened, settings = open_with(model, options, check_one_method(method))
    return opened.explain(image, method, target=target, of=of, against=against, progress=progress, **settings)


@check_arguments(method=Anything(), target=Anything(), against=Anything(), progress=Anything())
def explain_all(
    model: ModelLike,
    images: Sources,
    method: Method = "gradcam",
    *,
    target: Target | Sequence[Target] = None,
    of: Of | None = None,
    against: Target | Sequence[Target] = None,
    inputs: object = None,
    progress: bool | Watcher = False,
    **options: Any,
) -> Explanations:
    """Explain many images, or one image for several classes.

    Parameters
    ----------
    model, method, of, progress, **options
        As of :func:`xaimri.explain`.
    images
        A folder, a list, a mapping by name, a data set, a generator, an array with a batch axis, a loader of
        Keras or ``tf.data`` (one epoch, as it gives its images), or one image.
    target
        A class for all, or one for each image; of one image, as many as are to be explained, from the same
        predictions where the method is one of perturbation.
    against
        The class that each target is held against, as of :func:`xaimri.explain`: one for all, or one for each
        image or target. An image that is predicted to be of it, where no target is given, is a failure.
    inputs
        The network's other inputs: for all images, as of :func:`xaimri.open_model`, or a list of mappings,
        one for each image.

    Returns
    -------
    Explanations
        A sequence of those that could be explained. ``failures`` holds a :class:`~xaimri.Failure` for each
        image that could not be read or explained, by name: its path relative to the folder, a case's id, else
        its position.

    Raises
    ------
    InvalidInput, MissingCapability, MissingExtra
        If anything but an image is at fault; before the first image is read, where that can be known.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = xaimri.LinearClassifier.random((16, 16, 1), classes=3, seed=0, patch=4)
    >>> found = xaimri.explain_all(model, [np.ones((16, 16)), "missing.png"])
    >>> len(found), list(found.failures)
    (1, ['1'])
    """
    own = each_inputs(inputs)
    first = own[0] if own else inputs
    given = {} if first is None or own == [] or isinstance(model, Model) else {"inputs": first}
    opened, settings = open_with(model, {**options, **given}, check_one_method(method))
    each = inputs if own is not None or isinstance(model, Model) else None
    return opened.explain_all(
        images, method, target=target, of=of, against=against, inputs=each, progress=progress, **settings
    )


@check_arguments(methods=Anything(), target=Anything(), against=Anything(), progress=Anything())
def compare(
    model: ModelLike,
    image: Source,
    methods: Methods = ("gradcam", "lime"),
    *,
    target: Target = None,
    of: Of | None = None,
    against: Target = None,
    progress: bool | Watcher = False,
    **options: Any,
) -> Comparison:
    """Explain one image by several methods; the result draws itself.

    Parameters are those of :func:`explain`; a setting goes to each method by name that has it. To give one
    method its own, pass an explainer such as ``LIME(samples=300)`` in place of its name.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = xaimri.LinearClassifier.random((16, 16, 1), classes=3, seed=0, patch=4)
    >>> scan = np.random.default_rng(0).random((16, 16))
    >>> comparison = xaimri.compare(model, scan, ["gradcam", xaimri.LIME(samples=50)])
    >>> [explanation.method["name"] for explanation in comparison]
    ['gradcam', 'lime']
    """
    listed = listed_methods(methods)
    opened, settings = open_with(model, options, listed)
    return opened.compare(image, listed, target=target, of=of, against=against, progress=progress, **settings)


@check_arguments(
    methods=Anything(), cases=Anything(), target=Anything(), against=Anything(), progress=Anything()
)
def evaluate_explanations(
    methods: Methods,
    model: ModelLike,
    cases: Iterable[Case] | Loader,
    metrics: Metrics = ("deletion", "insertion"),
    *,
    target: Aim = "predicted",
    of: Of | None = None,
    against: Target = None,
    independent: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    progress: bool | Watcher = False,
    **options: Any,
) -> Judgement:
    """Judge methods: explain every case by each of them, and measure every map.

    Parameters
    ----------
    methods
        Names or explainers; in a mapping under names of your own, which two settings of one method need.
    model
        Whatever :func:`xaimri.open_model` opens, or an open :class:`~xaimri.Model`.
    cases
        Images with their subjects, such as a part of a split; ``mask`` is the region that metrics of
        localisation ask for. A loader of Keras or ``tf.data`` is read as by :func:`xaimri.data.read_loader`.
    metrics
        Names of ``xaimri.judging.METRICS``; its functions with settings bound, such as
        ``partial(metrics.deletion, absent=0.0)``; or a :class:`~xaimri.judging.Metric`.
    target
        ``"predicted"``, or ``"label"``: the case's own class, by name where the cases are a data set whose
        classes the classifier has.
    of
        The score that every method explains, as of :func:`xaimri.explain`; None takes each method's own.
    against
        A class that every target is held against, as of :func:`xaimri.explain`; metrics follow the same
        difference. A case of that very class is a row with a ``failure``.
    independent
        True states that every case without a subject is of a person of its own.
    confidence, resamples, seed
        Of the intervals, over subjects.
    progress
        As of :func:`xaimri.explain`: perturbed images that were predicted, over all cases.
    **options
        Those of the model, as :func:`xaimri.open_model` lists them, and settings, each of which goes to the
        methods by name that have it. Everything is done on the model's grid: the mask is brought there as the
        image is, and the object, such as the brain, is found there.

    Returns
    -------
    Judgement
        One row per explainer, metric and case. An image that can't be read, and a map that can't
        be made or measured, is a row with a ``failure``; nothing is dropped.

    Raises
    ------
    InvalidInput
        If names are used twice, subjects are missing, or no case has what a metric needs.
    MissingCapability
        If the model can't do what a method needs.
    Cancelled
        If ``progress`` returned ``False``.

    Notes
    -----
    Costs every explainer once per case, and every metric what its docstring says. The maps that several
    explainers make of one image are measured together, which shares what they have in common.

    Examples
    --------
    >>> import xaimri
    >>> from xaimri.data import phantom
    >>> cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    >>> model = xaimri.LinearClassifier.random((26, 22, 1), classes=4, seed=0)
    >>> methods = ["saliency", "input_x_gradient"]
    >>> found = xaimri.evaluate_explanations(methods, model, cases, ["relevance_mass"])
    >>> len(found.rows), len(found.summary), found.rows[0].failure is None
    (12, 2, True)
    """
    from xaimri.judging.judge import judge

    held = held_methods(methods)
    opened, settings = open_with(model, options, held)
    return judge(
        opened, held, cases, metrics, target=target, of=of, against=against, independent=independent,
        confidence=confidence, resamples=resamples, seed=seed, progress=progress, **settings,
    )  # fmt: skip
