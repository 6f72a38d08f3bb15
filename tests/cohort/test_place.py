"""Where a cohort lies: folders and object stores answer alike."""

import json
import time
from importlib.util import find_spec

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.cohort.place import LEASE, place_of
from xaimri.errors import InvalidInput, StorageFault

pytest.importorskip("pyarrow")


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    pytest.importorskip("fsspec")
    return place_of(tmp_path / "run" if request.param == "folder" else f"memory://{tmp_path.name}/run")


def test_files_come_back_and_what_is_missing_is_none(place):
    assert place.read("a.json") is None
    assert place.names("rows") == []
    place.write("rows/b", b"two")
    place.write("rows/a", b"one")
    place.write("rows/a", b"other")
    assert (place.names("rows"), place.read("rows/a")) == (["a", "b"], b"other")


def test_a_cohort_on_an_object_store_is_that_of_a_folder(tmp_path):
    pytest.importorskip("fsspec")
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    scans = [np.random.default_rng(n).random((6, 8)) for n in range(40)]
    address = f"memory://{tmp_path.name}"
    found = xaimri.explain_cohort(model, scans, "saliency", out=address)
    plain = xaimri.explain_cohort(model, scans, "saliency", out=tmp_path)
    columns = ["case", "map", "key", "logits"]
    assert found.table(columns) == plain.table(columns)
    assert len(open_cohort(address)) == 40
    assert xaimri.explain_cohort(model, scans, "saliency", out=address).done == 40


def test_a_lease_keeps_others_out_until_it_is_given_back_or_is_over(tmp_path, monkeypatch):
    pytest.importorskip("fsspec")
    address = f"memory://{tmp_path.name}"
    one, other = place_of(address), place_of(address)
    with one.held() as renew:
        with pytest.raises(StorageFault, match="another run is writing"), other.held():
            pass
        renew()
    with other.held():
        pass
    assert one.read(LEASE) is None
    one.write(LEASE, json.dumps({"owner": "a dead one", "until": time.time() - 1}).encode())
    with other.held():
        assert json.loads(other.read(LEASE))["owner"] != "a dead one"


@pytest.mark.parametrize("address", ["nowhere://bucket/run", "gs://bucket/run"])
def test_an_address_that_leads_nowhere_is_refused(address):
    pytest.importorskip("fsspec")
    if address.startswith("gs") and find_spec("gcsfs"):
        pytest.skip("its package is installed")
    with pytest.raises(InvalidInput, match=r"can't be reached .* package for it is installed"):
        place_of(address)


@pytest.mark.parametrize("address", [True, 3, None, b"x", [], "", "a\0b"])
def test_what_is_no_path_is_refused(address):
    with pytest.raises(InvalidInput):
        place_of(address)
