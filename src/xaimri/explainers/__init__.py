"""The methods, and the one table that names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer
from xaimri.explainers.cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from xaimri.explainers.eigencam import EigenCAM
from xaimri.explainers.expected import ExpectedGradients
from xaimri.explainers.gradient import InputXGradient, Saliency
from xaimri.explainers.gradient_shap import GradientSHAP
from xaimri.explainers.integrated import IntegratedGradients
from xaimri.explainers.lime import LIME
from xaimri.explainers.occlusion import Occlusion
from xaimri.explainers.partition_shap import PartitionSHAP
from xaimri.explainers.rise import RISE
from xaimri.explainers.scorecam import ScoreCAM
from xaimri.explainers.shap import SHAP
from xaimri.explainers.smoothgrad import SmoothGrad, VarGrad

EXPLAINERS: Mapping[str, type[Explainer[Any]]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            GradCAM,
            GradCAMPlusPlus,
            HiResCAM,
            LayerCAM,
            ScoreCAM,
            EigenCAM,
            Saliency,
            InputXGradient,
            IntegratedGradients,
            ExpectedGradients,
            GradientSHAP,
            SmoothGrad,
            VarGrad,
            LIME,
            SHAP,
            PartitionSHAP,
            Occlusion,
            RISE,
        )
    }
)
"""The methods by name. Other packages add theirs by the entry-point group ``xaimri.explainers``."""

__all__ = [
    "EXPLAINERS",
    "LIME",
    "RISE",
    "SHAP",
    "EigenCAM",
    "ExpectedGradients",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientSHAP",
    "HiResCAM",
    "InputXGradient",
    "IntegratedGradients",
    "LayerCAM",
    "Occlusion",
    "PartitionSHAP",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "VarGrad",
    "build",
    "from_record",
    "settings_of",
    "wrapped",
]


def build(method: object, settings: Mapping[str, Any] | None = None) -> Explainer[Any]:
    """Return the explainer of this name with these settings; an explainer comes back as it is.

    Raises
    ------
    InvalidInput
        If the name or a setting is unknown, or settings stand beside an explainer.

    Examples
    --------
    >>> build("gradcam", {"relu": False})
    GradCAM(layer=None, relu=False)
    """
    given = dict(settings or {})
    if isinstance(method, Explainer):
        if given:
            raise InvalidInput(
                f"settings ({', '.join(map(repr, given))}) stand beside an explainer that has its own: "
                f"set them in {type(method).__name__}(...)."
            )
        return method
    if not isinstance(method, str):
        made = f": make one, {method.__name__}()" if isinstance(method, type) else ""
        raise InvalidInput(f"`method` must be the name of a method or an explainer, got {method!r}{made}.")
    known = settings_of(method)
    for name in given:
        if name not in known:
            has = f"it has {', '.join(map(repr, known))}" if known else "it has none"
            raise InvalidInput(f"{method!r} has no setting {name!r}: {has}.")
    return _kind(method)(**given)


def settings_of(method: str) -> tuple[str, ...]:
    """Return the names of a method's settings."""
    return tuple(f.name for f in fields(_kind(method)))  # type: ignore[arg-type]


def from_record(record: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> Explainer[Any]:
    """Rebuild the explainer that wrote a record, such as ``explanation.method``."""
    return _kind(str(record.get("name"))).from_record(record, arrays)


def wrapped(inner: object) -> Explainer[Any]:
    """Return the explainer that another one wraps: given as itself, by name, or as its record."""
    if isinstance(inner, Mapping):
        return from_record(inner, inner.get("arrays"))
    if isinstance(inner, str | Explainer):
        return build(inner)
    raise InvalidInput(f"`inner` must be a method or its name, got {inner!r}.")


def _kind(name: str) -> type[Explainer[Any]]:
    if name in EXPLAINERS:
        return EXPLAINERS[name]
    others = {entry.name: entry for entry in entry_points(group="xaimri.explainers")}
    if name in others:
        loaded: type[Explainer[Any]] = others[name].load()
        return loaded
    raise InvalidInput(f"`method` {name!r} is not known: use {', '.join(map(repr, [*EXPLAINERS, *others]))}.")
