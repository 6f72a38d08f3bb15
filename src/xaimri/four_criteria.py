"""The four criteria of Arun et al.: a map lies right, and changes when, and only when, it should."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.classifier import Sized
from xaimri.data.case import Case
from xaimri.errors import InvalidInput
from xaimri.judgement import Judgement
from xaimri.judging.catalogue import as_metric
from xaimri.judging.unrelated import unrelated_similarity
from xaimri.kinds import Anything
from xaimri.methods import Methods, held_methods
from xaimri.metric import Metric
from xaimri.metrics.localisation import auprc
from xaimri.metrics.robustness import repeatability
from xaimri.metrics.sanity import randomisation
from xaimri.metrics.similarity import Similarity, check_similarity
from xaimri.model import OPTIONS, Model, open_model
from xaimri.options import open_with


@check_arguments(methods=Anything())
def trustworthiness(
    methods: Methods,
    model: ModelLike,
    cases: Iterable[Case],
    *,
    retrained: ModelLike,
    other: ModelLike,
    by: Similarity = "ssim",
    **options: Any,
) -> Judgement:
    """Judge methods by the four criteria of Arun et al., case by case.

    ``localisation``
        area under precision and recall against the case's mask; higher is better.
    ``randomisation``
        similarity to the map of the network with all its weights destroyed; lower is better.
    ``repeatability``
        similarity to the map of the same network trained once more; higher is better.
    ``reproducibility``
        similarity to the map of a network of another architecture; higher is better.
    ``unrelated``
        similarity to the method's maps of other cases: what the three similarities are to be held against.

    Parameters
    ----------
    methods, model, cases
        As of :func:`xaimri.evaluate_explanations`; cases without a mask have no localisation.
    retrained
        The same architecture trained on the same cases from another seed.
    other
        Another architecture trained on the same cases. A method that names a layer has no map of it.
    by
        How maps are compared, as of :func:`xaimri.metrics.similarity`.
    **options
        Of :func:`xaimri.evaluate_explanations`, such as ``target=`` or ``seed=``; those of a model open all
        three, but for what is an open :class:`~xaimri.Model` already.

    Returns
    -------
    Judgement
        With these as its metrics.

    Raises
    ------
    InvalidInput
        If the networks' classes or image sizes differ, or no case has a mask.

    Notes
    -----
    Costs every explainer seven times per case. As in the study, the level that randomisation must fall below
    is that of unrelated maps. The study's other yardstick, a segmentation network, is not part of this. A map
    that never changes repeats perfectly, and fails randomisation: none of the criteria is to be read alone.

    References
    ----------
    Arun et al. (2021), doi:10.1148/ryai.2021200267.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> from xaimri.data import phantom
    >>> cases = phantom.make(subjects=6, slices=1, size=(52, 44))
    >>> first, second, third = (LinearClassifier.random((52, 44, 1), classes=4, seed=n) for n in range(3))
    >>> found = trustworthiness(["saliency"], first, cases[:5], retrained=first, other=third)
    >>> found.mean("saliency", "repeatability").estimate.value
    1.0
    """
    check_similarity(by)
    held = held_methods(methods)
    first, settings = open_with(model, options, held)
    again, third = (_opened(each, options) for each in (retrained, other))
    for name, second in (("retrained", again), ("other", third)):
        _alike(name, second, first)
    criteria: dict[str, Callable[..., Any]] = {
        "localisation": auprc,
        "randomisation": partial(randomisation, by=by),
        "repeatability": partial(repeatability, other=again.classifier, by=by),
        "reproducibility": partial(repeatability, other=third.classifier, by=by),
    }
    metrics = [replace(as_metric(function), name=name) for name, function in criteria.items()]
    yardstick = Metric("unrelated", partial(unrelated_similarity, by=by), "lower", chance="0")
    return first.judge(cases, held, [*metrics, yardstick], **settings)


def _opened(model: ModelLike, options: Mapping[str, Any]) -> Model:
    """Open one of the networks with those of the options that are a model's."""
    if isinstance(model, Model):
        return model
    return open_model(model, **{name: value for name, value in options.items() if name in OPTIONS})


def _alike(name: str, other: Model, model: Model) -> None:
    """Check that two networks answer the same question about the same images, which reach them alike."""
    reach = model.intake
    told = {name: getattr(reach, name) for name in ("shape", "trained", "trained_fit", "acquisition")}
    alike = replace(other.intake, **told)
    if alike != reach:
        raise InvalidInput(
            f"images reach `{name}` in another way than the model (fit, window or layout): open both with "
            "the same ones."
        )
    second, first = other.classifier, model.classifier
    if second.classes and first.classes and tuple(second.classes) != tuple(first.classes):
        raise InvalidInput(
            f"`{name}` has the classes {', '.join(second.classes)}, and the classifier "
            f"{', '.join(first.classes)}: give a network for the same classes."
        )
    if isinstance(first, Sized) and isinstance(second, Sized):
        one, two = tuple(first.input_shape), tuple(second.input_shape)
        fits = len(one) == len(two) and all(a == b or None in (a, b) for a, b in zip(one, two, strict=True))
        if one and two and not fits:
            raise InvalidInput(
                f"`{name}` takes images of {two}, and the classifier of {one}: give networks for images of "
                "one size."
            )
