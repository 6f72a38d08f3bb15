"""Expected gradients as the ``shap`` package samples them, with our classifiers' gradients."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from xaimri.arrays import Array, Image, Images, Map, Stored
from xaimri.capacity import capacity
from xaimri.classifier import Differentiable
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.gradient import degenerate
from xaimri.explainers.integrated import CHUNK
from xaimri.explainers.references import references_of, references_setting
from xaimri.explainers.shap_package import import_part, isolate, silence
from xaimri.objective import Objective
from xaimri.perturb.running_mean import RunningMean
from xaimri.rules import Number, Seed, WholeNumber
from xaimri.settings import setting


@dataclass(frozen=True)
class GradientSHAP(Explainer[Differentiable]):
    """Expected gradients by the ``shap`` package's ``GradientExplainer``, with a standard error.

    Each sample takes one reference, one place on the path from it and, if asked, noise on the image; its
    value is the gradient there times the difference from the reference, summed over channels. Values are
    signed, in units of the explained score; in expectation they add up to the score of the image less the
    mean score of the references. Costs ``samples`` gradient passes and one forward pass per image, and
    memory for ``4 * samples`` images.

    Notes
    -----
    Needs the extra ``shap``. The package's own code draws and averages; the gradients are those of the
    classifier, so every differentiable one will do. It is the same estimator as
    :class:`~xaimri.ExpectedGradients`, which draws other samples and holds fewer images at a time.
    ``diagnostics`` hold the sum of the values.

    ``errors`` come from the package's variances: it divides the variance of the samples by the root of
    their number, where the variance of a mean is divided by the number, and that is put right here.

    References
    ----------
    Erion et al. (2021), doi:10.1038/s42256-021-00343-w; Lundberg & Lee (2017), arXiv:1705.07874.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 4, 5, 1), 0.5))
    >>> explainer = GradientSHAP(references=np.ones((1, 4, 5, 1)), samples=4)
    >>> explanation, = explainer.explain(model, np.full((1, 4, 5, 1), 3.0))
    >>> float(explanation.values.sum()), float(explanation.errors.max())
    (20.0, 0.0)
    """

    references: Stored | Array | None = references_setting(None)
    samples: int = setting(
        200,
        WholeNumber(2),
        doc="How many pairs of a reference and a place are drawn (the package's ``nsamples``).",
    )
    smoothing: float = setting(
        0.0,
        Number(least=0),
        doc="Standard deviation of the noise on the image (the package's ``local_smoothing``).",
        unit="the image's own intensities",
    )
    seed: int = setting(
        0,
        Seed(),
        doc="Of the draw (the package's ``rseed``); every image gets the same references, places and noise.",
    )
    name: ClassVar[str] = "gradient_shap"
    title: ClassVar[str] = "Gradient SHAP"
    cost: ClassVar[str] = "`samples` gradient passes"

    def attribute(self, model: Differentiable, batch: Images, objective: Objective, /) -> Attribution:
        """Let the package explain image by image: each gets the same draws."""
        references = references_of(self.references, batch.shape[1:])
        logits = model.logits(batch)
        each = objective.settle(logits).each(len(batch))
        found = [self._one(model, image, references, one) for image, one in zip(batch, each, strict=True)]
        return Attribution(
            np.stack([values for values, _, _ in found]).astype(np.float32),
            logits,
            errors=np.stack([errors for _, errors, _ in found]).astype(np.float32),
            diagnostics=[
                {"model_calls": self.samples + 1, "sum": float(values.sum())} for values, _, _ in found
            ],
            caveats=degenerate(np.array([[changes] for _, _, changes in found])),
        )

    def _one(
        self, model: Differentiable, image: Image, references: Images, objective: Objective
    ) -> tuple[Map, Map, bool]:
        """Return an image's map, its standard error, and whether any gradient was not 0."""
        gradients = import_part("explainers._gradient", "GradientSHAP")._TFGradient
        asked = _Gradients(model, objective)
        package = object.__new__(gradients)
        vars(package).update(
            model=None, model_inputs=[None], multi_input=False, multi_output=False, gradients=[None],
            data=[references], batch_size=CHUNK, local_smoothing=self.smoothing,
            gradient=lambda output: output, run=asked,
        )  # fmt: skip
        draw = isolate(gradients.shap_values, self.seed, {"tensorflow": _EAGER})
        maps, group = RunningMean(), capacity(image.shape, CHUNK)
        with silence():
            for first in range(0, self.samples, group):  # the package holds all samples of a call
                some = min(group, self.samples - first)
                values, (variances,) = draw(
                    package, image[None], nsamples=some, rseed=self.seed, return_variances=True
                )
                mean = np.asarray(values, dtype=np.float64).reshape(image.shape)[..., 0]
                scatter = variances[0, ..., 0] * np.sqrt(some)  # of the samples
                maps.merge(some, mean, scatter * some)
        return maps.mean, maps.error, asked.changes


_EAGER = SimpleNamespace(executing_eagerly=lambda: True, keras=None)
"""All that the package asks of TensorFlow where its gradients come from elsewhere."""


class _Gradients:
    """Takes the place of the package's own run of a network: our classifier's gradients."""

    def __init__(self, model: Differentiable, objective: Objective) -> None:
        self._model, self._objective = model, objective
        self.changes = False

    def __call__(self, output: Any, inputs: Any, batch: list[Images]) -> list[Array]:
        """Return the gradients of a batch; what the scores are, the package asks and does not use."""
        if output is None:
            return []
        (points,) = batch
        asked = self._objective.times(len(points))
        found = np.array(self._model.gradient(points.copy(), asked).values, dtype=np.float32)
        self.changes = self.changes or bool(found.any())
        return [found.view(_Slopes)]


class _Slopes(np.ndarray):
    """Gradients whose product with differences is summed over channels.

    So the package's means and variances are those of pixels, of which the channels' own variances would
    not tell: channels go together.
    """

    __array_priority__ = 1.0  # without it np.concatenate gives plain arrays, whose channels stay apart

    def __mul__(self, differences: Any) -> Any:
        """Return one value per pixel, in a single channel."""
        own = self.view(np.ndarray)
        return np.einsum("...c,...c->...", own, differences, dtype=np.float64)[..., None]
