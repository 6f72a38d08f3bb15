"""Shapley values of regions: each region's fair share of the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Coalitions, Images
from xaimri.classifier import Classifier, Objective, Of
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import Found, answers_for, gathered, seed_setting
from xaimri.explanation import Caveat
from xaimri.perturb import shapley
from xaimri.perturb.absent import Absent, absent_setting
from xaimri.perturb.answers import Answers
from xaimri.perturb.auto import Samples, enough, fewest, looks, not_settled, samples_setting
from xaimri.perturb.coalitions import all_of, paired
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.segments import Regions, Shape, regions_setting
from xaimri.settings import choice, flag, positive, whole


@dataclass(frozen=True)
class SHAP(Explainer[Classifier]):
    """Shapley values of regions: the mean effect of showing a region, over all orders of showing them.

    Values have both signs, and add up exactly to the score of the image less that of the image with every
    region hidden. Up to ``exact`` regions they are computed from all ``2 ** regions`` perturbed images, and
    have no error; above, they are estimated from ``samples`` of them, and each has a standard error.

    Parameters
    ----------
    samples
        Perturbed images, the unchanged and the wholly hidden one among them; or ``"auto"``, or an
        :class:`~xaimri.Auto`: as many as it takes until the order of the strongest regions is settled.
    regions
        About how many, or a label image on the model's grid, ``(*space)`` integers with -1 where nothing
        is to be hidden. Regions whose hiding changes nothing take no part.
    shape
        ``"superpixels"`` (SLIC inside the object) or ``"grid"``.
    absent
        What a hidden region looks like: ``"mean"`` (its own mean colour), ``"blur"``, ``"noise"``,
        ``"inpaint"``, a number, or an image or a set of images whose mean is taken.
    exact
        Up to this many regions, every perturbed image is predicted: 4,096 calls for 12 regions, whatever
        ``samples`` says. 0 never does so, unless ``samples`` suffices for all of them.
    adjust
        Subtract what cross-fitted regressions predict, whose own Shapley values are known exactly, and
        estimate the rest.
    compactness
        Weight of nearness against likeness in the superpixels.
    seed
        Of the sample; images with as many regions get the same masks.

    Notes
    -----
    The estimator draws coalitions by their leverage, in complementary pairs, none twice, and solves the
    weighted least squares of Kernel SHAP for what the regressions leave. ``diagnostics["base"]`` is the score
    with every region hidden. The errors tell how far other seeds would scatter.

    References
    ----------
    Lundberg & Lee (2017), arXiv:1705.07874; leverage sampling: Musco & Witter (2025), arXiv:2410.01917;
    adjustment: Witter, Liu & Musco (2025), arXiv:2506.11849.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1), dtype="float32")
    >>> explanation, = SHAP(regions=6, absent=0.0).explain(model, image)
    >>> total = explanation.logits[explanation.target] - explanation.diagnostics["base"]
    >>> bool(np.isclose(explanation.regions.values.sum(), total, atol=1e-5))
    True
    """

    samples: Samples = 1000
    regions: Regions = 50
    absent: Absent = "mean"
    exact: int = 12
    adjust: bool = True
    shape: Shape = "superpixels"
    compactness: float = 0.2
    seed: int = 0
    name: ClassVar[str] = "shap"

    def __post_init__(self) -> None:
        samples_setting(self, 8)
        regions_setting(self)
        absent_setting(self)
        whole(self, "exact", 0)
        flag(self, "adjust")
        choice(self, "shape", get_args(Shape))
        positive(self, "compactness")
        seed_setting(self)

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Explain image by image: each has its own regions."""
        return gathered(self._one(*asked) for asked in answers_for(self, model, images, objective))

    def _one(self, answers: Answers, target: int | None, of: Of) -> Found:
        game = _Game(answers, target, of)
        exact = game.players <= self.exact or 2**game.players <= fewest(self.samples)
        for samples in [2**game.players] if exact else looks(self.samples):
            found = game.exactly() if exact else game.estimated(samples, self.adjust, self.seed)
            if exact or enough(self.samples, found):
                break
        told = {"exact": exact, "samples": samples, "base": game.ends[0]}
        return Found(
            answers, game.spread(found), game.logits, told, [*not_settled(self.samples, found), *_lost(found)]
        )


class _Game:
    """The score as a game of the regions whose hiding changes anything."""

    def __init__(self, answers: Answers, target: int | None, of: Of) -> None:
        self._answers, self._of = answers, of
        self._tested = answers.tested
        self.players = int(self._tested.sum())
        self.logits = answers(np.ones((1, answers.regions), dtype=bool))[0]
        self._target = int(self.logits.argmax()) if target is None else target
        base, whole = self.value(np.array([[False], [True]]).repeat(self.players, axis=1))
        self.ends = (float(base), float(whole))

    def value(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the score under coalitions of the players; the other regions are shown."""
        shown = np.ones((len(coalitions), self._answers.regions), dtype=bool)
        shown[:, self._tested] = coalitions
        logits = self._answers(shown)
        return np.asarray(Objective((self._target,) * len(logits), self._of).scores(logits))

    def exactly(self) -> Sampled:
        """Return the Shapley values from all coalitions."""
        if not self.players:
            return Sampled(np.zeros(0), np.zeros((1, 0)))
        everything = all_of(self.players)
        return shapley.exact(everything, self.value(everything))

    def estimated(self, samples: int, adjust: bool, seed: int) -> Sampled:
        """Return an estimate from so many coalitions."""
        pairs, population = paired(samples, self.players, seed)
        both = self.value(np.concatenate([pairs, ~pairs]))
        values = both.reshape(2, -1).T
        return shapley.estimate(pairs, population, values, self.ends, adjust=adjust, seed=seed)

    def spread(self, found: Sampled) -> Sampled:
        """Lay the players' values back among all regions."""
        values = np.full(self._answers.regions, np.nan)
        influence = np.zeros((len(found.influence), self._answers.regions))
        values[self._tested], influence[:, self._tested] = found.values, found.influence
        return Sampled(values, influence)


def _lost(found: Sampled) -> list[Caveat]:
    """Return the caveat of a run that tells no region from zero."""
    if not len(found.values) or (np.abs(found.values) > 1.96 * found.errors).any():
        return []
    if not found.errors.any():
        return []
    return [
        Caveat(
            "all_uncertain",
            "No region can be told from zero at 95 %: take more samples or fewer regions before reading "
            "anything from this map.",
        )
    ]
