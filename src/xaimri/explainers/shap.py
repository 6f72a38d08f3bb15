"""Shapley values of regions: each region's fair share of the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaimri.arrays import Images
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import Game, RegionAttribution, gather, region_predictions
from xaimri.objective import Objective
from xaimri.perturb import shapley
from xaimri.perturb.absent import Absent, absent_setting
from xaimri.perturb.coalitions import all_of, paired
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.segments import Segmentation, Shape, compactness_setting, regions_setting, shape_setting
from xaimri.perturb.stopping import Samples, SamplesRule, accepts, checkpoints, fewest, shortfall
from xaimri.rules import Flag, Seed, WholeNumber
from xaimri.settings import setting

MOST_EXACT = 20
"""Regions of which all perturbed images, about a million, can still be predicted."""


@dataclass(frozen=True)
class SHAP(Explainer[Classifier]):
    """Shapley values of regions: the mean effect of showing a region, over all orders of showing them.

    Values have both signs, and add up exactly to the score of the image less that of the image with every
    region hidden. Up to ``exact`` regions they are computed from all ``2 ** regions`` perturbed images, and
    have no error; above, they are estimated from ``samples`` of them, and each has a standard error.

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

    samples: Samples = setting(
        1000,
        SamplesRule(8),
        doc='Perturbed images, the unchanged and the wholly hidden one among them; or ``"auto"``, or an '
        ":class:`~xaimri.Auto`: as many as it takes until the order of the strongest regions is "
        "settled.",
        unit="images",
    )
    regions: Segmentation = regions_setting(50, more="Regions whose hiding changes nothing take no part.")
    absent: Absent = absent_setting("auto")
    exact: int = setting(
        12,
        WholeNumber(0),
        doc="Up to this many regions, every perturbed image is predicted: 4,096 calls for 12 regions, "
        "whatever ``samples`` says; 20 regions at most. 0 never does so, unless ``samples`` suffices "
        "for all of them.",
        unit="regions",
    )
    adjust: bool = setting(
        True,
        Flag(),
        doc="Subtract what cross-fitted regressions predict, whose own Shapley values are known exactly, "
        "and estimate the rest: where there are at least as many pairs of samples as regions.",
    )
    shape: Shape = shape_setting("superpixels")
    compactness: float = compactness_setting(0.2)
    seed: int = setting(0, Seed(), doc="Of the sample; images with as many regions get the same masks.")
    name: ClassVar[str] = "shap"
    title: ClassVar[str] = "SHAP"
    cost: ClassVar[str] = "`samples` forward passes; `2 ** regions` up to 12 regions"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Explain image by image: each has its own regions."""
        return gather(self._one(*asked) for asked in region_predictions(self, model, images, objective))

    def _one(self, predictions: Predictions, objective: Objective) -> RegionAttribution:
        game = Game(predictions, objective)
        exact = game.players <= self.exact or 2**game.players <= fewest(self.samples)
        if exact and game.players > MOST_EXACT:
            raise InvalidInput(
                f"all perturbed images of {game.players} regions are {2**game.players:,}: set `exact` to at "
                f"most {MOST_EXACT}, or take fewer regions."
            )
        for samples in [2**game.players] if exact else checkpoints(self.samples):
            found = _exactly(game) if exact else _estimated(game, samples, self.adjust, self.seed)
            if exact or accepts(self.samples, found):
                break
        told = {"exact": exact, "samples": min(samples, 2**game.players), "base": game.ends[0]}
        caveats = game.unmoved or [*shortfall(self.samples, found), *_lost(found)]
        return RegionAttribution(predictions, game.spread(found), game.logits, told, caveats)


def _exactly(game: Game) -> Sampled:
    """Return the Shapley values from all coalitions."""
    if not game.players:
        return Sampled(np.zeros(0), np.zeros((1, 0)))
    everything = all_of(game.players)
    return shapley.exact(everything, game.value(everything))


def _estimated(game: Game, samples: int, adjust: bool, seed: int) -> Sampled:
    """Return an estimate from so many coalitions."""
    pairs, population = paired(samples, game.players, seed)
    both = game.value(np.concatenate([pairs, ~pairs]))
    values = both.reshape(2, -1).T
    return shapley.estimate(pairs, population, values, game.ends, adjust=adjust, seed=seed)


def _lost(found: Sampled) -> list[Caveat]:
    """Return the caveat of a run that tells no region from zero."""
    if not len(found.values) or (np.abs(found.values) > 1.96 * found.errors).any():
        return []
    if not found.errors.any():
        return []
    return [Reason.ALL_UNCERTAIN.caveat()]
