"""A cohort on a store that fsspec reaches: on S3 as in a folder, and every fault is one sentence."""

import csv
from typing import ClassVar

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

import xaimri
from buckets import bucket
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.cohort.lease import LEASES
from xaimri.cohort.place import place_of
from xaimri.errors import Cancelled, InvalidInput, StorageFault

pytest.importorskip("pyarrow")

MODEL = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
SCANS = {f"scan {n}": np.random.default_rng(n).random((6, 8)).astype(np.float32) for n in range(40)}
COLUMNS = ["case", "method", "map", "logits", "caveats", "diagnostics", "failure"]


class Faulty:
    """Fails at one change, or one reading; what is written there may be cut off."""

    at, seen = 0, 0
    fault: Exception = OSError("the line is cut")
    halves = False

    @classmethod
    def set(cls, at, fault=None):
        Faulty.at, Faulty.seen, Faulty.fault = at, 0, fault or OSError("the line is cut")

    def _fails(self):
        Faulty.seen += 1
        return Faulty.seen == Faulty.at

    def pipe_file(self, path, value, **options):
        if self._fails():
            if self.halves:
                super().pipe_file(path, value[: len(value) // 2], **options)
            raise self.fault
        super().pipe_file(path, value, **options)

    def mv(self, *paths, **options):
        if self._fails():
            raise self.fault
        super().mv(*paths, **options)

    def rm_file(self, path):
        if self._fails():
            raise self.fault
        super().rm_file(path)


class FaultyStore(Faulty, MemoryFileSystem):
    protocol = ("faulty", "memory")
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]


class FaultyDrive(Faulty, LocalFileSystem):
    protocol = "drive"
    halves = True

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("drive://"))


fsspec.register_implementation("faulty", FaultyStore, clobber=True)
fsspec.register_implementation("drive", FaultyDrive, clobber=True)


@pytest.fixture(scope="module")
def store():
    with bucket() as address:
        yield address


def run(out, **options):
    return xaimri.explain_cohort(MODEL, SCANS, ["saliency", "hirescam"], out=out, **options)


def csv_of(cohort, folder):
    """Return the rows that a cohort is exported to, but for times."""
    with (cohort.export(folder) / "cohort.csv").open(newline="") as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_cohort_on_s3_runs_stops_goes_on_and_is_read(store, tmp_path):
    address, plain = f"{store}/runs/one", run(tmp_path / "plain")

    def stop(told):
        with pytest.raises(StorageFault, match="another run is writing into `s3://"):
            run(address)
        return told.done < 32

    with pytest.raises(Cancelled):
        run(address, progress=stop)
    place = place_of(address)
    assert place.names(LEASES) == []
    assert (open_cohort(address).done, place.names("rows")) == (32, ["part-000000.parquet"])
    before = place.read("rows/part-000000.parquet")
    found = run(address)
    assert place.read("rows/part-000000.parquet") == before
    assert found.table(COLUMNS) == open_cohort(address).table(COLUMNS) == plain.table(COLUMNS)
    one = open_cohort(address).explanation("scan 39", "saliency", image=SCANS["scan 39"])
    np.testing.assert_array_equal(one.values, xaimri.explain(MODEL, SCANS["scan 39"], "saliency").values)
    one, other = (csv_of(each, tmp_path / name) for each, name in ((found, "s3"), (plain, "folder")))
    assert len(one) == 80
    assert one == other
    with pytest.raises(InvalidInput, match="the methods"):
        xaimri.explain_cohort(MODEL, SCANS, "saliency", out=address)
    with pytest.raises(InvalidInput, match="holds no cohort"):
        open_cohort(f"{store}/runs")


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_one_sentence(store):
    with pytest.raises(
        StorageFault, match=r"^`s3://nowhere/run` can't be written \(.*\): see that it can be"
    ):
        run("s3://nowhere/run")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["faulty", "drive"])
def test_every_change_that_fails_once_is_one_sentence_and_the_store_stays_readable(kind, tmp_path):
    root = tmp_path / "s" if kind == "drive" else tmp_path.name
    Faulty.set(0)
    whole = run(f"{kind}://{root}/whole").table(COLUMNS)
    changes = Faulty.seen
    assert changes >= 6
    for at in range(1, changes + 1):
        address = f"{kind}://{root}/{at}"
        Faulty.set(at)
        try:
            run(address)
        except StorageFault as fault:
            told = str(fault)
            assert told.startswith(f"`{address}` can't be written (the line is cut): see that")
            assert "\n" not in told
        else:
            assert at >= changes - 1  # the lease is given back when all is written
        place = place_of(address)
        if place.read("cohort.json") is not None:
            found = open_cohort(address)
            assert found.table(COLUMNS) == whole.slice(0, 2 * found.done)
        for name in place.names(LEASES):  # as its time would end it
            place.remove(f"{LEASES}/{name}")
        assert run(address).table(COLUMNS) == whole


@pytest.mark.parametrize("fault", [PermissionError("no"), RuntimeError("a\nb"), TimeoutError()])
def test_what_can_not_be_read_is_one_sentence(fault, tmp_path, monkeypatch):
    address = f"memory://{tmp_path.name}"
    run(address)

    def fail(*_, **__):
        raise fault

    for name in ("cat_file", "ls"):
        with monkeypatch.context() as patched:
            patched.setattr(MemoryFileSystem, name, fail)
            with pytest.raises(
                StorageFault, match=r"^`memory://.*` can't be read \((no|a|TimeoutError)\): see"
            ):
                run(address)
