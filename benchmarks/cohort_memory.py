"""Does the memory of a cohort grow with its cases.

``python benchmarks/cohort_memory.py [--cases 1000 20000]`` explains so many small images by saliency, each
number in a process of its own, from files into a folder, and prints the most memory that each held, and what
a case more takes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import xaimri

SIDES = (48, 64)


def work(scans: Path, out: Path) -> None:
    """Explain a folder, and print the most memory that was held, in MB."""
    model = xaimri.LinearClassifier.random((24, 32, 1), classes=2, seed=0)
    xaimri.explain_cohort(model, scans, "saliency", out=out)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, nargs="+", default=[1000, 20_000])
    arguments.add_argument("--work", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.work:
        work(*given.work)
        return
    noise = np.random.default_rng(0).integers(0, 255, (16, *SIDES), dtype=np.uint8)
    held = {}
    with tempfile.TemporaryDirectory() as temporary:
        for count in given.cases:
            scans, out = Path(temporary, f"scans{count}"), Path(temporary, f"out{count}")
            scans.mkdir()
            for number in range(count):
                Image.fromarray(noise[number % 16]).save(scans / f"{number:06d}.png")
            words = [sys.executable, __file__, "--work", str(scans), str(out)]
            held[count] = float(subprocess.run(words, check=True, capture_output=True).stdout.split()[-1])
            print(f"{count:,} cases: {held[count]:.0f} MB at most", flush=True)
    few, many = min(held), max(held)
    if many > few:
        print(f"a case more takes {1000 * (held[many] - held[few]) / (many - few):.2f} KB")


if __name__ == "__main__":
    main()
