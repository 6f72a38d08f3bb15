"""How a model's score changes while an image is deleted, or inserted, in the order of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Images, Labels
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metric import Change, Curve
from xaimri.metrics.batch import curve_of_each
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.metrics.partition import Partition, partitions
from xaimri.metrics.score import refuse_still, watched_score
from xaimri.metrics.values import part_sums, ranking
from xaimri.objective import Of
from xaimri.perturb.absent import Absent, AbsentRule
from xaimri.perturb.responses import fastest, scored, streamed


@curve_of_each
@check_arguments(absent=AbsentRule())
def deletion(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = "blur",
    steps: int = 20,
    regions: int | Labels | None = None,
    of: Of | None = None,
    seed: int = 0,
) -> tuple[Curve, ...]:
    """Hide the most relevant pixels first, and watch the score fall; the area under it is the measure.

    Lower is better: a map that names what the model goes by makes the score fall at once. For a probability
    the area lies between 0 and 1. A map that knows nothing has no fixed area: compare with another map's, or
    with a random one's. It can't see how strong the values are, only their order; and a fall may come from
    images the model was never trained on, so try other ``absent``, and see :func:`road`.

    Parameters
    ----------
    explanations
        One, or several at once, on the classifier's own grid.
    classifier
        The model that was explained.
    absent
        What a hidden pixel looks like: as of :class:`xaimri.LIME`; ``"mean"`` is the mean of the image (or of
        the region).
    steps
        In how many equal steps all is hidden.
    regions
        Hide superpixels, about so many, or those of a label image ``(*space)``, in the order of their mean
        value; None hides pixel by pixel.
    of
        The score that is watched, of the explained class; None takes the probability, or for a map that
        explains one class against another the difference of their logits, which is what the map explains.
    seed
        Of the order of pixels with equal values, and of noise.

    Returns
    -------
    Curve or tuple of Curve
        ``float(curve)`` is the area; NaN where hiding everything leaves the image as it is.

    Notes
    -----
    Costs ``steps - 1`` model calls per map, and 2 per image, which the maps of one image share.

    References
    ----------
    Petsiuk, Das & Saenko (2018), arXiv:1806.07421, hide by black and insert into a blurred image, pixel by
    pixel. Here both directions use the same ``absent``. Samek et al. (2017), doi:10.1109/TNNLS.2016.2599820.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([[[[1.0], [2.0]]], [[[0.0], [0.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 2, 1)), 0)
    >>> curve = deletion(explanation, model, absent=0.0, steps=2, of="logit")
    >>> curve.scores.tolist(), float(curve)
    ([3.0, 1.0, 0.0], 1.25)
    """
    return _curves(explanations, classifier, "hidden", absent, steps, regions, of, seed)


@curve_of_each
@check_arguments(absent=AbsentRule())
def insertion(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = "blur",
    steps: int = 20,
    regions: int | Labels | None = None,
    of: Of | None = None,
    seed: int = 0,
) -> tuple[Curve, ...]:
    """Show the most relevant pixels first, and watch the score rise; the area under it is the measure.

    Higher is better. Everything else is as of :func:`deletion`.

    References
    ----------
    Petsiuk, Das & Saenko (2018), arXiv:1806.07421.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([[[[1.0], [2.0]]], [[[0.0], [0.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 2, 1)), 0)
    >>> insertion(explanation, model, absent=0.0, steps=2, of="logit").scores.tolist()
    [0.0, 2.0, 3.0]
    """
    return _curves(explanations, classifier, "shown", absent, steps, regions, of, seed)


@dataclass(frozen=True, eq=False)
class _Schedule:
    """When which pixel of an image is changed.

    ``step`` ``(*space)`` says after which step a pixel is; those that never are have a step beyond.
    """

    image: Image
    gone: Image
    step: Int[Array, "*space"]
    fractions: Float[Array, " points"]

    @classmethod
    def of(cls, explanation: Explanation, image: Partition, steps: int, seed: int) -> _Schedule:
        labels = image.labels
        sizes = np.bincount(labels[labels >= 0])
        order = ranking(part_sums(explanation, labels) / sizes, seed)
        ends = np.rint(np.linspace(0, len(order), steps + 1)).astype(np.int64)
        step = np.full(len(order) + 1, len(ends), dtype=np.int32)  # the last entry serves label -1
        step[order] = np.repeat(np.arange(1, len(ends)), np.diff(ends))
        reached = np.concatenate([[0], np.cumsum(sizes[order])])[ends]
        return cls(explanation.image, image.gone, step[labels], reached / reached[-1])

    def at(self, step: int, change: Change) -> Image:
        """Return the image after so many steps."""
        before, after = (self.image, self.gone) if change == "hidden" else (self.gone, self.image)
        return np.where((self.step <= step)[..., None], after, before)


def _curves(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    change: Change,
    absent: Absent,
    steps: int,
    regions: int | Labels | None,
    of: Of | None,
    seed: int,
) -> tuple[Curve, ...]:
    """Predict every step of every map in one stream; of equal images the ends are predicted once."""
    model = classifier_of(classifier)
    shape = image_shape(explanations, model)
    if steps < 1:
        raise InvalidInput(f"`steps` must be at least 1, got {steps}.")
    images = list(partitions(explanations, absent, regions, seed))
    counts = [min(steps, image.parts) for image in images]

    @lru_cache(maxsize=1)  # maps are taken in turn, and one schedule is held at a time
    def schedule(number: int) -> _Schedule:
        return _Schedule.of(explanations[number], images[number], counts[number], seed)

    fractions: dict[int, Float[Array, " points"]] = {}
    places: list[list[int]] = []  # which prediction serves each step of a map
    rows: list[tuple[int, int]] = []
    ends: dict[tuple[int, bool], int] = {}
    for number, (image, last) in enumerate(zip(images, counts, strict=True)):
        places.append([])
        for step in range(last + 1):
            free = len(rows)
            place = ends.setdefault((image.number, step > 0), free) if step in (0, last) else free
            places[number].append(place)
            if place == free:
                rows.append((number, step))

    def write(buffer: Images, first: int) -> None:
        for out, (number, step) in zip(buffer, rows[first:], strict=False):
            out[:] = schedule(number).at(step, change)
            fractions[number] = schedule(number).fractions

    logits = streamed(fastest(model, len(rows), shape), shape, len(rows), write).astype(np.float64)
    found = []
    for number, explanation in enumerate(explanations):
        if number not in fractions:  # all its steps are another's, and none was asked for
            fractions[number] = schedule(number).fractions
        asked = watched_score(explanation, of)
        scores = scored(logits[places[number]], asked)
        refuse_still(scores, explanation, model, asked)
        unchanged = np.array_equal(images[number].gone, explanation.image)
        scores = np.full_like(scores, np.nan) if unchanged else scores
        found.append(Curve(fractions[number], scores, change, asked.of, explanation.against))
    return tuple(found)
