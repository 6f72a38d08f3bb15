"""The cases as Ray takes them: images in memory are packed when they are sent, part by part."""

import pickle
from unittest.mock import Mock

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import RayEngine
from xaimri.cohort.cases import Listed
from xaimri.cohort.rows import About
from xaimri.cohort.store import Store
from xaimri.errors import InvalidInput

pytest.importorskip("pyarrow")
cloudpickle = pytest.importorskip("ray.cloudpickle", reason="Ray comes with the extra `cohort`")


class Counted:
    """An image that counts how often it was packed."""

    packed = 0

    def __init__(self, number):
        self.number = number

    def __getstate__(self):
        Counted.packed += 1
        return {"number": self.number}


def store():
    """Return what stands for a store of seven cases in parts of two."""
    return Mock(spec=Store, parts=4, bounds=lambda part: range(2 * part, min(2 * part + 2, 7)))


@pytest.mark.slow
def test_images_are_packed_when_their_part_is_sent_and_not_before():
    from xaimri.cohort.ray_cases import cases_of

    listed = [Listed(About(f"scan {n}"), Counted(n)) for n in range(7)]
    source = cases_of(store(), listed, finished={1})
    tasks = [source.get_read_tasks(1) for _ in range(2)][1]
    assert len(tasks) == len(source.blocks) == 4
    assert Counted.packed == 0
    sent = [cloudpickle.dumps(task) for task in tasks]
    assert Counted.packed == 5  # of the finished part none
    found = [row for task in sent for block in pickle.loads(task)() for row in block.to_pylist()]
    assert [row["part"] for row in found] == [1, 0, 2, 3]
    assert [row["case"] for row in found] == ["scan 2", "scan 0", "scan 4", "scan 6"]
    assert found[0]["cases"] is None
    assert [[one.image.number for one in pickle.loads(row["cases"])] for row in found[1:]] == [
        [0, 1],
        [4, 5],
        [6],
    ]
    assert [row for task in tasks for block in task() for row in block.to_pylist()] == found


@pytest.mark.slow
def test_parts_of_more_than_a_megabyte_are_sent(tmp_path):
    """Ray wants to warn of them by a name."""
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    given = {"large": np.random.default_rng(0).random((600, 800), dtype=np.float32)}
    found = xaimri.explain_cohort(model, given, "saliency", out=tmp_path, engine=RayEngine(workers=1))
    assert found.table(["case", "failure"]).to_pylist() == [{"case": "large", "failure": None}]


@pytest.mark.slow
def test_an_image_that_can_not_be_sent_is_named_by_its_case(tmp_path):
    from xaimri.cohort.ray_cases import cases_of

    with (tmp_path / "x").open("wb") as file:
        source = cases_of(store(), [Listed(About(f"scan {n}"), file) for n in range(7)], finished=set())
        with pytest.raises(InvalidInput, match="the images from `scan 2` on can't be sent to Ray's workers"):
            cloudpickle.dumps(source.get_read_tasks(1)[1])
