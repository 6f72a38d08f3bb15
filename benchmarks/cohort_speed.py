"""What does a cohort cost beside bare forward passes of its images, files and store included.

``python benchmarks/cohort_speed.py [--images 2000] [--rounds 3] [--profile]`` explains so many files of 208 x
176 pixels by Grad-CAM with a ResNet50 of 224 pixels into a new folder, and alternates that with a compiled
function over the same images, brought to the network's grid before, in batches of 32. Only the ratios count:
by the clock, and by processor time, which is the steadier one on a busy machine.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import tensorflow as tf
from PIL import Image
from slices_speed import BATCH, network

from xaimri import explain_cohort, open_model
from xaimri.cohort.schema import KeptMaps, Precision

SIDES = (208, 176)

KEPT: tuple[tuple[KeptMaps, Precision], ...] = (
    ("whole", "float32"), ("whole", "float16"), ("cells", "float32"), ("none", "float32")
)  # fmt: skip
"""How maps are kept, of which the size of a row is told."""


def write_images(folder: Path, count: int) -> list[Path]:
    """Write so many images of smooth noise, as JPEG files."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    found = []
    for number in range(count):
        coarse = Image.fromarray(chance.integers(0, 255, (26, 22), dtype=np.uint8))
        found.append(folder / f"{number:05d}.jpg")
        coarse.resize(SIDES[::-1], Image.Resampling.BICUBIC).save(found[-1], quality=95)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    net = network()
    model = open_model(net, fit="pad")
    with tempfile.TemporaryDirectory() as temporary:
        scans = Path(temporary, "scans")
        files = write_images(scans, given.images)
        fitted = [model.intake.take(file).fitted.astype(np.uint8) for file in files]
        forward = tf.function(lambda batch: net(batch, training=False))
        runs = iter(range(10**6))

        def bare() -> None:
            for start in range(0, len(fitted), BATCH):
                forward(tf.constant(np.stack(fitted[start : start + BATCH]), tf.float32)).numpy()

        def cohort() -> None:
            explain_cohort(model, scans, "gradcam", out=Path(temporary, f"out{next(runs)}"))

        spent, worked = {bare: list[float](), cohort: list[float]()}, {bare: list[float](), cohort: []}
        for number in range(given.rounds + 1):
            for run in (bare, cohort):
                started, before = time.perf_counter(), time.process_time()
                run()
                if number:  # the first round traces
                    spent[run].append(time.perf_counter() - started)
                    worked[run].append(time.process_time() - before)
        by_clock, by_processor = (
            median(one / other for one, other in zip(each[cohort], each[bare], strict=True))
            for each in (spent, worked)
        )
        print(
            f"Grad-CAM of {given.images:,} images into a store: {by_clock:.3f} times the bare passes by the "
            f"clock, {by_processor:.3f} by processor time, medians of {given.rounds}; "
            f"{1000 * median(worked[bare]) / given.images:.1f} ms of processor time a bare pass, "
            f"{1000 * median(worked[cohort]) / given.images:.1f} ms a case"
        )
        few = files[:64]
        for maps, precision in KEPT:
            out = Path(temporary, f"{maps} {precision}")
            explain_cohort(model, few, "gradcam", out=out, maps=maps, precision=precision)
            size = sum(file.stat().st_size for file in (out / "rows").iterdir())
            print(f"maps={maps!r}, precision={precision!r}: {size / len(few) / 1000:.1f} KB a row")
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(cohort)
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
