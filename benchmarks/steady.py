"""What repeated use costs: import time, retracing, and memory over many calls.

python benchmarks/steady.py [--calls 2000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np

IMPORT = """
import sys, time
start = time.perf_counter()
import xaimri
print(time.perf_counter() - start, "tensorflow" in sys.modules)
"""


def main() -> None:
    """Print import time, traces and memory."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--calls", type=int, default=2000)
    calls = options.parse_args().calls
    runs = [
        subprocess.run(
            [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(7)
    ]
    seconds = sorted(float(run[0]) for run in runs)
    print(
        f"import xaimri: median {seconds[3]:.3f} s of 7; "
        f"TensorFlow loaded: {any(run[1] == 'True' for run in runs)}"
    )
    _repeat(calls)


def _repeat(calls: int) -> None:
    import keras
    import psutil

    import xaimri
    from xaimri.adapters.keras import programs

    model = keras.applications.ResNet50(weights=None, classes=4, input_shape=(64, 64, 3))
    image = np.random.default_rng(0).uniform(0, 255, (70, 60)).astype(np.float32)
    traced: list[object] = []
    original = programs._trace
    programs._trace = lambda *given: traced.append(given[-1]) or original(*given)
    memory = psutil.Process().memory_info
    start = time.perf_counter()
    for call in range(calls + 1):
        xaimri.explain(model, image)
        if call in (calls // 10, calls // 2, calls):
            print(f"call {call}: {memory().rss / 2**20:.0f} MB, {len(traced)} traces", flush=True)
    print(f"{calls} calls in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
