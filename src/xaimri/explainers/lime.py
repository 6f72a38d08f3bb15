"""LIME: a linear surrogate of the score around one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import RegionAttribution, gather, region_predictions, unmoved
from xaimri.objective import Objective, Of
from xaimri.perturb import surrogate
from xaimri.perturb.absent import Absent, absent_setting
from xaimri.perturb.coalitions import by_size, halves, orthogonal
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.responses import is_flat, scored
from xaimri.perturb.segments import Segmentation, Shape, compactness_setting, regions_setting, shape_setting
from xaimri.perturb.stopping import Samples, SamplesRule, accepts, checkpoints, shortfall
from xaimri.perturb.surrogate import Design, Distance, Kernel, Locality, Selection, Surrogate
from xaimri.rules import Choice, Flag, Number, Seed, WholeNumber
from xaimri.settings import setting

POOR_FIT = 0.5
"""Below this R² the surrogate is called a poor fit."""

FAINT = 1e-4
"""Weight of all perturbed images together, in units of the ridge's penalty, below which a fit is nothing."""

Sampling = Literal["halves", "orthogonal", "local", "stratified"]


@dataclass(frozen=True)
class LIME(Explainer[Classifier]):
    """Hide random halves of the superpixels and fit a weighted linear model of what the classifier says.

    A region's value is its coefficient: how much the explained score (by default the probability)
    rises when the region is shown. Costs ``samples`` model calls per image. With ``absent="mean"``,
    and with the same segments and masks, the coefficients equal those of the ``lime`` package; beside each
    stands its standard error.

    Notes
    -----
    Errors are sandwich estimates with the correction HC3 (orthogonal pairs, from the first whole block on:
    HC2, pair by pair): right whether or not the score is linear in the regions. They tell how far other
    seeds would scatter, not how well a linear model describes the score: that is ``diagnostics["r2"]``. With
    ``features`` below the number of regions they hold for the choice that was made, and regions that were
    left out have the value 0 and no error (NaN).

    References
    ----------
    Ribeiro, Singh & Guestrin (2016), doi:10.1145/2939672.2939778. Adjustment: Witter, Liu & Musco (2025),
    arXiv:2506.11849. Local sampling: Tan, Tian & Li (2023), arXiv:2311.15722. Orthogonal: Plackett & Burman
    (1946), doi:10.1093/biomet/33.4.305.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = LIME(samples=100, regions=6).explain(model, image, of="logit")
    >>> explanation.diagnostics["r2"] > 0.9, bool(explanation.regions.errors.max() < 0.01)
    (True, True)
    """

    samples: Samples = setting(
        1000,
        SamplesRule(2),
        doc='Perturbed images, the unchanged one among them; or ``"auto"``, or an :class:`~xaimri.Auto`: as '
        "many as it takes until the order of the strongest regions is settled.",
        unit="images",
    )
    regions: Segmentation = regions_setting(50)
    absent: Absent = absent_setting("auto")
    adjust: bool = setting(
        False,
        Flag(),
        doc="Subtract what cross-fitted regressions predict, whose own coefficients are known exactly, and "
        "fit the rest: the same limit with a smaller error, where there are at least twice as many "
        "samples as regions.",
    )
    sampling: Sampling = setting(
        "halves",
        Choice(get_args(Sampling)),
        doc='How coalitions are drawn. ``"halves"`` shows each region by the toss of a coin and weights by '
        'the kernel, as the package does; ``"orthogonal"`` draws such halves in pairs and blocks in '
        'which regions are balanced against each other, so that fewer samples do; ``"local"`` draws '
        'with the kernel\'s weights and counts all alike; ``"stratified"`` does so with each number of '
        "shown regions as often as it should come. All have the same limit.",
    )
    features: int = setting(100_000, WholeNumber(1), doc="Most regions in the fit.", unit="regions")
    selection: Selection = setting(
        "auto",
        Choice(get_args(Selection)),
        doc="How the package chooses the regions, where they are too many.",
    )
    kernel: Kernel = setting(
        "exponential",
        Choice(get_args(Kernel)),
        doc="How much a perturbed image counts, by its distance from the image itself.",
    )
    distance: Distance = setting("cosine", Choice(get_args(Distance)), doc="Which distance that is.")
    kernel_width: float = setting(0.25, Number(above=0), doc="Of the kernel, in units of that distance.")
    shape: Shape = shape_setting("superpixels")
    compactness: float = compactness_setting(0.2)
    seed: int = setting(0, Seed(), doc="Of masks and fit; every image gets the same masks.")
    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    cost: ClassVar[str] = "`samples` forward passes"
    of: ClassVar[Of] = "probability"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Explain image by image: each has its own regions."""
        return gather(self._one(*asked) for asked in region_predictions(self, model, images, objective))

    def _one(self, predictions: Predictions, objective: Objective) -> RegionAttribution:
        for samples in checkpoints(self.samples):
            design = self._design(samples, predictions.regions)
            logits = predictions(design.coalitions)
            scores = scored(logits, objective)
            fitted = self._fitted(design, scores)
            if accepts(self.samples, fitted.estimate):
                break
        return RegionAttribution(
            predictions,
            fitted.estimate,
            logits[0],
            {"r2": fitted.r2, "intercept": fitted.intercept, "samples": samples},
            [
                *_poor(fitted),
                *shortfall(self.samples, fitted.estimate),
                *unmoved(scores, predictions.tested),
            ],
        )

    def _fitted(self, design: Design, scores: Float[Array, " samples"]) -> Surrogate:
        if is_flat(scores):  # nothing to fit
            return surrogate.constant(float(scores[0]), design.coalitions.shape[1])
        fitted = surrogate.fit(
            design, scores, features=self.features, selection=self.selection, seed=self.seed
        )
        return surrogate.adjusted(fitted, design, scores, seed=self.seed) if self.adjust else fitted

    def _design(self, samples: int, regions: int) -> Design:
        locality = Locality(self.kernel, self.distance, self.kernel_width)
        sizes = locality.of_sizes(regions)
        drawn = sizes / sizes.sum() if self.sampling in ("local", "stratified") else sizes
        if not samples * drawn[:-1].sum() > FAINT:
            raise InvalidInput(
                f"`kernel_width` {self.kernel_width} leaves perturbed images no weight beside the unchanged "
                f"one, by {self.distance} distance over {regions} regions: take a wider one."
            )
        if self.sampling == "orthogonal":
            coalitions, pairs = orthogonal(samples, regions, self.seed)
            return Design(coalitions, locality.weights(coalitions), sizes, pairs)
        if self.sampling == "halves":
            coalitions = halves(samples, regions, self.seed)
            return Design(coalitions, locality.weights(coalitions), sizes)
        stratified = self.sampling == "stratified"
        coalitions = by_size(samples, sizes, self.seed, stratified=stratified)
        return Design(coalitions, np.ones(samples), drawn)


def _poor(fit: Surrogate) -> list[Caveat]:
    return [] if fit.r2 >= POOR_FIT else [Reason.POOR_FIT.caveat(percent=100 * max(fit.r2, 0))]
