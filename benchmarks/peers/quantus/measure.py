"""Quantus' metrics of the maps, with the draws that were handed over: ``measure.py IN.npz OUT.npz``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import cycle
from unittest.mock import patch

import numpy as np
import quantus
import torch
from network import HEADS, Arrays
from quantus.functions.perturb_func import noisy_linear_imputation
from torch_port import Linear, Network, tensor

QUIET = {"disable_warnings": True, "return_aggregate": False}
SIGNED = {"abs": False, "normalise": False, **QUIET}
SIDE = 8
"""Of the blocks in its infidelity; 30 of them make an image."""


def main(source: str, out: str) -> None:
    """Write every metric: ``model/metric/kind``, one entry per image."""
    arrays = dict(np.load(source))
    versions = ", ".join(f"{name} {version(name).split('+')[0]}" for name in ("quantus", "torch"))
    found = {"version": np.array(versions), "imputed": _imputed(arrays)}
    for name in (*HEADS, "linear"):
        model = (Linear(arrays) if name == "linear" else Network(name, arrays)).eval()
        for key in (key for key in arrays if key.startswith(f"{name}/maps/")):
            kind, maps = key.split("/")[-1], arrays[key].astype(np.float64)
            if np.ptp(maps) == 0:  # a batch without any difference is refused, one that has some is not
                maps[1:] = arrays[f"{name}/maps/positive"][1:]
            measured = {**_plain(maps, arrays), **_asked(model, maps, arrays)}
            found |= {f"{name}/{metric}/{kind}": np.array(value) for metric, value in measured.items()}
        found |= {f"{name}/max_sensitivity/{k}/": v for k, v in _sensitivity(model, arrays).items()}
    np.savez(out, **found, **{f"tried/{what}": came for what, came in _tried(arrays).items()})


def _plain(maps: np.ndarray, arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure without a model."""
    one = {"model": None, "x_batch": tensor(arrays["images"]).numpy(), "y_batch": arrays["targets"]}
    place = {**one, "s_batch": arrays["regions"][:, None]}
    each = {
        "sparseness": (quantus.Sparseness(**QUIET), one),
        "entropy": (quantus.Complexity(**QUIET), one),
        "relevance_mass": (quantus.RelevanceMassAccuracy(**SIGNED), place),
        "relevance_mass/positive": (
            quantus.AttributionLocalisation(positive_attributions=True, **SIGNED),
            place,
        ),
        "relevance_rank": (quantus.RelevanceRankAccuracy(**SIGNED), place),
        "pointing_game": (quantus.PointingGame(**SIGNED), place),
        "dice/top": (quantus.TopKIntersection(k=int(arrays["top"]), **SIGNED), place),
    }
    return {name: metric(a_batch=maps[:, None].copy(), **given) for name, (metric, given) in each.items()}


def _asked(model: torch.nn.Module, maps: np.ndarray, arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure by asking the model."""
    batch = tensor(arrays["images"]).numpy()
    given = {"model": model, "x_batch": batch, "y_batch": arrays["targets"], "channel_first": True}
    total = batch.sum(axis=1, keepdims=True, dtype=np.float64)
    whole, local = maps[:, None], maps[:, None] / total  # times the image, that is the map
    black = {"perturb_baseline": 0.0, **SIGNED}
    step = batch[0].size // int(arrays["steps"])
    each = {
        "completeness_gap": (quantus.Completeness(**black), whole, False),
        "deletion/later": (quantus.PixelFlipping(features_in_step=step, **black), whole, True),
        "infidelity/blocks": (quantus.Infidelity(perturb_patch_sizes=[SIDE], **black), local, False),
        "infidelity/raw": (_boxed(batch, arrays), local, False),
        "sensitivity_n": (quantus.SensitivityN(features_in_step=step, **black), whole, False),
    }
    found = {
        name: metric(a_batch=values.copy(), softmax=softmax, **given)
        for name, (metric, values, softmax) in each.items()
    }
    single, series = (
        np.stack([_correlation(hide, maps, given) for hide in arrays[name]], axis=1)
        for name in ("subsets", "series")
    )
    return {**found, "faithfulness": single, "sensitivity_n/mean": series.mean(axis=1)}


def _boxed(batch: np.ndarray, arrays: Arrays) -> quantus.Infidelity:
    """Return its infidelity, made to hide the boxes that were handed over instead of its blocks."""
    flat = batch.reshape(len(batch), -1)
    hide = cycle(np.tile(box.ravel(), batch.shape[1]) for box in arrays["boxes"])
    rounds = len(arrays["boxes"]) // (batch[0, 0].size // SIDE**2)

    def perturbed(**_: object) -> np.ndarray:
        return np.where(next(hide), 0, flat)

    given = {"perturb_patch_sizes": [SIDE], "n_perturb_samples": rounds, **SIGNED}
    return quantus.Infidelity(perturb_func=perturbed, **given)


def _correlation(hide: np.ndarray, maps: np.ndarray, given: dict[str, object]) -> np.ndarray:
    """Correlate over the subsets that were handed over; all channels of a pixel are hidden together."""
    channels = given["x_batch"].shape[1]
    places = [np.flatnonzero(np.tile(row.ravel(), channels)) for row in hide]
    drawn = (row for row in places for _ in maps)
    metric = quantus.FaithfulnessCorrelation(
        nr_runs=len(hide), subset_size=len(places[0]), perturb_baseline=0.0, **SIGNED
    )
    with patch.object(np.random, "choice", lambda *_, **__: next(drawn)):
        return np.array(metric(a_batch=maps[:, None].copy(), **given))


def _sensitivity(model: torch.nn.Module, arrays: Arrays) -> dict[str, np.ndarray]:
    """Explain the very noisy images."""
    noisy, batch = np.moveaxis(arrays["noisy"], -1, 2), tensor(arrays["images"]).numpy()

    def drawn() -> Callable[..., np.ndarray]:
        copies: Iterator[int] = cycle(range(noisy.shape[1]))
        return lambda **_: noisy[:, next(copies)].reshape(len(batch), -1)

    found = {}
    for function in (saliency, input_x_gradient):
        metric = quantus.MaxSensitivity(nr_samples=noisy.shape[1], perturb_func=drawn(), **QUIET)
        found[function.__name__] = metric(
            model, batch, arrays["targets"], channel_first=True, explain_func=function
        )
    return found


def saliency(model: torch.nn.Module, inputs: object, targets: np.ndarray, **_: object) -> np.ndarray:
    """Return the strongest gradient over the channels."""
    return _gradient(model, torch.as_tensor(inputs), targets).abs().amax(1, keepdim=True).numpy()


def input_x_gradient(model: torch.nn.Module, inputs: object, targets: np.ndarray, **_: object) -> np.ndarray:
    """Return the gradient times the image, summed over the channels."""
    batch = torch.as_tensor(inputs)
    return (batch * _gradient(model, batch, targets)).sum(1, keepdim=True).numpy()


def _gradient(model: torch.nn.Module, batch: torch.Tensor, targets: np.ndarray) -> torch.Tensor:
    leaf = batch.float().clone().requires_grad_()
    scores = model(leaf)[torch.arange(len(leaf)), torch.as_tensor(targets)]
    return torch.autograd.grad(scores.sum(), leaf)[0]


def _imputed(arrays: Arrays) -> np.ndarray:
    """Fill in what was removed, without noise."""
    pairs = zip(tensor(arrays["images"]).numpy(), arrays["removed"], strict=True)
    filled = [noisy_linear_imputation(image, np.flatnonzero(gone), noise=0.0) for image, gone in pairs]
    return np.moveaxis(np.stack(filled), 1, -1)


def _tried(arrays: Arrays) -> dict[str, np.ndarray]:
    """Call what does not work, or not as one would think, and return what came back."""
    batch, maps = tensor(arrays["images"]).numpy(), arrays["flat/maps/positive"].astype(np.float64)[:, None]
    regions, first = arrays["regions"][:, None], (np.arange(len(batch)) == 0).reshape(-1, 1, 1, 1)
    small = maps * np.array([1, 1e-6, 1e-8]).reshape(-1, 1, 1, 1)
    area = {"features_in_step": batch[0].size // int(arrays["steps"]), "return_auc_per_sample": True}
    weighted, patches = quantus.PointingGame(weighted=True, **QUIET), {"perturb_patch_sizes": [7]}
    cases = {
        "`ROAD`, images with three channels": (quantus.ROAD(**QUIET), maps),
        "`SensitivityN`, one image": (quantus.SensitivityN(**QUIET), maps[:1]),
        "`PixelFlipping(return_auc_per_sample=True)`": (quantus.PixelFlipping(**area, **QUIET), maps),
        "`Infidelity(perturb_patch_sizes=[7])`": (quantus.Infidelity(**patches, **QUIET), maps),
        "`PointingGame(weighted=True)`, hits": (weighted, regions + 0.5, regions),
        "`PointingGame`, first mask empty": (quantus.PointingGame(**QUIET), maps, regions & ~first),
        "`Sparseness`, maps times 1, 1e-6, 1e-8": (quantus.Sparseness(**QUIET), small),
        "`Sparseness`, a constant map alone": (quantus.Sparseness(**QUIET), np.full_like(maps[:1], 0.5)),
    }
    model = Network("flat", arrays).eval()
    return {
        what: np.array(_came(metric, (model, batch[: len(own)], arrays["targets"][: len(own)]), own, *region))
        for what, (metric, own, *region) in cases.items()
    }


def _came(metric: Callable, asked: tuple, maps: np.ndarray, region: np.ndarray | None = None) -> str:
    try:
        found = metric(*asked, a_batch=maps.copy(), s_batch=region)
    except Exception as error:  # whatever it is, it is what came back
        return f"{type(error).__name__}: {error}"
    return ", ".join(str(value) if isinstance(value, np.bool_) else f"{value:.3g}" for value in found)


if __name__ == "__main__":
    main(*sys.argv[1:])
