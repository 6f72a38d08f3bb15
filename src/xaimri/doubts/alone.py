"""Whether a model's answer depends on the image alone: the same image twice, and beside others."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier, Pure, Standing
from xaimri.errors import Cancelled
from xaimri.explanation import Explanation
from xaimri.objective import softmax

ROUNDING = 1e-4
"""Differences of logits up to this share of their size, or of 1, say nothing."""

HALF = 0.02
"""Up to this share, logits of half precision differ by where in a batch an image stands."""

RARE = 1e-5
"""Logits of classes less likely than this are not compared: where only probabilities are told, they round."""


@dataclass(frozen=True, eq=False)
class Variation:
    """How far the answers to one image differ.

    Attributes
    ----------
    drawn
        Whether they do from call to call; if not, it is what stands beside the image in the batch.
    probabilities, logits
        ``(classes,)``: largest less least.
    """

    drawn: bool
    probabilities: Float[Array, " classes"]
    logits: Float[Array, " classes"]

    def doubt(self, explanation: Explanation) -> Caveat:
        """Return the caveat of an explanation, with how far the answers differ for its class."""
        target, own = explanation.target_class, explanation.target
        probability, logit = float(self.probabilities[own]), float(self.logits[own])
        if self.drawn:
            return Reason.NOT_DETERMINISTIC.caveat(target=target, probability=probability, logit=logit)
        return Reason.DEPENDS_ON_BATCH.caveat(target=target, probability=probability, logit=logit)


class Identical:
    """Stands for an object in a key: equal only for that very object, which it does not keep alive."""

    def __init__(self, of: object) -> None:
        self._id = id(of)
        self._of: Any
        try:
            self._of, self._weak = ref(of), True
        except TypeError:  # such as None: it is kept
            self._of, self._weak = of, False

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Identical) or self._weak != other._weak:
            return self is other
        if not self._weak:
            return self._of is other._of
        mine = self._of()
        return mine is not None and mine is other._of()


@dataclass(eq=False)
class _Asked:
    """What came of asking; whoever asks first holds the lock, and others wait for the answer."""

    lock: RLock = field(default_factory=RLock)
    done: bool = False
    found: Variation | None = None


_asked: WeakKeyDictionary[Any, dict[Hashable, _Asked]] = WeakKeyDictionary()
_lock = Lock()


def say_alone(model: Classifier, explanations: Sequence[Explanation]) -> tuple[Explanation, ...]:
    """Add to explanations that the model's answers depend on more than the image, if they do.

    It is asked once a network or function, about the first image: three batches of two, and up to four more
    where the answers differ. A model that can tell of itself (:class:`~xaimri.classifier.Pure`) is not asked.
    """
    found = variation(model, explanations[0].image) if explanations else None
    if found is None:
        return tuple(explanations)
    return tuple(
        replace(each, caveats=(*each.caveats, found.doubt(each)))
        if len(each.logits) == len(found.logits)
        else each
        for each in explanations
    )


def variation(model: Classifier, image: Image) -> Variation | None:
    """Return how far a model's answers to an image differ; None where they don't, or it can't be asked."""
    if isinstance(model, Pure) and model.pure:
        return None
    kept = _kept(model)
    with kept.lock:
        if not kept.done:
            kept.found, kept.done = _ask(model, image), True
        return kept.found


def _kept(model: Classifier) -> _Asked:
    """Return where it is kept what came of asking: as long as what answers lives."""
    of, more = model.stands_for if isinstance(model, Standing) else (model, None)
    for holder, key in ((of, more), (model, None)):
        try:
            with _lock:
                return _asked.setdefault(holder, {}).setdefault(key, _Asked())
        except TypeError:  # it has no hash, or can't be referred to weakly
            continue
    return _Asked()


def _ask(model: Classifier, image: Image) -> Variation | None:
    """Ask about an image before one, behind another, and twice; where that differs, find out why."""
    one, two = others(image)
    try:
        first, last = _rows(model, image, one)[0], _rows(model, two, image)[1]
        left, right = _rows(model, image, image)
        answers = [first, last, left, right]
        if all(_same(first, row) for row in answers):
            return None
        again = _rows(model, image, one)[0], _rows(model, two, image)[1]
        drawn = not (_same(first, again[0]) and _same(last, again[1]) and _same(left, right, HALF))
        placed = again if drawn else (_rows(model, image, two)[0], _rows(model, one, image)[1])
    except Cancelled:
        raise
    except Exception:  # it takes no two images, or not such ones
        return None
    if not drawn and _same(first, placed[0]) and _same(last, placed[1]) and _same(first, last, HALF):
        return None  # rows of one batch are rounded otherwise
    found = np.stack([*answers, *again, *placed])
    return Variation(drawn, np.ptp(softmax(found), axis=0), np.ptp(found, axis=0))


def _rows(model: Classifier, *images: Image) -> Float[Array, "images classes"]:
    return np.array(model.logits(np.stack(images)), dtype=np.float64)


def _same(one: Float[Array, " classes"], other: Float[Array, " classes"], rounding: float = ROUNDING) -> bool:
    """Tell whether two rows of logits are one, up to rounding."""
    both = np.stack([one, other])
    if not np.isfinite(both).all():
        return True
    told = (softmax(both) > RARE).any(axis=0)
    return bool(np.ptp(both[:, told], axis=0).max() <= rounding * max(1.0, np.abs(both[:, told]).max()))


def others(image: Image) -> tuple[Image, Image]:
    """Return two images with other means and spreads, whose intensities lie in the first one's range.

    Examples
    --------
    >>> [other.ravel().tolist() for other in others(np.array([[[0.0], [4.0]]], np.float32))]
    [[1.0, 0.0], [4.0, 3.5]]
    """
    low, high = float(image.min()), float(image.max())
    if low == high:
        low, high = sorted((0.0, high or 1.0))
        image = np.linspace(low, high, image.size).reshape(image.shape)
    dark, bright = low + (high - image) / 4, high - (image - low) / 8
    return dark.astype(np.float32), bright.astype(np.float32)
