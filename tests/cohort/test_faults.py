"""Kills at random moments and in each step of writing, disks that fill up, broken files: no row is lost.

`XAIMRI_FAULTS=100 pytest -s tests/cohort/test_faults.py` makes so many of each; a few without.
"""

import gzip
import io
import os
import random
import signal
import struct
import time
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image

import killers
import xaimri
from deaths import every_change, files_of_at_most, killed
from unreadable import SHAPE, UNREADABLE, bar
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.cohort import request
from xaimri.errors import Cancelled, InvalidInput, StorageFault

pytest.importorskip("pyarrow")
pytest.importorskip("loky")

FAULTS = int(os.environ.get("XAIMRI_FAULTS", "0"))
METHODS = ["saliency", "hirescam"]
SCANS = {f"{n}": np.random.default_rng(n).random((12, 16)).astype(np.float32) for n in range(7)}

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(request, "TOGETHER", 3)


def explained(out, cases=SCANS, **options):
    model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    return xaimri.explain_cohort(model, cases, METHODS, out=out, **options)


def rows(cohort):
    """Return all rows but for their times."""
    from xaimri.cohort.schema import COLUMNS

    found = cohort.table([name for name in COLUMNS if name != "seconds"]).to_pylist()
    return sorted(found, key=lambda row: (row["case"], row["method"]))


@pytest.fixture
def expected(tmp_path):
    return rows(explained(tmp_path / "expected"))


def check_readable(out):
    """See that what is there can be read, and has whole parts alone."""
    if (out / "cohort.json").exists():
        cohort = open_cohort(out)
        assert len(cohort) == len(rows(cohort)) == 2 * cohort.done
        until = time.monotonic() + 120
        while cohort.at_work is not None:  # a process that was just being started holds the lock for a moment
            assert time.monotonic() < until
            time.sleep(0.02)


def test_every_change_of_the_folder_fails_once_on_a_full_disk(tmp_path, expected):
    failures = 0
    for disk in every_change("full", step=1 if FAULTS else 6):
        out = tmp_path / f"full {disk.at}"
        with disk.below(out):
            explained(out)
        check_readable(out)
        assert rows(explained(out)) == expected
        failures += disk.failed
    print(f"\n{failures} changes of the folder failed on a full disk, one a run: the same rows each time")
    assert failures >= 3


def test_every_size_at_which_the_disk_is_full_ends_in_a_sentence(tmp_path, expected):
    whole = explained(tmp_path / "whole")
    largest = max(file.stat().st_size for file in (tmp_path / "whole").rglob("*") if file.is_file())
    below = 0.9 * largest  # rows hold their seconds, so that no two runs' files are of one size to the byte
    sizes = np.linspace(0, below, max(4, FAULTS)).astype(int)
    for size in sizes:
        out = tmp_path / f"at {size}"
        with files_of_at_most(int(size)), pytest.raises(StorageFault, match="File too large") as fault:
            explained(out)
        assert "\n" not in str(fault.value)
        check_readable(out)
        assert rows(explained(out)) == expected
    print(f"\n{len(sizes)} sizes at which a file could not be written on: the same rows each time")
    assert rows(whole) == expected


@needs_fork
@pytest.mark.slow
def test_a_kill_in_each_step_of_writing_costs_no_row(tmp_path, expected):
    kills = 0
    for disk in every_change("killed", step=1 if FAULTS else 12):
        out = tmp_path / f"killed {disk.at}"
        kills += killed(disk, out, lambda out=out: explained(out))
        check_readable(out)
        assert rows(explained(out)) == expected
        assert {file.name for file in out.rglob("*") if file.name.startswith(".")} == set()
    print(f"\n{kills} kills, each before another change of the folder: the same rows each time")
    assert kills >= 2


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize("isolated", [False, True])
def test_kills_at_random_moments_cost_no_row(tmp_path, expected, isolated):
    moments = random.Random(int(isolated))
    begun = time.monotonic()
    explained(tmp_path / "timed", isolated=isolated)
    seconds = 1.2 * (time.monotonic() - begun)
    kills = runs = cohorts = row = 0
    while kills < (FAULTS or 2):
        cohorts += 1
        out, going = tmp_path / f"random {cohorts}", True
        while going:
            child = os.fork()
            if not child:
                try:
                    explained(out, isolated=isolated)
                finally:
                    os._exit(0)
            runs += 1
            time.sleep(seconds * moments.random() * 1.2**row)
            os.kill(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert code in (0, -signal.SIGKILL)
            kills += code != 0
            row = row + 1 if code else 0  # the longer a machine takes, the later
            check_readable(out)
            going = code != 0 and kills < (FAULTS or 2)
        assert rows(explained(out, isolated=isolated)) == expected
    print(f"\n{kills} kills at random moments of {runs} runs of {cohorts} cohorts: the same rows each time")


def png_of(side):
    """Return a PNG that says it has so many pixels a side, and has none."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def npy(array):
    """Return the bytes of a file of NumPy."""
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


BROKEN = {
    **UNREADABLE,
    "bomb": lambda path: path.write_bytes(png_of(60_000)),
    "nan": lambda path: path.write_bytes(npy(np.full(SHAPE, np.nan))),
    "no pixels": lambda path: path.write_bytes(npy(np.zeros((0, 5)))),
    "cut volume": lambda path: path.with_suffix(".nii.gz").write_bytes(gzip.compress(bytes(4000))[:-9]),
}
"""Twelve kinds of broken files."""


@cache
def sound_image(number):
    return np.random.default_rng(number).integers(0, 255, SHAPE, np.uint8)


def test_one_file_in_twenty_is_broken_in_twelve_ways(tmp_path, monkeypatch):
    bar(monkeypatch)
    monkeypatch.setattr(request, "TOGETHER", 32)
    count = max(240, 12 * FAULTS)
    sound, files, kinds = [], [], list(BROKEN)
    for number in range(count):
        kind = kinds[number // 20 % 12] if number % 20 == 7 else None
        file = tmp_path / f"{number}{'.nii.gz' if kind == 'cut volume' else '.png'}"
        if kind is None:
            Image.fromarray(sound_image(number)).save(file)
            sound.append(number)
        else:
            BROKEN[kind](tmp_path / f"{number}.png")
        files.append(file)
    found = rows(explained(tmp_path / "run", files))
    assert len(found) == 2 * count
    failed = {int(row["case"]) for row in found if row["failure"] is not None}
    assert failed == set(range(count)) - {*sound}
    for row in found:
        if row["failure"] is not None:
            assert row["stage"] == "read"
            assert "\n" not in row["failure"]
    whole = rows(explained(tmp_path / "whole", {str(n): sound_image(n) for n in sound}))
    maps = {(row["case"], row["method"]): row["map"] for row in found if row["failure"] is None}
    for row in whole:
        np.testing.assert_allclose(maps[row["case"], row["method"]], row["map"], atol=1e-5)
    assert rows(explained(tmp_path / "run", files)) == found
    print(
        f"\n{len(failed)} of {count} files broken in 12 ways: a row with its sentence each, all others whole"
    )


@pytest.mark.skipif(
    not FAULTS, reason="XAIMRI_FAULTS says how many: a few of each stand in test_isolation.py"
)
def test_many_cases_end_their_process_in_every_way(tmp_path):
    ways = random.Random(0)
    given, deadly = {}, {}
    for number in range(4 * FAULTS):
        way = ways.choice(list(killers.WAYS)) if number % 4 == 1 else None
        given[str(number)] = killers.image(number, way)
        if way is not None:
            deadly[str(number)] = way
    model = xaimri.open_model(killers.Deadly(), classes=["well", "ill"])
    rise = {"rise": xaimri.RISE(samples=20)}
    found = rows(xaimri.explain_cohort(model, given, rise, out=tmp_path / "run", timeout=2))
    assert [row["case"] for row in found] == sorted(given)
    for row in found:
        told = deadly.get(row["case"])
        assert (row["failure"] is None) if told is None else row["failure"].endswith(killers.TOLD[told])
    print(f"\n{len(deadly)} of {len(given)} cases end their process, hang or take all memory: a row each")


def test_another_model_is_refused_after_a_fault_where_anything_is_explained(tmp_path):
    other = LinearClassifier.random((6, 8, 1), classes=3, seed=1, patch=2)
    for name in ("nothing", "some"):
        if name == "some":
            with pytest.raises(Cancelled):
                explained(tmp_path / name, progress=lambda _: False)
        with files_of_at_most(3000), pytest.raises(StorageFault):
            explained(tmp_path / name)
    with pytest.raises(InvalidInput, match="the model, which gives other scores"):
        xaimri.explain_cohort(other, SCANS, METHODS, out=tmp_path / "some")
    anew = xaimri.explain_cohort(other, SCANS, METHODS, out=tmp_path / "nothing")
    fresh = xaimri.explain_cohort(other, SCANS, METHODS, out=tmp_path / "fresh")
    assert rows(anew) == rows(fresh)
