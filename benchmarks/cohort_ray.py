"""Ask what Ray costs and brings: the rate of one worker against that of this process, and of two against one.

A ResNet50 of 224 pixels explains by Grad-CAM. Starting is left out: a rate is counted over the second half of
the images, when all workers have begun. Every worker, and this process, has one thread for TensorFlow, and
this process one processor. Each round runs all three, one after another, each in a process of its own.

    python benchmarks/cohort_ray.py [IMAGES [ROUNDS]]
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ENGINES = {"local": 0, "Ray, one worker": 1, "Ray, two workers": 2}
"""Workers of Ray; 0 for this process alone."""

ONE = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""One thread."""

SIDE = (208, 176)


def main() -> None:
    given = [int(each) for each in sys.argv[1:]]
    images, rounds = (*given, *(1600, 2)[len(given) :])
    rates: dict[str, list[float]] = {name: [] for name in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder) / "images", images)
        for number in range(rounds):
            for name, workers in ENGINES.items():
                out = Path(folder) / f"{number} {workers}"
                call = [sys.executable, __file__, "--one", str(workers), f"{folder}/images", str(out)]
                told = subprocess.run(call, env={**os.environ, **ONE}, capture_output=True, text=True)
                rates[name].append(float(told.stdout.split()[-1]))
                print(f"{name}: {rates[name][-1]:.1f} cases a second", flush=True)
    local, one, two = (statistics.median(each) for each in rates.values())
    print(f"time of Ray with one worker over that of this process: {local / one:.2f} (at most 1.20)")
    print(f"rate of two workers over that of one: {two / one:.2f} (at least 1.7)")


def _draw(folder: Path, count: int) -> None:
    """Write pictures of noise."""
    from PIL import Image

    folder.mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, SIDE, np.uint8)
        Image.fromarray(noise).save(folder / f"{number:05}.png")


def _one(workers: int, folder: str, out: str) -> None:
    """Print the cases a second of one run."""
    import time

    from slices_speed import network

    import xaimri
    from xaimri.cohort import RayEngine

    if not workers:
        os.sched_setaffinity(0, {0})  # two parts at once are no second processor
    seen: list[tuple[float, int]] = []
    xaimri.explain_cohort(
        xaimri.open_model(network(), fit="pad"), folder, "gradcam", out=out,
        engine=RayEngine(workers=workers) if workers else "local",
        progress=lambda told: seen.append((time.perf_counter(), told.done)),
    )  # fmt: skip
    (ended, last) = seen[-1]
    began, first = next(each for each in seen if each[1] >= last / 2)
    print((last - first) / (ended - began))


if __name__ == "__main__":
    if "--one" in sys.argv:
        _one(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    else:
        main()
