"""What should stand for a hidden region? Answers known by construction, and a trained network's.

    python benchmarks/absent_defaults.py --methods lime occlusion --slices FOLDER
    python benchmarks/absent_defaults.py --methods shap partition_shap rise --sizes 7 --slices FOLDER

Lesion-like answers: functions that count pixels of a kind, on a made disc, on made phantoms and (by
``--slices``, a folder of grey pictures) on real slices, with a lesion pasted in: bright, bright with a soft
edge, dark, between two tissues (mid), of another texture, smoother than what is around it, or brighter than
its surroundings (blob). Three radii of 64 pixels, inside and at the border. Printed is the share of the
positive values that lies in the lesion, over the kinds of cases, beside the most that regions can have
("ceiling").

Atrophy: a small network is trained on phantoms of four stages; printed is the share of the positive values in
what was changed, over its share of the brain (1 by chance), of held-out cases that the network knows, and the
same of all values by their sign (0 by chance): what hiding makes look ill is held against it. With standard
errors. Everything goes by seeds: 4 to 14 for the cases, 5 for the phantoms, 0 for the weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import small_networks
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, minimum_filter, uniform_filter

import xaimri
from xaimri.data import phantom
from xaimri.images.foreground import foreground
from xaimri.perturb.segments import superpixels

sys.modules["coverage"] = None  # numba looks for a package of that name, and would find our benchmark

SIDE = 64
WAYS = ("auto", "mean", "blur", "noise", "inpaint", 0.0)
KINDS = {
    "bright": ("flat1", "flat4", "flat10", "phantom", "real"),
    "soft": ("flat4", "phantom", "real"),
    "dark": ("flat4", "phantom", "real"),
    "mid": ("flat4",),
    "texture": ("flat1", "flat4"),
    "smooth": ("flat4",),
    "blob": ("flat4",),
}
METHODS = {
    "lime": lambda absent: xaimri.LIME(samples=300, absent=absent),
    "shap": lambda absent: xaimri.SHAP(samples=300, adjust=False, absent=absent),
    "partition_shap": lambda absent: xaimri.PartitionSHAP(samples=300, absent=absent),
    "occlusion": lambda absent: xaimri.Occlusion(absent=absent),
    "occlusion of regions": lambda absent: xaimri.Occlusion(regions=50, absent=absent),
    "rise": lambda absent: xaimri.RISE(samples=1000, centred=True, absent=absent),
}
Y, X = np.mgrid[:SIDE, :SIDE]


@dataclass(frozen=True, eq=False)
class Known:
    """An image, a function of it, and where the answer lies."""

    image: np.ndarray
    answer: np.ndarray
    brain: np.ndarray
    model: Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print a table a method."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--methods", nargs="+", default=["lime", "occlusion"], choices=METHODS)
    options.add_argument("--sizes", nargs="+", type=int, default=[4, 7, 13], help="radii of lesions, pixels")
    options.add_argument("--slices", type=Path, help="folder of grey pictures of brains")
    options.add_argument("--cases", type=int, default=14, help="of atrophy; 0 trains no network")
    given = options.parse_args()
    model, cases = atrophy(given.cases) if given.cases else (None, [])
    for name in given.methods:
        print(f"\n## {name}\n")
        lesions(METHODS[name], given.sizes, given.slices)
        print("\n| atrophy | gain | with its sign |")
        for way in WAYS if cases else ():
            maps = [_map(METHODS[name](way), model, image, stage) for image, _, stage in cases]
            both = [_gains(values, case) for values, case in zip(maps, cases, strict=True)]
            error = np.std(both, axis=0) / len(both) ** 0.5
            columns = (f"{m:.2f} ({e:.2f})" for m, e in zip(np.mean(both, axis=0), error, strict=True))
            print(f"| {way} |", " | ".join(columns), "|", flush=True)


def lesions(method, sizes: list[int], slices: Path | None) -> None:
    """Print the share of the positive values in the lesion, a row for each way of hiding."""
    columns = [(kind, base) for kind, bases in KINDS.items() for base in bases if slices or base != "real"]
    bases = _bases(slices)
    rows: dict[object, list[float]] = {way: [] for way in ("ceiling", *WAYS)}
    for kind, base in columns:
        shares: dict[object, list[float]] = {way: [] for way in rows}
        for case in (known(kind, base, bases, r, where) for r in sizes for where in ("inside", "border")):
            labels = superpixels(case.image, 50)
            best = np.array([case.answer[labels == n].mean() for n in range(labels.max() + 1)])
            shares["ceiling"].append(_share(np.append(best, 0)[labels], case.answer, case.brain))
            for way in WAYS:
                values = _map(method(way), case.model, case.image, 1)
                shares[way].append(_share(values, case.answer, case.brain))
        for way, found in shares.items():
            rows[way].append(float(np.mean(found)))
    print("| |", " | ".join(f"{kind}, {base}" for kind, base in columns), "| all |")
    for way, found in rows.items():
        print(f"| {way} |", " | ".join(f"{x:.2f}" for x in [*found, float(np.mean(found))]), "|", flush=True)


def known(kind: str, base: str, bases: dict[str, list[np.ndarray]], radius: int, where: str) -> Known:
    """Paste a lesion of a kind into an image, and count its kind of pixel."""
    generator = np.random.default_rng(radius + (where == "border"))
    noise = generator.standard_normal
    flat = base.startswith("flat")
    if flat:
        brain = ((Y - 32) / 26) ** 2 + ((X - 32) / 22) ** 2 < 1
        clean = np.where(brain, (60 + float(base[4:]) * noise((SIDE, SIDE))).clip(1, 255), 0)
    else:
        clean = bases[base][radius % len(bases[base])].astype(float)
        brain = foreground(clean[..., None])
    cy, cx = _place(generator, brain, radius, where)
    far = (Y - cy) ** 2 + (X - cx) ** 2
    lesion = brain & (far < radius**2)
    if kind in ("bright", "soft", "blob") and not flat:
        clean = 0.6 * clean
    if kind == "bright":
        image, count = (
            np.where(lesion, (130 if flat else 215) + 4 * noise((SIDE, SIDE)), clean),
            _above(95 if flat else 184, 6),
        )
    elif kind == "soft":
        image = clean + (90 if flat else 120) * np.exp(-far / (2 * radius**2))
        lesion, count = brain & (far < 1.2 * radius**2), _above(100 if flat else 184, 6)
    elif kind == "dark":
        clean = clean if flat else np.where(brain, 70 + 0.6 * clean, 0)
        image, count = np.where(lesion, 28 + 2 * noise((SIDE, SIDE)), clean), _between(14, 42, 2)
    elif kind == "mid":
        clean = np.where(X // 11 % 2, 120, 40) + 4 * noise((SIDE, SIDE))
        image, count = np.where(lesion, 80 + 4 * noise((SIDE, SIDE)), clean), _between(62, 98, 3)
    elif kind == "texture":
        image, count = np.where(lesion, clean + 14 * noise((SIDE, SIDE)), clean), _rough(10, 1.5, 3)
    elif kind == "smooth":
        clean = 80 + 16 * noise((SIDE, SIDE))
        image, count = np.where(lesion, 80 + 2 * noise((SIDE, SIDE)), clean), _rough(7, -1, 5)
    else:
        image, count = np.where(lesion, clean + 60, clean), _blob
    image, clean = (np.where(brain, a, 0).clip(0, 255).astype(np.float32) for a in (image, clean))
    without, with_ = (float(count(a[None].astype(float)).sum()) for a in (clean, image))

    def model(images: np.ndarray) -> np.ndarray:
        counted = count(images[..., 0].astype(float)).sum(axis=(1, 2))
        p = _sigmoid(4 * (counted - (without + with_) / 2) / (with_ - without))
        return np.stack([1 - p, p], axis=1)

    return Known(image[..., None], lesion, brain, model)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -50, 50)))


def _above(level: float, width: float):
    return lambda x: _sigmoid((x - level) / width)


def _between(low: float, high: float, width: float):
    return lambda x: _sigmoid((x - low) / width) * _sigmoid((high - x) / width)


def _rough(level: float, width: float, side: int):
    """Pixels inside the brain around which values scatter by more than a level; less, by a negative width."""

    def count(x: np.ndarray) -> np.ndarray:
        near = (0, side, side)
        spread = np.sqrt(np.maximum(uniform_filter(x * x, near) - uniform_filter(x, near) ** 2, 0))
        return _sigmoid((spread - level) / width) * (minimum_filter(x, (0, 5, 5)) > 5)

    return count


def _blob(x: np.ndarray) -> np.ndarray:
    return _sigmoid((gaussian_filter(x, (0, 2, 2)) - gaussian_filter(x, (0, 8, 8)) - 22) / 3)


def _place(generator: np.random.Generator, brain: np.ndarray, radius: int, where: str) -> np.ndarray:
    depth = distance_transform_edt(brain)
    fits = depth > radius + 1 if where == "inside" else (depth > 0) & (depth < 2)
    places = np.argwhere(fits if fits.any() else depth >= depth.max())
    return places[generator.integers(len(places))]


def _bases(slices: Path | None) -> dict[str, list[np.ndarray]]:
    made = [np.asarray(case.source) for case in phantom.make(12, 4, (SIDE, SIDE), seed=3)][1::7][:4]
    files = sorted(slices.glob("*.jpg"))[:40:10] if slices else []
    cut = [Image.open(f).convert("L").resize((SIDE, 76)).crop((0, 6, SIDE, 70)) for f in files]
    return {"phantom": made, "real": [np.asarray(one) for one in cut]}


def atrophy(count: int) -> tuple[xaimri.Model, list[tuple[np.ndarray, np.ndarray, int]]]:
    """Train a network on phantoms; return it with held-out cases that it knows, their changes and stages."""
    import keras

    small_networks.SIZE = (SIDE, SIDE)
    seen, held = small_networks._halves(5, (0, 1, 2, 3), 300)
    keras.utils.set_random_seed(0)
    given = keras.Input((SIDE, SIDE, 1))
    maps = keras.layers.Rescaling(1 / 255)(given)
    for width, stride in ((12, 1), (16, 2), (24, 1), (32, 2), (48, 1)):
        maps = keras.layers.Conv2D(width, 3, stride, "same", use_bias=False)(maps)
        maps = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(maps))
    said = keras.layers.Dense(4, activation="softmax")(keras.layers.GlobalAveragePooling2D()(maps))
    network = keras.Model(given, said)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, 19 * 25)
    network.compile(keras.optimizers.AdamW(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(small_networks.images_of(seen), seen.labels, epochs=25, batch_size=32, verbose=0)
    print(f"held-out accuracy of four stages: {small_networks.accuracy(network, held):.3f}")
    ill = [case for case in held if case.label > 0 and case.mask.mean() > 0.005]
    images = np.stack([np.asarray(case.source, np.float32)[..., None] for case in ill])
    right = network.predict(images, verbose=0).argmax(axis=1) == [case.label for case in ill]
    chosen = np.flatnonzero(right)[:: max(1, int(right.sum()) // count)][:count]
    return xaimri.open_model(network), [(images[i], ill[i].mask, ill[i].label) for i in chosen]


def _map(method, model, image: np.ndarray, target: int) -> np.ndarray:
    return np.asarray(xaimri.explain(model, image, method, target=target).values)


def _share(values: np.ndarray, answer: np.ndarray, brain: np.ndarray) -> float:
    positive = np.where(brain, np.nan_to_num(values), 0).clip(0)
    return float(positive[answer & brain].sum() / (positive.sum() or 1.0))


def _gains(values: np.ndarray, case: tuple[np.ndarray, np.ndarray, int]) -> tuple[float, float]:
    """Return the share of the positive values in what was changed, and of all by sign, over its own share."""
    image, mask, _ = case
    brain = image[..., 0] > 0
    signed = np.where(brain, np.nan_to_num(values), 0)
    part = float((mask & brain).sum() / brain.sum())
    summed = float(signed[mask & brain].sum() / (np.abs(signed).sum() or 1.0))
    return _share(values, mask, brain) / part, summed / part


if __name__ == "__main__":
    main()
