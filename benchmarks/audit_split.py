"""Whether the audit of a split finds what is planted, says nothing where nothing is, and ends in time.

``python benchmarks/audit_split.py --data FOLDER`` asks, of the Alzheimer slices and of phantoms:

- ``kaggle``: what is said of the split as Kaggle ships it, and of a random one, with the names and without?
- ``siblings``: how many altered copies are found, and how many of those found are copies? Planted by the
  training's own augmentation, and by albumentations (``pip install albumentations``) in four ways; every
  original has four versions, a random fifth of all is the test, and nobody is named.
- ``honest``: how often is a pair found in 20 splits by subject, of the slices and of phantoms?
- ``scale``: seconds and memory for 30,000 files, of which a fifth is the test.
- ``growth``: seconds for the search among synthetic spectra, up to 100,000.

``--only`` takes some of them, with commas between. Nobody's images are written but to a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from xaimri.audit import audit_split
from xaimri.data import Case, Dataset, alzheimer, load_images, phantom, split
from xaimri.data.polar import RINGS, WAVES, nearest

VERSIONS = 4
PARTS = ("kaggle", "siblings", "honest", "growth", "scale")


def nameless(dataset):
    return replace(dataset, cases=tuple(replace(case, subject=None, slice=None) for case in dataset))


def told(name, audit, seconds):
    worth = audit.controls
    print(
        f"{name:34s}{audit.verdict:26s}{audit.counts()!s:50s}1-NN {worth.nearest}, shuffled "
        f"{worth.shuffled}, apart {worth.apart}, shuffled {worth.shuffled_apart}  {seconds:.0f} s",
        flush=True,
    )


def timed(name, train, test):
    start = time.perf_counter()
    audit = audit_split(train, test)
    told(name, audit, time.perf_counter() - start)
    return audit


def kaggle(folder):
    dataset = alzheimer.load(folder)
    halves = np.array(["test" in case.source.parts for case in dataset])
    chance = np.random.default_rng(0).random(len(dataset)) < 0.2
    for name, test in (("as shipped", halves), ("random slices", chance)):
        sides = [dataset.take(np.flatnonzero(where).tolist()) for where in (~test, test)]
        timed(f"{name}, named", *sides)
        timed(f"{name}, nameless", *map(nameless, sides))


def ours(images, seed):
    """Return the images altered as training alters them."""
    import tensorflow as tf

    from xaimri.training.augment import Augmentation

    change = Augmentation()
    batches = [images[start : start + 64] for start in range(0, len(images), 64)]
    made = [
        change(tf.constant(batch, tf.float32), tf.constant([seed, number])).numpy()
        for number, batch in enumerate(batches)
    ]
    return np.clip(np.concatenate(made)[..., 0], 0, 255).astype(np.uint8)


def theirs(images, seed, strength):
    """Return the images altered by albumentations: turned and moved, cropped, and cropped hard with noise."""
    import albumentations as al

    moved = al.Affine(
        scale=(0.85, 1.15), translate_percent=(-0.08, 0.08), rotate=(-25, 25), shear=(-5, 5), p=1
    )
    spoilt = al.OneOf([al.GaussianBlur((3, 5)), al.GaussNoise((0.01, 0.04)), al.CLAHE()], p=0.5)
    share = (0.8, 1.0) if strength == "cropped" else (0.6, 1.0)
    cropped = al.RandomResizedCrop(size=(190, 200), scale=share, ratio=(0.9, 1.1))
    steps = {
        "moved": [moved, al.RandomBrightnessContrast(), al.RandomGamma((80, 120)), al.Resize(190, 200)],
        "spoilt": [moved, al.RandomBrightnessContrast(), spoilt, al.Resize(190, 200)],
        "cropped": [cropped, al.RandomBrightnessContrast()],
        "cropped hard": [cropped, al.RandomBrightnessContrast(), spoilt],
    }[strength]
    change = al.Compose(
        [al.HorizontalFlip(), al.VerticalFlip(), *steps, al.ImageCompression(quality_range=(70, 95))]
    )
    change.set_random_seed(seed)
    return np.stack([change(image=image[..., 0].astype(np.uint8))["image"] for image in images])


def siblings(folder, many):
    dataset = alzheimer.load(folder)
    people = list(dict.fromkeys(dataset.subjects))
    chosen = set(np.random.default_rng(0).choice(people, many, replace=False))
    some = dataset.take([place for place, case in enumerate(dataset) if case.subject in chosen])
    images = load_images(some, (208, 176))
    print(f"\n{len(some)} slices of {len(chosen)} people, {VERSIONS} versions of each")
    for name, alter in (
        ("training's own", ours),
        *((f"albumentations, {s}", lambda i, n, s=s: theirs(i, n, s))
          for s in ("moved", "spoilt", "cropped", "cropped hard")),
    ):  # fmt: skip
        versions = [images[..., 0].astype(np.uint8)] + [alter(images, seed) for seed in range(1, VERSIONS)]
        cases = [
            Case(f"{place} {number}", case.label, None, version[place])
            for number, version in enumerate(versions)
            for place, case in enumerate(some)
        ]
        planted(name, Dataset(dataset.classes, tuple(cases)))


def planted(name, dataset):
    """Split at random, and count the pairs of versions of one image that are called copies."""
    test = np.random.default_rng(0).random(len(dataset)) < 0.2
    sides = [dataset.take(np.flatnonzero(where).tolist()) for where in (~test, test)]
    start = time.perf_counter()
    audit = audit_split(*sides)
    there, here = [{}, {}]
    for side, held in zip(sides, (there, here), strict=True):
        for case in side:
            held.setdefault(case.id.split()[0], set()).add(case.id)
    true = {(a, b) for key in set(there) & set(here) for a in there[key] for b in here[key]}
    found = {(pair.train, pair.test) for pair in audit.pairs if pair.kind in ("bytes", "pixels", "near")}
    right = found & true
    met = {b for _, b in true}
    print(
        f"{name:30s}{audit.verdict:10s}pairs: recall {len(right) / len(true):.3f}, precision "
        f"{len(right) / max(1, len(found)):.3f}; images of the test: recall "
        f"{len({b for _, b in right}) / len(met):.3f}  ({len(true)} planted, {len(found)} found, "
        f"{time.perf_counter() - start:.0f} s)",
        flush=True,
    )


def honest(folder, splits):
    """Count what is said of splits by subject; names are known, so that uncertain pairs count, too."""
    for name, dataset in (
        ("phantoms", phantom.make(subjects=100, slices=8, seed=7)),
        ("slices", alzheimer.load(folder)),
    ):
        verdicts, pairs = Counter(), 0
        for seed in range(splits):
            parts = split(dataset, 0.0, 0.2, seed=seed)
            audit = audit_split(parts.train, parts.test)
            verdicts[audit.verdict] += 1
            pairs += len(audit.pairs)
            print(f"  {name} {seed} {audit.verdict} {audit.counts()}", flush=True)
        print(f"{name}: {dict(verdicts)}, {pairs} pairs", flush=True)


def growth():
    generator = np.random.default_rng(0)
    for many in (12_500, 25_000, 50_000, 100_000):
        spectra = generator.normal(size=(many, RINGS * WAVES)).astype(np.float32)
        spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
        start = time.perf_counter()
        nearest(spectra[: many // 5], spectra[many // 5 :], 48)
        print(f"{many:7d} images, a fifth tested: {time.perf_counter() - start:6.1f} s", flush=True)


def scale(folder, many):
    dataset = alzheimer.load(folder)
    with tempfile.TemporaryDirectory() as made:
        cases = []
        generator = np.random.default_rng(0)
        for number in range(many):
            case = dataset[number % len(dataset)]
            image = cv2.imread(str(case.source), cv2.IMREAD_GRAYSCALE)
            if number >= len(dataset):
                image = altered(image, generator)
            file = Path(made, f"{number}.jpg")
            cv2.imwrite(str(file), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
            cases.append(Case(str(number), case.label, None, file))
        order = generator.permutation(many)
        cut = many // 5
        sides = [
            Dataset(dataset.classes, tuple(cases[place] for place in part))
            for part in (order[cut:], order[:cut])
        ]
        start, spent = time.perf_counter(), time.process_time()
        audit = timed(f"{many} files", *sides)
        print(
            f"{many} files: {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores, "
            f"{time.process_time() - spent:.0f} s of processor, load {os.getloadavg()[0]:.1f}, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most, {audit.verdict}",
            flush=True,
        )


def altered(image, generator):
    """Return an image turned, scaled, moved, perhaps mirrored, and of another contrast."""
    height, width = image.shape
    map_ = cv2.getRotationMatrix2D(
        (width / 2, height / 2), generator.uniform(-10, 10), generator.uniform(0.9, 1.1)
    )
    map_[:, 2] += generator.uniform(-9, 9, 2)
    moved = cv2.warpAffine(image, map_, (width, height))
    moved = moved[:, ::-1] if generator.random() < 0.5 else moved
    return np.clip(moved * generator.uniform(0.85, 1.15), 0, 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the Alzheimer slices, with train/ and test/")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--splits", type=int, default=20, help="honest splits of each kind")
    parser.add_argument("--images", type=int, default=30_000, help="files of `scale`")
    parser.add_argument("--people", type=int, default=50, help="people of `siblings`, 32 slices each")
    options = parser.parse_args()
    for part in options.only.split(","):
        print(f"\n{part}")
        start = time.perf_counter()
        if part == "kaggle":
            kaggle(options.data)
        elif part == "siblings":
            siblings(options.data, options.people)
        elif part == "honest":
            honest(options.data, options.splits)
        elif part == "growth":
            growth()
        elif part == "scale":
            scale(options.data, options.images)
        else:
            parser.error(f"no such part: {part}")
        print(f"{part}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
