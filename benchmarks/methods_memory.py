"""Peak memory of sampling methods on a ResNet50, few samples against many, each in a process of its own.

    python benchmarks/methods_memory.py [--side 160]

Prints the peak above that of one gradient pass of a batch of 8. It should not grow with the number of steps,
copies, samples or features.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

PROGRAM = """
import resource, sys, numpy as np, keras, xaimri
from xaimri.classifier import Objective
side = {side}
network = keras.applications.ResNet50(weights=None, classes=4, input_shape=(side, side, 3))
model = xaimri.KerasClassifier(network)
images = np.random.default_rng(0).uniform(0, 255, (8, side, side, 3)).astype(np.float32)
for _ in range(3):
    model.gradient(images, Objective((0,) * 8))
    model.feature_maps(images[:1], Objective((0,)))
    model.logits(np.concatenate([images] * 4))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
{call}.explain(model, images[:1], 0)
print(peak() - before)
"""

FEW, MANY = 64, 480
CASES = {
    "integrated_gradients": "xaimri.IntegratedGradients(steps={0}, most={0})",
    "expected_gradients": "xaimri.ExpectedGradients(references=images, samples={0})",
    "smoothgrad": "xaimri.SmoothGrad(copies={0})",
    "scorecam": "xaimri.ScoreCAM(features={0})",
}


def main() -> None:
    """Print one line per method."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--side", type=int, default=160)
    side = options.parse_args().side
    print(f"{'method':<22} {FEW:>5}  {MANY:>5}   (MB)")
    for name, call in CASES.items():
        found = []
        for count in (FEW, MANY):
            program = PROGRAM.format(side=side, call=call.format(count))
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            found.append(float(done.stdout.split()[-1]))
        print(f"{name:<22} {found[0]:>5.0f}  {found[1]:>5.0f}", flush=True)


if __name__ == "__main__":
    main()
