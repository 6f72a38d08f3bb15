"""Parts of a cohort that are explained side by side are what they are one after the other."""

import threading

import numpy as np
import pytest

import xaimri
from networks import noise, small
from xaimri import LinearClassifier
from xaimri.cohort.schema import COLUMNS

pytest.importorskip("pyarrow")

CASES = {f"scan {n}": one for n, one in enumerate(np.random.default_rng(0).random((140, 12, 16)))}


class Shared(LinearClassifier):
    """May be asked by threads; notes how many ask at once."""

    shareable = True
    asking, most = 0, 0
    lock, second = threading.Lock(), threading.Event()

    def logits(self, images):
        with self.lock:
            Shared.asking += 1
            Shared.most = max(self.most, self.asking)
        if self.asking > 1:
            self.second.set()
        elif threading.current_thread() is not threading.main_thread():  # where parts are side by side
            self.second.wait(60)
        try:
            return super().logits(images)
        finally:
            with self.lock:
                Shared.asking -= 1


def rows(cohort):
    """Return all rows, in their order, but for their times."""
    return cohort.table([name for name in COLUMNS if name != "seconds"]).to_pylist()


@pytest.mark.parametrize(("method", "most"), [("hirescam", 2), ("saliency", 1)])
def test_two_parts_are_explained_at_once_where_threads_may_share_the_model(tmp_path, method, most):
    Shared.most = 0
    Shared.second.clear()
    shared = Shared.random((6, 8, 1), classes=3, seed=0, patch=2)
    told = []
    found = xaimri.explain_cohort(
        shared, CASES, method, out=tmp_path / "a", progress=lambda one: told.append(one.done)
    )
    assert Shared.most == most
    assert told == [32, 64, 96, 128, 140]
    alone = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    assert rows(found) == rows(xaimri.explain_cohort(alone, CASES, method, out=tmp_path / "b"))


@pytest.mark.tensorflow
def test_a_networks_rows_are_bit_for_bit_those_of_one_part_after_the_other(tmp_path, monkeypatch):
    images = {f"scan {n}": one for n, one in enumerate(noise((20, 28, 3), count=100))}
    model = xaimri.open_model(small())
    found = xaimri.explain_cohort(model, images, ["gradcam", "layercam"], out=tmp_path / "a")
    monkeypatch.setattr("xaimri.cohort.work.at_once", lambda *_: 1)
    again = xaimri.explain_cohort(model, images, ["gradcam", "layercam"], out=tmp_path / "b")
    assert rows(found) == rows(again)
    seconds = found.table(["seconds"])["seconds"].to_numpy()
    assert (seconds > 0).all()
