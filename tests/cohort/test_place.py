"""Where a cohort lies: folders and object stores answer alike."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.cohort.place import place_of
from xaimri.errors import InvalidInput

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
    place.remove("rows/a")
    place.remove("rows/a")
    assert place.names("rows") == ["b"]


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


def test_a_relative_folder_stays_where_it_was_when_the_process_goes_elsewhere(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    for n in range(40):
        np.save(f"scans/{n}.npy", np.random.default_rng(n).random((6, 8)))
    (tmp_path / "elsewhere").mkdir()
    cohort = xaimri.explain_cohort(
        LinearClassifier.random((6, 8, 1), classes=2, seed=0), "scans", "saliency", out="run",
        progress=lambda told: os.chdir(tmp_path / "elsewhere"),
    )  # fmt: skip
    assert not list((tmp_path / "elsewhere").iterdir())
    assert (len(cohort), len(cohort.filter(failed=True))) == (40, 0)
    assert len(list((tmp_path / "run" / "rows").iterdir())) == 2


@pytest.mark.parametrize("address", ["github://a/b", "zip://x", "nosuch://x"])
def test_whatever_the_package_of_an_address_raises_is_one_sentence(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="can't be reached"):
        place_of(address)


def test_an_address_that_was_made_a_path_is_no_folder():
    with pytest.raises(
        InvalidInput, match="`s3:/bucket/run` is an address that was made a path: give it as text"
    ):
        place_of(Path("s3://bucket/run"))
