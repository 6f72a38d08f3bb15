"""What a bundle tells of its network: architecture, training, split, temperature and versions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from xaimri.card.fact import Fact, counted, joined, told
from xaimri.data.attendance import PARTS, WORDS

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle

_FROM_PIXELS = re.compile(r"scan-[0-9a-f]{10}")

RECORD = "bundle.json"
NETWORK = "model.keras"

SETTINGS = {
    "batch": "batch of {}",
    "epochs": "at most {} epochs (of the head alone, of the unfrozen network)",
    "learning_rate": "learning rates {}",
    "schedule": "{} learning rate",
    "unfreeze": "unfrozen: {}",
    "patience": "patience of {} epochs",
    "dropout": "dropout {}",
    "width": "width {}",
    "seed": "seed {}",
}
"""Settings of a training that are said in words, in this order."""


ENDINGS: Mapping[object, str] = {
    "patience": "it ended where validation no longer improved",
    "callback": "a callback ended it",
    "epochs": "it ended after all epochs",
}
"""How a training ended."""


def network_facts(bundle: Bundle) -> dict[str, tuple[Fact, ...]]:
    """Return what is known of a bundle's network, by the names that the items ask for."""
    classes = ", ".join(bundle.classes)
    of_network = {
        "technology": [
            f"Deep learning: a {_kind(bundle.model)} (Keras) that sorts images into {len(bundle.classes)} "
            "classes."
        ],
        "architecture": _architecture(bundle.model),
        "identity": [f"SHA-256 of `{NETWORK}`: {bundle.sha256}."],
    }
    of_record = {
        "classes": [f"Classes by name: {classes}. What they mean, and who said so, is not in the bundle."],
        "predictors": [f"The image alone, {_size(bundle.model)}."],
        "output": _output(bundle),
        "preprocessing": _reach(bundle),
        "source": _source(bundle.origin),
        "missing": _missing(bundle),
        "acquisition": _acquisition(bundle),
        "partition": _partition(bundle.split),
        "disjoint": _disjoint(bundle.split),
        "composition": _partition(bundle.split),
        "software": [", ".join(f"{name} {number}" for name, number in bundle.versions.items()) + "."],
        "combination": ["One network is kept in the bundle."],
        "limitations": list((bundle.split or {}).get("notes", ())),
    }
    return joined(
        told(NETWORK, of_network),
        *(told(RECORD, each) for each in (of_record, _trained(bundle), _tempered(bundle))),
    )


def _size(model: Any) -> str:
    return f"{' x '.join(str(n) for n in model.input_shape[1:])} (channels last)"


def _layers(model: Any) -> list[Any]:
    """Return the layers that hold no others."""
    from xaimri.adapters.keras.trace import layers_by_path

    return [layer for layer in layers_by_path(model).values() if not getattr(layer, "layers", None)]


def _kind(model: Any) -> str:
    convolves = any("Conv" in type(layer).__name__ for layer in _layers(model))
    return "convolutional neural network" if convolves else "neural network"


def _architecture(model: Any) -> list[str]:
    layers = _layers(model)
    kinds = Counter(type(layer).__name__ for layer in layers)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    size = f"Input {_size(model)}; {counted(len(layers), 'layer')}"
    return [
        f"{size}; {counted(model.count_params(), 'parameter')}; {model.output_shape[-1]} outputs.",
        f"Layers by kind: {listed}.",
    ]


def _output(bundle: Bundle) -> list[str]:
    tempered = "" if bundle.scaling is None else ", of logits divided by the temperature"
    return [f"One probability for each of {len(bundle.classes)} classes{tempered}; predicted is the largest."]


def _reach(bundle: Bundle) -> list[str]:
    window = "none" if bundle.window is None else bundle.window.describe()
    fit = {"stretch": "stretched", "pad": "padded with proportions kept"}[bundle.fit]
    layout = "" if bundle.layout is None else f"; arrays {bundle.layout.replace('_', ' ')}"
    return [f"Images are brought to {_size(bundle.model)}, {fit}; intensity window: {window}{layout}."]


def _source(origin: Mapping[str, Any] | None) -> list[str]:
    if origin is None:
        return []
    settings = ", ".join(
        f"{name} {value}" for name, value in origin.items() if name != "maker" and value is not None
    )
    return [f"Read or made by xaimri.data: {origin['maker']}{f' ({settings})' if settings else ''}."]


def _missing(bundle: Bundle) -> list[str]:
    if not bundle.failures and bundle.recipe is None:
        return []
    if not bundle.failures:
        return ["No case was left out of training for an image that can't be read."]
    first = bundle.failures[0]
    many = counted(len(bundle.failures), "case")
    return [f"{many} left out of training, since the image can't be read. The first: {first.sentence}"]


def _acquisition(bundle: Bundle) -> list[str]:
    known = bundle.acquisition
    if known is None:
        return []
    parts = [f"Pixel spacing {known.describe()}"] if known.spacing else []
    parts += [f"orientation {', '.join(known.orientations)}"] if known.orientations else []
    parts += [f"contrasts {', '.join(known.contrasts)}"] if known.contrasts else []
    return [f"Of the training images: {'; '.join(parts)}."] if parts else []


def _partition(split: Mapping[str, Any] | None) -> list[str]:
    if split is None:
        return []
    counts = ", ".join(f"{WORDS[name]} {len(split[name]):,}" for name in PARTS if name in split)
    return [f"{str(split.get('by', 'case')).capitalize()}s: {counts}."]


def _disjoint(split: Mapping[str, Any] | None) -> list[str]:
    if split is None:
        return []
    if split.get("by") == "subject":
        names = [str(name) for part in PARTS for name in split.get(part, ())]
        scans = sum(bool(_FROM_PIXELS.fullmatch(name)) for name in names)
        pixels = (
            f"{scans} of {len(names)} subjects are scans that were told by their pixels: two visits of one "
            "person are two."
        )
        return ["Split by subject: no named subject is in two parts.", *([pixels] if scans else [])]
    return ["Split by case: whether a subject is in two parts is known only where every case is of another."]


def _trained(bundle: Bundle) -> dict[str, list[str]]:
    """Return what is recorded of the training."""
    recipe, history = bundle.recipe or {}, bundle.history or {}
    training = [", ".join(_settings(recipe)) + "."] if recipe else []
    if history:
        training.append(f"{counted(max(map(len, history.values())), 'epoch')} done.")
    if recipe:
        augment = recipe.get("augment")
        changed = [f"{name} {value}" for name, value in (augment or {}).items()]
        training.append(f"Augmentation: {', '.join(changed) if augment else 'none'}.")
    return {
        "training": training,
        "selection": list(_selection(recipe, history)),
        "initialisation": [f"Weights before training: {recipe['weights'] or 'random'}."]
        if "weights" in recipe
        else [],
        "imbalance": _weights(bundle.classes, recipe),
    }


def _settings(recipe: Mapping[str, Any]) -> Iterator[str]:
    for name, words in SETTINGS.items():
        value = recipe.get(name)
        if value is not None:
            many = isinstance(value, list | tuple)
            yield words.format(" and ".join(f"{one:g}" for one in value) if many else value)


def _selection(recipe: Mapping[str, Any], history: Mapping[str, Any]) -> Iterator[str]:
    column = [value for value in history.get("val_balanced_accuracy", ()) if value is not None]
    best = recipe.get("best_epoch")
    scores = dict(zip(history.get("epoch", ()), history.get("val_balanced_accuracy", ()), strict=False))
    if best is not None and column:
        yield (
            f"The weights of epoch {best}, chosen on the validation part by balanced "
            f"accuracy, then loss; {ENDINGS.get(recipe.get('stopped'), 'why it ended is not known')}."
        )
    elif best is not None:
        yield f"The last weights (epoch {best}): there was no validation part to choose by."
    if scores.get(best) is not None:
        yield (
            f"Balanced accuracy of validation in that epoch {scores[best]:.2f}: it was chosen for that, "
            "so it is too good."
        )


def _weights(classes: tuple[str, ...], recipe: Mapping[str, Any]) -> list[str]:
    weights = recipe.get("class_weights")
    if not weights:
        return []
    if len(set(weights)) == 1:
        return ["Every image counts the same in the loss."]
    listed = ", ".join(f"{name} {weight:.3g}" for name, weight in zip(classes, weights, strict=True))
    return [f"Weight of an image in the loss: {listed}."]


def _tempered(bundle: Bundle) -> dict[str, list[str]]:
    scaling = bundle.scaling
    if scaling is None:
        return {"temperature": ["Not updated: the logits are not divided by a temperature."]}
    return {
        "temperature": [
            f"Temperature scaling: all logits are divided by {scaling.temperature:.3g} (standard error "
            f"{scaling.error:.2g}, 95 % interval {scaling.low:.3g} to {scaling.high:.3g}), learned from "
            f"{counted(scaling.cases, 'case')} of {counted(scaling.subjects, 'subject')}. No prediction "
            "changes."
        ],
        "temperature_gain": [
            f"Log loss of the cases that it was learned from: {scaling.loss_before:.3f} before, "
            f"{scaling.loss_after:.3f} after; on others the gain is smaller."
        ],
        "limitations": list(scaling.remarks),
    }
