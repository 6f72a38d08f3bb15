"""Class activation maps: what an inner layer's maps say for the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from jaxtyping import Bool

from xaimri.arrays import Array, Images
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Convolutional
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.cells import cell_axes, on_image, one_weight, unevenness
from xaimri.objective import Objective
from xaimri.rules import Flag, Name, OrNone
from xaimri.settings import setting

T = TypeVar("T")


def layer_setting(default: T) -> T:
    """Return the field of a setting ``layer``."""
    doc = (
        "Path or name of the layer whose maps are read; several of one lattice are joined by `` + ``. None "
        "takes the last map through which everything flows to the output, or the last ones on all ways. Such "
        'as ``"resnet50/conv4_block6_out"``.'
    )
    return setting(default, OrNone(Name()), doc=doc)


def relu_setting(default: T) -> T:
    """Return the field of a setting ``relu``."""
    as_published = "as published" if default else "the paper keeps both signs"
    doc = f"Keep positive evidence only ({as_published}): on the cells, before resampling."
    return setting(default, Flag(), doc=doc)


@dataclass(frozen=True)
class GradCAM(Explainer[Convolutional]):
    """Feature maps weighted by their mean gradient, summed over the features, rectified.

    Values are at least 0 (signed with ``relu=False``), in units of the explained score per cell: the
    mean gradient times the activation. Costs about one forward pass per image.

    Notes
    -----
    The published method resizes the cells to the image; here each cell lies where the network's
    padding and strides put it, and values are interpolated linearly between the cells' centres.

    The mean over the cells is an answer where the gradient is the same in all of them, as before global
    average pooling. ``diagnostics["unevenness"]`` tells how far the map lies from HiResCAM's (0 to 1), and
    above 0.1 the caveat `uneven_gradient` says so.

    References
    ----------
    Selvaraju et al. (2017), doi:10.1109/ICCV.2017.74.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> explanation, = GradCAM().explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> explanation.values.shape, explanation.diagnostics["layer"]
    ((6, 8), 'patches')
    """

    layer: str | None = layer_setting(None)
    relu: bool = relu_setting(True)
    name: ClassVar[str] = "gradcam"
    title: ClassVar[str] = "Grad-CAM"
    cost: ClassVar[str] = "1 forward pass"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Weight the maps by their mean gradient over the cells."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        weights = maps.gradients.mean(axis=cell_axes(maps.values), keepdims=True)
        uneven = unevenness(maps)
        return on_image(
            (maps.values * weights).sum(axis=-1),
            maps,
            relu=self.relu,
            diagnostics=[{"unevenness": share} for share in uneven],
            caveats=one_weight(uneven, maps.layer),
        )


@dataclass(frozen=True)
class GradCAMPlusPlus(Explainer[Convolutional]):
    """Feature maps weighted by their positive gradients, each cell by its share of the evidence.

    Where one object covers few cells and another many, Grad-CAM's mean favours the many; the weights
    here make up for it. Values are at least 0 (signed with ``relu=False``), in units of the explained
    score per cell. Costs about one forward pass per image.

    Notes
    -----
    With ``g`` the gradient of the score by a cell and ``A`` the sum of its feature over all cells, a
    cell's share is ``g**2 / (2 * g**2 + A * g**3)``. The paper derives it for the exponential of the
    score; that factor is the same for the whole image and is left out, so that the unit is the
    score's own. It holds for maps that are not negative. A feature whose cells add up to less than 0 has
    no share, and the caveat `negative_activations` says so.

    References
    ----------
    Chattopadhay et al. (2018), doi:10.1109/WACV.2018.00097.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> explanation, = GradCAMPlusPlus().explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> bool((explanation.values >= 0).all())
    True
    """

    layer: str | None = layer_setting(None)
    relu: bool = relu_setting(True)
    name: ClassVar[str] = "gradcam++"
    title: ClassVar[str] = "Grad-CAM++"
    cost: ClassVar[str] = "1 forward pass"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Weight the maps by their positive gradients times the cells' shares."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        axes = cell_axes(maps.values)
        gradient = np.maximum(maps.gradients, 0)
        total = maps.values.sum(axis=axes, keepdims=True)
        undefined = (total < 0) & (gradient > 0)
        shares = np.where(undefined, 0, 1 / (2 + gradient * np.maximum(total, 0)))
        weights = (shares * gradient).sum(axis=axes, keepdims=True)
        uneven = unevenness(maps)
        doubts = zip(_without_share(undefined, maps.layer), one_weight(uneven, maps.layer), strict=True)
        return on_image(
            (maps.values * weights).sum(axis=-1),
            maps,
            relu=self.relu,
            diagnostics=[{"unevenness": share} for share in uneven],
            caveats=[[*first, *second] for first, second in doubts],
        )


@dataclass(frozen=True)
class HiResCAM(Explainer[Convolutional]):
    """Feature maps times their own gradients, summed over the features.

    Equals unrectified Grad-CAM where the head begins with global average pooling; if one dense layer
    follows, the cell values add up to the logit less its bias. Values are signed (at least 0 with
    ``relu=True``), in units of the explained score per cell. Costs about one forward pass per image.

    References
    ----------
    Draelos & Carin (2020), arXiv:2011.08891.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 6, 8, 1), 0.5), patch=2)
    >>> explanation, = HiResCAM().explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> explanation.diagnostics["positive"]  # of the cells: the logit less its bias
    24.0
    """

    layer: str | None = layer_setting(None)
    relu: bool = relu_setting(False)
    name: ClassVar[str] = "hirescam"
    title: ClassVar[str] = "HiResCAM"
    cost: ClassVar[str] = "1 forward pass"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Multiply every activation by its own gradient."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        return on_image((maps.values * maps.gradients).sum(axis=-1), maps, relu=self.relu)


@dataclass(frozen=True)
class LayerCAM(Explainer[Convolutional]):
    """Feature maps times their own positive gradients, summed over the features, rectified.

    Made for earlier layers too, whose gradients differ from cell to cell. Values are at least 0
    (signed with ``relu=False``), in units of the explained score per cell. Costs about one forward
    pass per image.

    References
    ----------
    Jiang et al. (2021), doi:10.1109/TIP.2021.3089943.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> explanation, = LayerCAM(layer="patches").explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> bool((explanation.values >= 0).all())
    True
    """

    layer: str | None = layer_setting(None)
    relu: bool = relu_setting(True)
    name: ClassVar[str] = "layercam"
    title: ClassVar[str] = "LayerCAM"
    cost: ClassVar[str] = "1 forward pass"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Multiply every activation by its own gradient where that is positive."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        cells = (maps.values * np.maximum(maps.gradients, 0)).sum(axis=-1)
        return on_image(cells, maps, relu=self.relu)


def _without_share(undefined: Bool[Array, ...], layer: str) -> list[list[Caveat]]:
    """Say of which images some cells have no share of the evidence."""
    caveat = Reason.NEGATIVE_ACTIVATIONS.caveat(layer=layer)
    return [[caveat] if image.any() else [] for image in undefined]
