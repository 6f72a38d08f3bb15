"""How long does the same call take to find that a cohort of 100,000 finished cases is done: five seconds.

``python benchmarks/cohort_resume.py [--cases 100000] [--rounds 3] [--at FOLDER] [--profile]`` writes so many
small images and the rows of all of them: the first part as it is explained, the others as copies of it for
their own images, as only their names, stamps and number count here. Then it gives the same call again, which
lists the cases, holds every image's stamp against its row's, and ends. Printed are the medians of clock and
processor time. FOLDER keeps images and store for another time.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

import xaimri
from xaimri.cohort.sameness import stamp_of
from xaimri.errors import Cancelled

MODEL = xaimri.LinearClassifier.random((6, 8, 1), classes=2, seed=0)

FOLDER_OF = 1000
"""Images in one folder."""


def write_images(scans: Path, count: int) -> list[Path]:
    """Write so many images, sixteen different ones."""
    found = []
    noise = np.random.default_rng(0).integers(0, 255, (16, 12, 16), dtype=np.uint8)
    for number in range(count):
        file = scans / f"{number // FOLDER_OF:04d}" / f"{number:06d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            Image.fromarray(noise[number % 16]).save(file)
        found.append(file)
    return found


def write_rows(scans: Path, files: list[Path], out: Path) -> None:
    """Explain the first part, and write those of all others like it."""
    with suppress(Cancelled):
        xaimri.explain_cohort(MODEL, scans, "saliency", out=out, progress=lambda _: False)
    first = parquet.read_table(out / "rows" / "part-000000.parquet")
    together = len(first)
    for start in range(together, len(files), together):
        own = files[start : start + together]
        table = first.slice(0, len(own))
        told = {
            "case": [file.relative_to(scans).as_posix() for file in own],
            "source": [str(file) for file in own],
            "stamp": [stamp_of(file) for file in own],
        }
        for name, values in told.items():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(place), pa.array(values, pa.string()))
        parquet.write_table(table, out / "rows" / f"part-{start // together:06d}.parquet", compression="zstd")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--at", type=Path)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = (given.at or Path(temporary)).absolute()
        scans, out = root / "scans", root / "out"
        files = write_images(scans, given.cases)
        if not out.exists():
            write_rows(scans, files, out)
        spent, worked = [], []
        for _ in range(given.rounds):
            started, before = time.perf_counter(), time.process_time()
            found = xaimri.explain_cohort(MODEL, scans, "saliency", out=out)
            spent.append(time.perf_counter() - started)
            worked.append(time.process_time() - before)
        assert found.done == given.cases
        print(
            f"{given.cases:,} finished cases: {median(spent):.2f} s by the clock, {median(worked):.2f} s of "
            f"processor time, medians of {given.rounds}"
        )
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(xaimri.explain_cohort, MODEL, scans, "saliency", out=out)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
