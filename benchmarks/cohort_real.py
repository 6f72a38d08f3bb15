"""The 6,400 real slices as one cohort by three methods, killed twice on the way.

``python benchmarks/cohort_real.py --out FOLDER [--shared SHARED] [--seed 0]`` runs ``xaimri cohort run`` with
the trained ResNet50 of four stages, by Grad-CAM, saliency, and LIME of 16 samples and 8 regions. SIGKILL
comes at a random moment behind a fifth of the cases, SIGTERM behind three fifths; each time the same command
is given again. Printed are how each run ended and what it left, then time, size, failures and caveats of the
whole. Every file that a killed run left must be there unchanged in the end, and every row once.

SHARED is the folder with the slices (``data/alzheimer``) and the networks (``models``).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from real_slices import SHARED

from xaimri import cohort
from xaimri.data import alzheimer
from xaimri.errors import InvalidInput

METHODS = "gradcam,saliency,lime"

LOOK = 2.0
"""Seconds between two looks at how far a run is."""

KILLS = ((0.2, signal.SIGKILL), (0.6, signal.SIGTERM))
"""Behind which share of the cases, and by which signal."""


def command(given: argparse.Namespace) -> list[str]:
    """Return the command, and write the table of cases that it reads."""
    table = given.out.with_suffix(".csv")
    dataset = alzheimer.load(given.shared / "data" / "alzheimer")
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "case", "subject", "label"))
        for case in dataset:
            writer.writerow(
                (Path(case.source).absolute(), case.id, case.subject, dataset.classes[case.label])
            )
    model = given.shared / "models" / "resnet50_stages.keras"
    asked = ["-m", METHODS, "--samples", "16", "--regions", "8", "--precision", "float16", "--fit", "pad"]
    names = ["--classes", ",".join(dataset.classes)]
    return [sys.executable, "-m", "xaimri", "cohort", "run", str(model), str(table), "-o", str(given.out)] + (
        asked + names
    )


def done(out: Path) -> float:
    """Return the share of cases that have their rows."""
    try:
        found = cohort.open(out)
    except InvalidInput:
        return 0.0
    return found.done / found.manifest.count


def run(words: list[str], out: Path, end: tuple[float, signal.Signals] | None, wait: float) -> int:
    """Give the command; send it a signal so long after a share of the cases is done. Return its exit code."""
    with out.with_suffix(".log").open("a") as log:
        child = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            while child.poll() is None and (end is None or done(out) < end[0]):
                time.sleep(LOOK)
            if end is not None and child.poll() is None:
                time.sleep(wait)
                child.send_signal(end[1])
            return child.wait()
        finally:
            child.kill()


def files(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of rows."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted((out / "rows").glob("*.parquet"))
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--shared", type=Path, default=SHARED)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    words, chance = command(given), random.Random(given.seed)
    print(" ".join(words[1:]), flush=True)
    begun, left = time.perf_counter(), dict[str, str]()
    for end in (*KILLS, None):
        started = time.perf_counter()
        code = run(words, given.out, end, chance.uniform(0, 20))
        now = files(given.out)
        changed = [name for name, content in left.items() if now.get(name) != content]
        assert not changed, f"changed or lost: {changed}"
        left = now
        says = given.out.with_suffix(".log").read_text().strip().splitlines()[-1]
        name = "no signal" if end is None else end[1].name
        spent, there = time.perf_counter() - started, done(given.out)
        print(f"{name}: exit code {code} after {spent:.0f} s, {there:.3f} of the cases there: {says}")
        sys.stdout.flush()
    told(given.out, time.perf_counter() - begun)


def told(out: Path, seconds: float) -> None:
    """Print what came of it."""
    found = cohort.open(out)
    table = found.table(["case", "method", "caveats", "failure"])
    rows = table.to_pylist()
    assert len({(row["case"], row["method"]) for row in rows}) == len(rows) == 3 * found.manifest.count
    size = sum(file.stat().st_size for file in (out / "rows").iterdir())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{found}: {len(rows):,} rows, {seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor "
        f"time, {size / 1e6:.0f} MB in {len(files(out))} files, peak {used.ru_maxrss / 1024:.0f} MB, "
        f"{sum(row['failure'] is not None for row in rows)} failures"
    )
    for method in found.methods:
        own = [row["caveats"] or [] for row in rows if row["method"] == method]
        counts = Counter(each["name"] for caveats in own for each in caveats)
        print(f"{method}: {dict(counts.most_common())}")


if __name__ == "__main__":
    main()
