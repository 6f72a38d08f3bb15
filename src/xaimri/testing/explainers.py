"""The contract of an explainer: the table of its promises, and one call that tries them all."""

from __future__ import annotations

from functools import partial
from typing import Any

from xaimri.arrays import Images
from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.testing.claims import check_all, claim
from xaimri.testing.maps import (
    a_batch_equals_one_by_one,
    another_class_can_stand_against_it,
    finite_or_a_caveat,
    scores_are_the_models,
    the_prediction_is_explained,
    the_target_is_the_one_asked_for,
    values_lie_on_the_image,
)
from xaimri.testing.randomness import random_numbers_have_a_seed, the_same_call_gives_the_same_bytes
from xaimri.testing.records import (
    equal_settings_are_equal_explainers,
    nothing_can_be_changed,
    pickling_keeps_everything,
    storing_keeps_everything,
    the_method_has_a_name,
    the_record_rebuilds_the_explainer,
)
from xaimri.testing.refusals import a_missing_capability_is_named, an_unknown_class_is_refused
from xaimri.testing.runs import TOLERANCE, ExplainerPromise
from xaimri.testing.surroundings import (
    global_state_stays_as_it_is,
    the_images_stay_as_they_are,
    the_model_stays_as_it_is,
)

PROMISES: tuple[ExplainerPromise, ...] = (
    the_method_has_a_name,
    equal_settings_are_equal_explainers,
    random_numbers_have_a_seed,
    the_same_call_gives_the_same_bytes,
    values_lie_on_the_image,
    finite_or_a_caveat,
    the_prediction_is_explained,
    the_target_is_the_one_asked_for,
    another_class_can_stand_against_it,
    scores_are_the_models,
    a_batch_equals_one_by_one,
    the_images_stay_as_they_are,
    the_model_stays_as_it_is,
    global_state_stays_as_it_is,
    nothing_can_be_changed,
    pickling_keeps_everything,
    storing_keeps_everything,
    the_record_rebuilds_the_explainer,
    an_unknown_class_is_refused,
    a_missing_capability_is_named,
)
"""What every explainer promises, causes first: functions of explainer, model and images."""


def check_explainer(
    explainer: Explainer[Any], model: Classifier, images: Images, *, tolerance: float = TOLERANCE
) -> None:
    """Check every promise of :data:`PROMISES`, and say which are broken.

    For one test per promise, see :data:`PROMISES`.

    Parameters
    ----------
    explainer
        The method to check, with cheap settings.
    model
        A classifier with the capability that the method needs.
    images
        ``(batch, *space, channels)``: at least two different images, of any rank.
    tolerance
        For maps that should agree, in units of their largest value.

    Raises
    ------
    AssertionError
        If promises are broken: one line each, with its name and a sentence.

    Examples
    --------
    >>> import numpy as np
    >>> from xaimri import LIME, LinearClassifier
    >>> model = LinearClassifier.random((5, 6, 4, 1), classes=3, seed=0)
    >>> images = np.random.default_rng(0).random((2, 5, 6, 4, 1), dtype=np.float32)
    >>> check_explainer(LIME(samples=20, regions=4), model, images)
    """
    claim(len(images) > 1, "give at least two images, so that a batch can differ from one by one.")
    check_all(
        (promise.__name__, partial(promise, explainer, model, images, tolerance=tolerance))
        for promise in PROMISES
    )
