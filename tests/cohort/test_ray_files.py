"""A cohort on S3 by Ray: the same rows as in a folder, and a bucket that fails is one sentence."""

import fsspec
import numpy as np
import pytest

import xaimri
from buckets import bucket
from cohorts import gated_model
from xaimri.cohort import RayEngine
from xaimri.cohort import open as open_cohort
from xaimri.cohort.lease import LEASES
from xaimri.cohort.place import place_of
from xaimri.cohort.ray_progress import Watch
from xaimri.errors import Cancelled, StorageFault

pytest.importorskip("pyarrow")
pytest.importorskip("ray", reason="Ray is not installed: it comes with the extra `cohort`")

pytestmark = pytest.mark.slow

SCANS = {
    f"scan {n}": np.random.default_rng(n).random((6, 8)).astype(np.float32) + (n >= 64) for n in range(100)
}
"""Four parts; the images of the last two have values above 1."""

COLUMNS = ["case", "method", "key", "target", "failure"]


@pytest.fixture(scope="module")
def store():
    """Start a bucket, and Ray where its workers know how to reach it."""
    from xaimri.cohort.ray_session import ray_session

    with bucket() as address, ray_session(RayEngine(workers=2)):
        yield address


def run(out, gate=None, **options):
    return xaimri.explain_cohort(
        gated_model(gate), SCANS, ["rise", "occlusion"], out=out, samples=8, **options
    )


def test_a_cohort_on_s3_runs_stops_goes_on_and_has_the_rows_of_a_local_run(store, tmp_path, monkeypatch):
    address, plain, gate = f"{store}/runs/one", run(tmp_path / "plain"), tmp_path / "gate"

    def go(watch, look=Watch.go):
        look(watch)
        watch.ray.get(watch.notes.state.remote())  # whoever asks is told to stop from now on
        gate.touch()

    monkeypatch.setattr(Watch, "go", go)
    with pytest.raises(Cancelled, match="the same call goes on"):
        run(address, gate, engine=RayEngine(workers=1), progress=lambda _: False)
    place = place_of(address)
    assert place.names(LEASES) == []
    done = place.names("rows")
    assert 0 < len(done) < 4 == len(plain.store.place.names("rows"))
    before = {name: place.read(f"rows/{name}") for name in done}
    found = run(address, engine=RayEngine(workers=2))
    assert place.names("rows") == plain.store.place.names("rows")
    assert {name: place.read(f"rows/{name}") for name in done} == before
    assert place.names("checkpoint") == place.names(LEASES) == []
    again = open_cohort(address)
    assert again.done == found.done == 100
    assert again.table(COLUMNS) == plain.table(COLUMNS)
    for name in ("map", "probabilities"):
        np.testing.assert_allclose(
            np.stack(again.table([name])[name].to_pylist()), np.stack(plain.table([name])[name].to_pylist()),
            atol=1e-5,
        )  # fmt: skip


def test_a_bucket_that_goes_in_the_middle_is_one_sentence(store, tmp_path):
    address, gate = f"{store}-gone/run", tmp_path / "gate"
    files = fsspec.filesystem("s3")
    files.mkdir(f"{store}-gone")
    gone = []

    def lose(told):
        if not gone:
            gone.append(told.done)
            files.invalidate_cache()
            files.rm(f"{store}-gone", recursive=True)
            gate.touch()

    with pytest.raises(StorageFault, match=r"^`s3://.*-gone/run` can't be written \(") as fault:
        run(address, gate, engine=RayEngine(workers=1), progress=lose)
    assert gone
    assert "\n" not in str(fault.value)
    files.mkdir(f"{store}-gone")
    assert run(address, engine=RayEngine(workers=1)).done == 100
