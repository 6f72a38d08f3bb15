"""Owen values of regions by the ``shap`` package: Shapley values within a hierarchy of regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Coalitions, Image, Images, Labels
from xaimri.capacity import MOST
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import Game, RegionAttribution, gather, region_predictions
from xaimri.explainers.shap_package import import_part, isolate, silence
from xaimri.objective import Objective
from xaimri.perturb.absent import Absent, absent_setting
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.predictions import Predictions
from xaimri.perturb.segments import Segmentation, Shape, compactness_setting, regions_setting, shape_setting
from xaimri.rules import Seed, WholeNumber
from xaimri.settings import setting

SHARED = 0.1
"""From this part of the values on that was shared out evenly, a map is called unfinished."""


@dataclass(frozen=True)
class PartitionSHAP(Explainer[Classifier]):
    """Owen values of regions: Shapley values that treat like and near regions as groups, by ``shap``.

    Regions are joined two by two into a hierarchy, by where they lie and how bright they are, and the
    package's ``PartitionExplainer`` shares the score out from the top down: first between the two halves,
    then within each, with the other half shown and hidden. Values have both signs and add up exactly to
    the score of the image less that of the image with every region hidden. Where there is no interaction
    they equal Shapley values; elsewhere what regions do together stays more with their neighbours. Costs
    at most ``samples`` model calls per image.

    Notes
    -----
    Needs the extra ``shap``. ``diagnostics`` hold ``base`` (the score with every region hidden), ``gap``
    (by how much the values fail to add up), ``complete`` (whether all groups were opened), ``needed`` (how
    many perturbed images that takes, about two thirds of the squared number of regions where the hierarchy
    is balanced) and ``shared`` (how much of the values, in absolute terms, was shared evenly). Nothing is
    estimated from a sample, so there are no standard errors.

    References
    ----------
    Owen (1977), doi:10.1007/978-3-642-45494-3_7; Lundberg & Lee (2017), arXiv:1705.07874; Ward (1963),
    doi:10.1080/01621459.1963.10500845.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1), dtype="float32")
    >>> explanation, = PartitionSHAP(regions=6, absent=0.0).explain(model, image)
    >>> total = explanation.logits[explanation.target] - explanation.diagnostics["base"]
    >>> bool(np.isclose(explanation.regions.values.sum(), total, atol=1e-5))
    True
    """

    samples: int = setting(
        1000,
        WholeNumber(4),
        doc="Perturbed images, the unchanged and the wholly hidden one among them, at most (the package's "
        "``max_evals``). Groups that matter are opened first; where the calls end, a group that was not "
        "opened shares its value evenly among its regions.",
        unit="images",
    )
    regions: Segmentation = regions_setting(50, more="Regions whose hiding changes nothing take no part.")
    absent: Absent = absent_setting("auto")
    shape: Shape = shape_setting("superpixels")
    compactness: float = compactness_setting(0.2)
    seed: int = setting(
        0,
        Seed(),
        doc='Of the order in which the package opens groups that matter as much, and of ``absent="noise"``.',
    )
    name: ClassVar[str] = "partition_shap"
    title: ClassVar[str] = "Partition SHAP"
    cost: ClassVar[str] = "up to `samples` forward passes"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Explain image by image: each has its own regions and hierarchy."""
        import_part("explainers", "PartitionSHAP")
        found = gather(self._one(*asked) for asked in region_predictions(self, model, images, objective))
        return replace(found, errors=None, regions=[replace(r, errors=None) for r in found.regions])

    def _one(self, predictions: Predictions, objective: Objective) -> RegionAttribution:
        game = Game(predictions, objective)
        gain = game.ends[1] - game.ends[0]
        tree = hierarchy(predictions.image, predictions.labels, np.flatnonzero(predictions.tested))
        shares, told = _shared_out(game.value, tree, game.players, gain, self.samples, self.seed)
        told |= {"base": game.ends[0], "gap": float(shares.sum() - gain)}
        found = game.spread(Sampled(shares, np.zeros((1, game.players))))
        return RegionAttribution(predictions, found, game.logits, told, game.unmoved or _unopened(told))


def hierarchy(image: Image, labels: Labels, regions: Array) -> Float[Array, "joins 4"]:
    """Join regions two by two, near and alike ones first, into a tree as ``scipy.cluster`` writes it.

    Distance is that of the centres and of the mean intensities, each in units of its own spread over the
    regions; joined by Ward's rule, which keeps the tree balanced.

    Parameters
    ----------
    image
        ``(*space, channels)``.
    labels
        ``(*space)``: the region of every pixel.
    regions
        Which of them to join; the tree numbers them in this order.

    Examples
    --------
    >>> image, labels = np.array([[[0.0], [9.0], [0.0]]]), np.array([[0, 1, 2]])
    >>> hierarchy(image, labels, np.arange(3))[0, :2].tolist()
    [0.0, 2.0]
    """
    from scipy.cluster.hierarchy import linkage

    if len(regions) < 2:
        return np.zeros((0, 4))
    inside = labels >= 0
    index, count = labels[inside], int(labels.max()) + 1
    size = np.maximum(np.bincount(index, minlength=count), 1)
    features = []
    for kind in (np.argwhere(inside), image[inside]):
        means = np.stack([np.bincount(index, column, count) / size for column in kind.T], axis=1)[regions]
        spread = np.sqrt(means.var(axis=0).sum())
        features.append(means / (spread or 1.0))
    joined: Array = linkage(np.concatenate(features, axis=1), method="ward")
    return joined


def opened_by(tree: Float[Array, "joins 4"]) -> int:
    """Return how many perturbed images it takes to open every group, the two ends among them.

    Every group is opened once for each way of showing and hiding its neighbours on the way down.

    Examples
    --------
    >>> opened_by(np.array([[0.0, 1.0, 0.5, 2.0], [2.0, 3.0, 1.0, 3.0]]))
    8
    """
    players = len(tree) + 1
    ways = {2 * players - 2: 1}
    for group in range(2 * players - 2, players - 1, -1):
        for half in tree[group - players, :2]:
            ways[int(half)] = 2 * ways[group]
    return 2 + sum(2 * times for group, times in ways.items() if group >= players)


class _Masks:
    """What the package calls a masker: coalitions stand for themselves, and come in a hierarchy."""

    immutable_outputs = True

    def __init__(self, tree: Float[Array, "joins 4"]) -> None:
        self.clustering = tree

    def shape(self, image: Array) -> tuple[int, int]:
        """Return rows per mask, and the number of players."""
        return 1, len(image)

    def __call__(self, mask: Array, image: Array) -> Array:
        """Return the mask as one row for the model."""
        return np.array(mask, dtype=bool)[None]


def _shared_out(
    value: Callable[[Coalitions], Array],
    tree: Float[Array, "joins 4"],
    players: int,
    total: float,
    samples: int,
    seed: int,
) -> tuple[Float[Array, " players"], dict[str, Any]]:
    """Let the package share the score out over the tree; fewer than two players have nothing to share."""
    if players < 2:
        return np.full(players, total), {"complete": True, "needed": 2, "shared": 0.0}
    explainers, needed = import_part("explainers", "PartitionSHAP"), opened_by(tree)
    with silence():
        package = explainers.PartitionExplainer(value, _Masks(tree))
        package.owen = MethodType(isolate(explainers.PartitionExplainer.owen, seed), package)
        # groups are opened by twos of images, and one over an even number would be spent
        found = package(
            np.ones((1, players)), max_evals=samples - samples % 2, batch_size=MOST, fixed_context=None,
            silent=True,
        )  # fmt: skip
    credit = np.abs(package.dvalues)
    told = {
        "complete": package.last_eval_count + 2 >= needed,
        "needed": needed,
        "shared": float(credit[players:].sum() / (credit.sum() or 1.0)),
    }
    return np.asarray(found.values[0], dtype=np.float64), told


def _unopened(told: Mapping[str, Any]) -> list[Caveat]:
    """Return the caveat of a run that shared much evenly."""
    if told["complete"] or told["shared"] < SHARED:
        return []
    return [Reason.NOT_CONVERGED.caveat(percent=100 * told["shared"], needed=told["needed"])]
