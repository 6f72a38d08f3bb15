"""How far a run is can be asked from anywhere while it is at work, and is no more told after it."""

import json

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.cohort import progress
from xaimri.cohort.place import place_of
from xaimri.errors import Cancelled, StorageFault

pytest.importorskip("pyarrow")

SCANS = {f"{n}": np.random.default_rng(n).random((6, 8)) for n in range(40)}


def explained(out, **options):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    return xaimri.explain_cohort(model, SCANS, "saliency", out=out, **options)


def test_rate_and_time_left():
    told = progress.Progress(done=30, total=50, failures=1, seconds=4.0, fresh=10)
    assert (told.rate, told.left) == (2.5, 8.0)
    assert progress.Progress(0, 50, 0, 0.0, 0).left == float("inf")


@pytest.mark.parametrize("scheme", ["", "memory://"])
def test_a_run_at_work_is_told_and_one_that_ended_or_was_killed_is_not(tmp_path, scheme, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setattr(progress, "EVERY", float("inf"))
    out, seen = f"{scheme}{tmp_path}/run", []

    def watch(told):
        seen.append((open_cohort(out).at_work, told))
        return False

    with pytest.raises(Cancelled):
        explained(out, progress=watch)
    ((told, real),) = seen
    assert (told.done, told.total) == (0, 40)  # as the run began: nothing newer is written
    assert real.done == 32
    assert open_cohort(out).at_work is None
    assert place_of(out).read(progress.AT_WORK) is None
    place_of(out).write(progress.AT_WORK, b'{"of": "a killed one"}')
    assert open_cohort(out).at_work is None
    assert explained(out, isolated=False).done == 40
    assert place_of(out).read(progress.AT_WORK) is None


def test_it_is_written_again_after_some_seconds_alone(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    place = place_of(tmp_path)
    with progress.noted(place, 0) as note:
        for later, done in ((0.0, 0), (4.9, 1), (0.2, 2), (4.9, 3)):
            now[0] += later
            note.tell(progress.Progress(done, 9, 0, 0.0, 0))
            assert json.loads(place.read(progress.AT_WORK))["done"] == min(done // 2 * 2, 2)
    assert place.read(progress.AT_WORK) is None


def test_runs_that_were_killed_at_one_place_are_counted(tmp_path):
    place = place_of(tmp_path)
    for finished, deaths in ((3, 0), (3, 1), (3, 2), (4, 1), (4, 2)):
        with progress.noted(place, finished) as note:
            assert note.deaths == deaths
            note.tell(progress.Progress(0, 9, 0, 0.0, 0))
            left = place.read(progress.AT_WORK)
        place.write(progress.AT_WORK, left)


def test_a_disk_that_fails_at_the_end_hides_no_error(tmp_path, monkeypatch):
    place = place_of(tmp_path)

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    def stopped():
        with progress.noted(place, 0) as note:
            note.tell(progress.Progress(0, 9, 0, 0.0, 0))
            monkeypatch.setattr("pathlib.Path.unlink", fail)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        stopped()
    with pytest.raises(StorageFault, match=r"can't be taken away \(Input/output error\)"):
        place.remove(progress.AT_WORK)
