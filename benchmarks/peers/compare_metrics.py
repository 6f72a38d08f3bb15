"""Which metrics are compared with each peer, how definitions are bridged, and on what maps they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from compare import AGREED
from network import HEADS, Arrays
from ours_metrics import LINEAR, ORDINARY

DISTINCT = (*ORDINARY, "reversed")
"""Maps in which no two pixels are equal: there is one order to delete in."""
ANY = (*DISTINCT, "ties")
METHOD = ("",)
"""A measure of a method has no map."""


@dataclass(frozen=True)
class Measured:
    """One metric on both sides.

    Attributes
    ----------
    metric, what
        xaimri's metric, and what of the peer it is compared with.
    ours, theirs
        Names of the results; the peer's is the same unless it is told.
    kinds
        The maps.
    agree
        Whether both have one definition; False where they differ, and are meant to.
    unit
        Of the difference; None is the largest value of ours for a map.
    """

    metric: str
    what: str
    ours: str = ""
    theirs: str = ""
    kinds: tuple[str, ...] = ANY
    agree: bool = True
    unit: float | None = None

    def difference(self, ours: Arrays, theirs: Arrays) -> float:
        """Return the largest difference over networks, maps and images."""
        name = self.ours or self.metric
        keys = [
            (f"{head}/{name}/{k}", f"{head}/{self.theirs or name}/{k}") for head in HEADS for k in self.kinds
        ]
        if name == "imputed":
            keys = [(name, name)]
        found = []
        for own, peer in ((ours[a], theirs[b].astype(np.float64)) for a, b in keys):
            found.append(np.abs(own - peer).max() / (self.unit or np.abs(own).max() or 1.0))
        return float(np.max(found))

    def row(self, ours: Arrays, theirs: Arrays) -> tuple[str, bool]:
        """Return a line of a Markdown table, and whether what is claimed holds."""
        with np.errstate(invalid="ignore"):
            found = self.difference(ours, theirs)
        holds = not self.agree or found <= AGREED
        claim = f"{'within' if holds else 'NOT within'} {AGREED:g}" if self.agree else "defined otherwise"
        return f"| `{self.metric}` | {self.what} | {found:.1e} | {claim} |", holds


@dataclass(frozen=True)
class Special:
    """One value on both sides, of a map that tells definitions apart."""

    metric: str
    what: str
    kind: str
    ours: str = ""
    theirs: str = ""
    model: str = "flat"
    image: int = 0

    def row(self, ours: Arrays, theirs: Arrays) -> str:
        """Return a line of a Markdown table."""
        name = self.ours or self.metric
        own = ours[f"{self.model}/{name}/{self.kind}"][min(self.image, 2)]
        peer = theirs[f"{self.model}/{self.theirs or name}/{self.kind}"].ravel()[self.image]
        return f"| `{self.metric}` | {self.what} | {_figure(own)} | {_figure(peer)} |"


def _figure(value: np.generic) -> str:
    return str(bool(value)) if value.dtype == bool else f"{float(value):.3g}"


EXACT = "input × gradient of a linear model"
BACKWARDS = "the same with its sign reversed"
SENSITIVITY = (
    Measured("max_sensitivity", "of `Saliency`, same noise", "max_sensitivity/saliency", kinds=METHOD),
    Measured(
        "max_sensitivity", "of `InputXGradient`, same noise", "max_sensitivity/input_x_gradient", kinds=METHOD
    ),
)

METRICS: Mapping[str, tuple[Measured, ...]] = {
    "quantus": (
        Measured("sparseness", "`Sparseness`"),
        Measured("entropy", "`Complexity`"),
        Measured(
            "relevance_mass",
            "`RelevanceMassAccuracy`, maps without negative values",
            kinds=("positive", "ties"),
        ),
        Measured("relevance_mass", "the same, negative values too", kinds=("gradient",), agree=False),
        Measured(
            "relevance_mass",
            "`AttributionLocalisation`, `positive_attributions=True`",
            theirs="relevance_mass/positive",
        ),
        Measured("relevance_rank", "`RelevanceRankAccuracy`, no ties", kinds=DISTINCT),
        Measured("relevance_rank", "the same, five levels", kinds=("ties",), agree=False),
        Measured("iou", "`TopKIntersection`, from the overlap; no ties", "dice/top", kinds=DISTINCT),
        Measured("pointing_game", "`PointingGame`, no ties", kinds=DISTINCT),
        Measured("pointing_game", "the same, five levels", kinds=("ties",), agree=False, unit=1.0),
        Measured("infidelity", "`Infidelity`, `normalised=False`, same boxes", "infidelity/raw"),
        Measured(
            "infidelity",
            "the same, its own blocks",
            "infidelity/raw",
            "infidelity/blocks",
            kinds=("gradient",),
            agree=False,
        ),
        Measured("faithfulness_correlation", "`FaithfulnessCorrelation`, same subsets", "faithfulness"),
        Measured(
            "sensitivity_n",
            "its `FaithfulnessCorrelation`, the mean over four sizes",
            theirs="sensitivity_n/mean",
        ),
        Measured("deletion", "`PixelFlipping`, its curve; no ties", "deletion/later", kinds=DISTINCT),
        *SENSITIVITY,
        Measured("imputed", "`noisy_linear_imputation` without noise"),
    ),
    "captum": (
        Measured("infidelity", "`infidelity`, `normalised=False`, same boxes", "infidelity/raw"),
        Measured("infidelity", "`normalize=True`", kinds=("gradient",), agree=False),
        Measured(
            "infidelity",
            "the same, times the mean square of the falls",
            "infidelity/unscaled",
            "infidelity",
            kinds=("gradient",),
        ),
        Measured(
            "infidelity",
            "the same, maps that point the wrong way",
            "infidelity/unscaled",
            "infidelity",
            kinds=("reversed",),
            agree=False,
        ),
        *SENSITIVITY,
    ),
    "grad-cam": (
        Measured("imputed", "`NoisyLinearImputer` without noise"),
        Measured("road", "`ROADCombined` without noise, no ties; in probability", kinds=DISTINCT, unit=1.0),
        Measured("road", "the same, five levels", kinds=("ties",), agree=False, unit=1.0),
        Measured("average_drop", "`DropInConfidence`", kinds=("signed",), agree=False),
        Measured(
            "average_drop",
            "the same, ours times the probability",
            "average_drop/absolute",
            "average_drop",
        ),
        Measured("average_increase", "`IncreaseInConfidence`"),
    ),
    "xplique": (
        Measured("deletion", "`Deletion`, its curve; no ties", "deletion/scores", kinds=DISTINCT),
        Measured("deletion", "`Deletion`, the area", kinds=DISTINCT),
        Measured("insertion", "`Insertion`, its curve; no ties", "insertion/scores", kinds=DISTINCT),
        Measured("insertion", "`Insertion`, the area", kinds=DISTINCT),
        Measured("sparseness", "`Sparseness`"),
        Measured("entropy", "`Complexity`"),
        Measured("average_drop", "`AverageDropMetric`, maps from 0 to 1", kinds=("positive", "ties")),
        Measured("average_drop", "the same, negative values too", kinds=("reversed",), agree=False),
        Measured("average_increase", "`AverageIncreaseMetric`, maps from 0 to 1", kinds=("positive", "ties")),
    ),
}

SPECIALS: Mapping[str, tuple[Special, ...]] = {
    "quantus": (
        Special("relevance_mass", "input × gradient", "gradient", image=1),
        Special("relevance_mass", "values that add up to 0", "signed"),
        Special("relevance_mass", "zero", "zero"),
        Special(
            "relevance_mass", "zero, `AttributionLocalisation`", "zero", theirs="relevance_mass/positive"
        ),
        Special("relevance_rank", "constant", "constant"),
        Special("pointing_game", "constant", "constant"),
        Special("sparseness", "zero", "zero"),
        Special("entropy", "zero", "zero"),
        Special("sensitivity_n", f"{EXACT}; its fourth step", "gradient", model=LINEAR, image=3),
        Special("completeness_gap", EXACT, "gradient", model=LINEAR),
    ),
    "captum": (
        Special("infidelity", f"{EXACT}, normalised", "gradient", model=LINEAR, image=2),
        Special("infidelity", BACKWARDS, "reversed", model=LINEAR, image=2),
        Special("infidelity", "zero", "zero", model=LINEAR, image=2),
    ),
    "grad-cam": (Special("road", "constant", "constant"),),
    "xplique": (
        Special("average_drop", "input × gradient", "gradient", image=1),
        Special("average_drop", BACKWARDS, "reversed", image=1),
        Special("average_drop", "constant", "constant", image=1),
        Special("sparseness", "zero", "zero"),
        Special("entropy", "zero", "zero"),
    ),
}
