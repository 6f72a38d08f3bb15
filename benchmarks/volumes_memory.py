"""Peak memory and time of every method on a volume of 160 x 192 x 160 voxels with a small 3-D network.

    python benchmarks/volumes_memory.py [--only gradcam,lime] [--size 160,192,160] [--most 8]

Each method runs in a process of its own, with few samples so that it ends: memory does not depend on their
number, which ``--samples`` changes. The network has random weights; its first layer keeps the whole grid. A
process that takes more than ``--most`` GiB is ended, and its line says so.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import xaimri

FILTERS = (4, 8, 16)
OVER = 77


def methods(number: int, references: np.ndarray) -> dict[str, Callable[[], xaimri.Explainer]]:
    """Return every method with about so many samples."""
    return {
        "gradcam": lambda: xaimri.GradCAM(),
        "gradcam++": lambda: xaimri.GradCAMPlusPlus(),
        "hirescam": lambda: xaimri.HiResCAM(),
        "layercam": lambda: xaimri.LayerCAM(),
        "scorecam": lambda: xaimri.ScoreCAM(features=number),
        "eigencam": lambda: xaimri.EigenCAM(),
        "saliency": lambda: xaimri.Saliency(),
        "input_x_gradient": lambda: xaimri.InputXGradient(),
        "integrated_gradients": lambda: xaimri.IntegratedGradients(steps=number, most=number),
        "expected_gradients": lambda: xaimri.ExpectedGradients(references=references, samples=number),
        "gradient_shap": lambda: xaimri.GradientSHAP(references=references, samples=number),
        "smoothgrad": lambda: xaimri.SmoothGrad(copies=number),
        "vargrad": lambda: xaimri.VarGrad(copies=number),
        "lime": lambda: xaimri.LIME(samples=4 * number),
        "shap": lambda: xaimri.SHAP(samples=4 * number),
        "partition_shap": lambda: xaimri.PartitionSHAP(samples=4 * number),
        "occlusion": lambda: xaimri.Occlusion(window=64, stride=64),
        "rise": lambda: xaimri.RISE(samples=4 * number),
    }


def main() -> None:
    """Print one line per method."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", default="160,192,160")
    options.add_argument("--samples", type=int, default=10)
    options.add_argument("--most", type=float, default=8.0, help="GiB")
    options.add_argument("--only", default="")
    options.add_argument("--method", help="run this one here")
    given = options.parse_args()
    size = tuple(int(n) for n in given.size.split(","))
    if given.method:
        print(*run(given.method, size, given.samples, given.most))
        return
    names = given.only.split(",") if given.only else ["logits", "gradient", *xaimri.explainers.EXPLAINERS]
    print(f"{'method':<22} {'peak, MB':>9} {'seconds':>8}")
    for name in names:
        command = [sys.executable, "-P", __file__, "--method", name, "--size", given.size]
        command += ["--samples", str(given.samples), "--most", str(given.most)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            more = f"more than {given.most:g} GiB" if done.returncode == OVER else done.stderr[-1500:]
            print(f"{name:<22} {more}", flush=True)
            continue
        peak, seconds = map(float, done.stdout.split()[-2:])
        print(f"{name:<22} {peak:>9.0f} {seconds:>8.0f}", flush=True)


def run(name: str, size: tuple[int, ...], number: int, most: float) -> tuple[float, float]:
    """Return peak memory in MB and seconds of a method, after the network has answered once."""
    threading.Thread(target=watch, args=(most,), daemon=True).start()
    image = volume(size)
    from xaimri.classifier import Objective
    from xaimri.training import build_cnn3d

    classifier = xaimri.KerasClassifier(build_cnn3d(2, size=size, filters=FILTERS))
    classifier.logits(image[None])
    start = time.perf_counter()
    if name == "gradient":
        classifier.gradient(image[None], Objective((0,)))
    elif name != "logits":
        references = np.stack([image[::-1], 0 * image])
        xaimri.explain(classifier, image, methods(number, references)[name]())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter() - start


def volume(size: tuple[int, ...]) -> np.ndarray:
    """Return a phantom's volume, enlarged, with noise: ``(*size, 1)`` of 0 to 255."""
    from scipy.ndimage import zoom

    from xaimri.data import phantom

    small = phantom.make(1, 1, tuple(max(16, n // 4) for n in size)).cases[0].source.astype(np.float32)
    large = zoom(small, [n / m for n, m in zip(size, small.shape, strict=True)], order=1)
    noise = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    return np.where(large > 8, np.clip(large + 5 * noise, 1, 255), 0).astype(np.float32)[..., None]


def watch(most: float) -> None:
    """End this process where it holds more than so many GiB."""
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        if int(Path("/proc/self/statm").read_text().split()[1]) * page > most * 2**30:
            os._exit(OVER)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
