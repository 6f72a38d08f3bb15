"""What erasing the known region does to the score: whether the model uses the region at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Image, Images, Mask
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metric import MaskEffect
from xaimri.metrics.batch import curve_of_each
from xaimri.metrics.masks import Masks, masks
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.metrics.score import explained_score
from xaimri.objective import Objective, Of
from xaimri.perturb.absent import Absent, AbsentRule, checked_absent, hidden
from xaimri.perturb.responses import fastest, scored, streamed

LEAST = 0.01
"""Mean change of the region's pixels, as a share of the image's range, below which nothing was erased."""


@curve_of_each
@check_arguments(absent=AbsentRule())
def mask_effect(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    region: Masks,
    *,
    absent: Absent = "blur",
    of: Of | None = None,
    seed: int = 0,
) -> tuple[MaskEffect, ...]:
    """Erase the region, and tell by how much the score falls: what localisation is to be held against.

    It measures the model and not the map: where erasing the region does next to nothing, the model goes by
    something else, a right map lies elsewhere, and a low localisation is no fault of the method. The value is
    positive where the region speaks for the class. It can't see a region that another one stands in for.

    Parameters
    ----------
    explanations
        One, or several at once, on the classifier's own grid.
    classifier
        The model that was explained.
    region
        As of :func:`relevance_mass`.
    absent, seed
        As of :func:`deletion`; ``"mean"`` is the region's own mean, which leaves an even region as it is.
    of
        The score; None takes the one that is explained, and for a probability its log-odds, which don't
        saturate.

    Returns
    -------
    MaskEffect or tuple of MaskEffect
        ``float(effect)`` is the fall; ``effect.share`` and ``effect.slight`` hold it against what erasing all
        the rest does.

    Raises
    ------
    InvalidInput
        If erasing leaves the region's pixels as they are, so that nothing can be told.

    Notes
    -----
    Costs 3 model calls for each image and region, however many maps there are of it.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([[[[1.0], [2.0], [0.0]]], [[[0.0], [0.0], [0.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 3, 1)), 0)
    >>> effect = mask_effect(explanation, model, np.array([[False, True, False]]), absent=0.0)
    >>> float(effect), round(effect.share, 3), effect.slight
    (2.0, 0.667, False)
    >>> mask_effect(explanation, model, np.array([[False, False, True]]), absent=0.0).slight
    True
    """
    absent, model = checked_absent(absent), classifier_of(classifier)
    shape = image_shape(explanations, model)
    known: dict[tuple[bytes, bytes], tuple[int, Image, Mask]] = {}
    places = []
    for each, mask in zip(explanations, masks(explanations, region), strict=True):
        key = (each.image.tobytes(), mask.tobytes())
        places.append(known.setdefault(key, (len(known), each.image, mask))[0])

    cases = [(image, mask) for _, image, mask in known.values()]

    def write(buffer: Images, start: int) -> None:
        for row, out in enumerate(buffer, start):
            out[:] = _shown(*cases[row // 3], row % 3, absent, seed)

    logits = streamed(fastest(model, 3 * len(cases), shape), shape, 3 * len(cases), write)
    found = []
    for each, place in zip(explanations, places, strict=True):
        asked = _unsaturated(explained_score(each, of), of)
        scores = scored(logits[3 * place : 3 * place + 3], asked)
        score, erased, alone = (float(one) for one in scores)
        found.append(MaskEffect(score, erased, alone, asked.of, each.against))
    return tuple(found)


def _unsaturated(asked: Objective, of: Of | None) -> Objective:
    """Return the score that is followed: log-odds where a probability is explained, and none asked for."""
    return replace(asked, of="log_odds") if of is None and asked.of == "probability" else asked


def _shown(image: Image, mask: Mask, which: int, absent: Absent, seed: int) -> Image:
    """Return the image as it is (0), with the mask erased (1), or with all else erased (2)."""
    if which == 0:
        return image
    gone = hidden(image, np.where(mask == (which == 1), 0, -1), absent, seed)
    if which == 1 and np.abs(gone - image)[mask].mean(dtype=np.float64) <= LEAST * float(np.ptp(image)):
        raise InvalidInput(
            f"erasing the mask leaves its pixels as they are, so it says nothing of the model: give another "
            f"`absent` than {absent if isinstance(absent, str | float) else 'this image'!r}, such as "
            f"{0.0 if absent == 'blur' else 'blur'!r}, to xaimri.metrics.mask_effect."
        )
    return gone
