"""A cohort by Ray: the same rows as here, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import xaimri
from children import below, left_of, started
from cohorts import gated_model
from xaimri import LinearClassifier
from xaimri.cohort import RayEngine
from xaimri.cohort import open as open_cohort
from xaimri.cohort.ray_session import LOST
from xaimri.errors import Cancelled, InvalidInput, MissingExtra, StorageFault, XaimriError

pytest.importorskip("pyarrow")
ray = pytest.importorskip("ray", reason="Ray is not installed: it comes with the extra `cohort`")

pytestmark = pytest.mark.slow

SETTINGS = {"samples": 20, "regions": 4}
SHAPE = (6, 8, 1)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start Ray once for all that do not start their own."""
    from xaimri.cohort.ray_session import ray_session

    with ray_session(RayEngine(workers=4)):
        yield


def model(seed=0):
    return LinearClassifier.random(SHAPE, classes=3, seed=seed, patch=2)


def scans(count):
    """Return images; those from the third part on have values above 1."""
    draw = np.random.default_rng
    return {f"scan {n}": draw(n).random((12, 16)).astype(np.float32) + (n >= 64) for n in range(count)}


def rows(cohort):
    from xaimri.cohort.schema import COLUMNS

    return cohort.table([name for name in COLUMNS if name != "seconds"]).to_pylist()


def same(one, two):
    """See that all rows are equal, in order, numbers to 1e-5."""
    assert len(one) == len(two)
    for first, second in zip(one, two, strict=True):
        for name, value in first.items():
            if isinstance(value, float) or (isinstance(value, list) and value and name != "caveats"):
                np.testing.assert_allclose(second[name], value, atol=1e-5, err_msg=name)
            elif name != "diagnostics":
                assert second[name] == value, name


def deadly():
    """Return a function that ends its process where a pixel is above 10,000, and hangs above 100,000,000."""

    def scores(images):
        if (images > 1e8).any():
            time.sleep(600)
        if (images > 1e4).any():
            os._exit(1)
        one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
        return np.stack([one, 1 - one], axis=1)

    return scores


@pytest.mark.parametrize("workers", [1, 2])
def test_the_rows_are_those_of_this_process(tmp_path, workers):
    asked = {"methods": ["saliency", "lime"], "target": "class_1", **SETTINGS}
    here = xaimri.explain_cohort(model(), scans(70), out=tmp_path / "here", **asked)
    told = []
    there = xaimri.explain_cohort(
        model(), scans(70), out=tmp_path / "there", engine=RayEngine(workers=workers), progress=told.append,
        **asked,
    )  # fmt: skip
    same(rows(here), rows(there))
    files = [sorted(each.name for each in (tmp_path / at).rglob("*.parquet")) for at in ("here", "there")]
    assert files[0] == files[1]
    assert not (tmp_path / "there" / "checkpoint").exists()
    assert (told[-1].done, told[-1].total, told[-1].failures) == (70, 70, 0)
    assert ray.is_initialized()


def processes():
    """Return how many processes the Ray of this one has."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
            parents[int(stat.parent.name)] = (name, int(rest.split()[1]))
    own = {pid for pid, (name, parent) in parents.items() if name == "raylet" and parent == os.getpid()}
    return sum(parent in own for _, parent in parents.values())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted by /proc")
def test_many_parts_take_no_more_processes_than_few(tmp_path):
    """Ray would begin one for each part that it lists, as listing takes no processor."""
    before, seen = processes(), []
    xaimri.explain_cohort(
        model(), scans(40 * 32), "saliency", out=tmp_path, engine=RayEngine(workers=1),
        progress=lambda _: seen.append(processes()),
    )  # fmt: skip
    assert before > 0
    assert max(seen) - before <= 16


def test_what_is_at_fault_is_a_row_and_the_run_goes_on(tmp_path):
    given = scans(36)
    given["scan 33"] = np.full((12, 16), 1e6)
    names = {n: tmp_path / f"{n:02}.npy" for n in range(36)}
    for file, image in zip(names.values(), given.values(), strict=True):
        np.save(file, image)
    names[3].write_bytes(b"no image")
    cohort = xaimri.explain_cohort(
        xaimri.open_model(deadly(), classes=["a", "b"]), list(names.values()), "lime", out=tmp_path / "out",
        engine=RayEngine(workers=2), **SETTINGS,
    )  # fmt: skip
    assert cohort.done == len(cohort) == 36
    told = {row["case"]: row for row in cohort.filter(failed=True).table().to_pylist()}
    assert {case: row["stage"] for case, row in told.items()} == {"3": "read", "33": "explain"}
    assert "03.npy" in told["3"]["failure"]
    assert "ended its worker, alone too" in told["33"]["failure"]
    assert told["33"]["image_sha256"]
    one = xaimri.explain(deadly(), given["scan 35"], "lime", classes=["a", "b"], **SETTINGS)
    np.testing.assert_allclose(cohort.explanation("35", "lime").values, one.values, atol=1e-5)


def test_a_case_that_hangs_is_a_row(tmp_path):
    given = {**scans(1), "hangs": np.full((12, 16), 1e9)}
    named = xaimri.open_model(deadly(), classes=["a", "b"])
    cohort = xaimri.explain_cohort(
        named, given, "rise", out=tmp_path, engine="ray", timeout=6.0, samples=20
    )  # fmt: skip
    (told,) = cohort.filter(failed=True).table(["case", "failure"]).to_pylist()
    assert told["case"] == "hangs"
    assert "took more than 6 s, alone too: give a longer `timeout`" in told["failure"]


def test_a_worker_that_is_killed_costs_nothing(tmp_path):
    pids, gone = tmp_path / "pids", tmp_path / "gone"
    pids.mkdir()

    def scores(images):
        (pids / str(os.getpid())).touch()
        until = time.monotonic() + 300
        while images.max() > 1 and not gone.exists() and time.monotonic() < until:
            time.sleep(0.01)  # so that there is work left
        one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
        return np.stack([one, 1 - one], axis=1)

    killed = []

    def kill(told):
        if not killed:
            (worker,) = {int(each.name) for each in pids.iterdir()} - {os.getpid()}
            killed.append(worker)
            os.kill(worker, signal.SIGKILL)
            gone.touch()

    given = scans(100)
    named = xaimri.open_model(scores, classes=["a", "b"])
    asked = {"methods": "lime", "out": tmp_path / "out", "engine": RayEngine(workers=1), **SETTINGS}
    cohort = xaimri.explain_cohort(named, given, progress=kill, **asked)
    assert killed
    assert len(list(pids.iterdir())) >= 3
    assert (cohort.done, len(cohort.filter(failed=True))) == (100, 0)


def test_where_what_knows_of_the_run_is_lost_it_is_one_sentence(tmp_path):
    gate, killed = tmp_path / "gate", []

    def kill(told):
        (notes,) = [pid for pid, (name, *_) in below(os.getpid()).items() if name.startswith("ray::Notes")]
        os.kill(notes, signal.SIGKILL)
        killed.append(notes)
        gate.touch()

    given = scans(100)
    asked = {"methods": "rise", "out": tmp_path / "out", "engine": RayEngine(workers=1), "samples": 4}
    with pytest.raises(XaimriError, match=r"^Ray can't go on \(.*the same call goes on\.$"):
        xaimri.explain_cohort(gated_model(gate), given, progress=kill, **asked)
    assert len(killed) == 1
    assert 0 < open_cohort(tmp_path / "out").done < 100
    assert len(xaimri.explain_cohort(gated_model(), given, **asked).filter(failed=False)) == 100


def test_either_engine_goes_on_with_what_the_other_began(tmp_path):
    asked = {"methods": ["saliency", "lime"], **SETTINGS}
    expected = rows(xaimri.explain_cohort(model(), scans(100), out=tmp_path / "whole", **asked))
    with pytest.raises(Cancelled):
        xaimri.explain_cohort(model(), scans(100), out=tmp_path / "a", progress=lambda _: False, **asked)
    assert open_cohort(tmp_path / "a").done == 32
    (tmp_path / "a" / "checkpoint").mkdir()  # of another run, which knows of other parts
    kept = (tmp_path / "a" / "rows" / "part-000000.parquet").stat().st_mtime_ns
    same(
        expected, rows(xaimri.explain_cohort(model(), scans(100), out=tmp_path / "a", engine="ray", **asked))
    )
    assert (tmp_path / "a" / "rows" / "part-000000.parquet").stat().st_mtime_ns == kept
    with pytest.raises(Cancelled, match="the same call goes on"):
        xaimri.explain_cohort(
            model(), scans(100), out=tmp_path / "b", progress=lambda _: False, engine=RayEngine(1), **asked
        )
    assert open_cohort(tmp_path / "b").done >= 32
    same(expected, rows(xaimri.explain_cohort(model(), scans(100), out=tmp_path / "b", **asked)))


def test_what_stops_all_is_said_in_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match="in the memory of this process"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out="memory://ray", engine="ray")
    with (
        (tmp_path / "x").open("wb") as file,
        pytest.raises(InvalidInput, match="can't be sent to Ray's workers"),
    ):
        xaimri.explain_cohort(model(), {"a": file}, out=tmp_path / "1", engine="ray")

    def full(*_):
        raise StorageFault("the disk is full: make room.")

    asked = {"methods": "saliency", "out": tmp_path / "3", "engine": "ray"}
    with pytest.raises(StorageFault, match="disk is full"):
        xaimri.explain_cohort(model(), scans(2), **asked, progress=full)
    assert len(xaimri.explain_cohort(model(), scans(2), **asked)) == 2
    with pytest.raises(InvalidInput, match="holds another cohort"):
        xaimri.explain_cohort(model(1), scans(2), **asked)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r'pip install "xaimri\[cohort\]"'):
        xaimri.explain_cohort(model(), scans(2), **asked)


DRIVER = """
import sys, time
import numpy as np
import xaimri
from xaimri.cohort import RayEngine

class Held(xaimri.LinearClassifier):
    def logits(self, images):
        until = time.monotonic() + 300
        while images.max() > 1 and time.monotonic() < until:
            time.sleep(0.05)
        return super().logits(images)

model = Held.random((6, 8, 1), classes=3, seed=0, patch=2)
draw = np.random.default_rng
given = {f"scan {n}": draw(n).random((12, 16)).astype(np.float32) + (n >= 64) for n in range(100)}
xaimri.explain_cohort(
    model, given, ["saliency", "lime"], out=sys.argv[1], engine=RayEngine(workers=1), samples=20, regions=4,
    progress=lambda told: print(told.done, flush=True) or sys.stdin.read(1),
)
"""
"""A run that does not come to the end of its last two parts before it is killed."""

NODES = """
import sys, time
from pathlib import Path
import numpy as np
import xaimri
from ray.cluster_utils import Cluster
from xaimri.cohort import RayEngine

out, lost = map(Path, sys.argv[1:])

def scores(images):
    until = time.monotonic() + 300
    while images.max() > 1 and not lost.exists() and time.monotonic() < until:
        time.sleep(0.05)
    one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
    return np.stack([one, 1 - one], axis=1)

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
second = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
model = xaimri.open_model(scores, classes=["a", "b"])
draw = np.random.default_rng
given = {f"scan {n}": draw(n).random((12, 16)) + (n >= 64) for n in range(160)}
gone = []

def lose(told):
    if not gone:
        cluster.remove_node(second, allow_graceful=False)
        gone.append(told.done)
        lost.touch()

cohort = xaimri.explain_cohort(
    model, given, ["rise", "lime"], out=out, progress=lose, samples=20,
    engine=RayEngine(2, address=cluster.address),
)
print(gone[0], len(cohort), len(cohort.filter(failed=True)))
cluster.shutdown()
"""
"""A cluster of two machines on this one, of which one is lost while both are at work: they wait for it."""


def test_a_run_that_was_killed_goes_on(tmp_path):
    asked = {"methods": ["saliency", "lime"], **SETTINGS}
    with started(DRIVER, tmp_path / "a", stdin=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        done = int(driver.stdout.readline())
        began = below(driver.pid)
        driver.kill()
        _, told = driver.communicate(timeout=300)
    assert told == f"xaimri: {LOST}\n"  # Ray itself says nothing
    assert left_of(began) == []  # which might write on
    part = open_cohort(tmp_path / "a")
    assert done <= part.done <= 64
    assert (tmp_path / "a" / "checkpoint").is_dir()
    kept = {each: each.stat().st_mtime_ns for each in (tmp_path / "a" / "rows").iterdir()}
    found = xaimri.explain_cohort(model(), scans(100), out=tmp_path / "a", engine=RayEngine(2), **asked)
    same(rows(xaimri.explain_cohort(model(), scans(100), out=tmp_path / "b", **asked)), rows(found))
    assert {each: each.stat().st_mtime_ns for each in kept} == kept


def test_a_machine_that_is_lost_costs_nothing(tmp_path):
    with started(NODES, tmp_path / "out", tmp_path / "lost", stderr=subprocess.DEVNULL) as nodes:
        told, _ = nodes.communicate(timeout=900)
    done, explained, failed = map(int, told.splitlines()[-1].split())
    assert 0 < done <= 64  # the others wait for the loss
    assert (explained, failed) == (320, 0)
